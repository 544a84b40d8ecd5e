"""The configuration of a WavLM small enough for tests."""


def wavlm_settings() -> dict:
    """A WavLM of the Large family: stable layer norm, gated relative position bias."""
    return {
        "model_type": "wavlm",
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "conv_dim": [8] * 7,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "num_conv_pos_embeddings": 8,
        "num_conv_pos_embedding_groups": 2,
        "num_buckets": 16,
        "max_bucket_distance": 40,
    }
