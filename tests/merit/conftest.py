"""A small model, encoder and corpus, real in form."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from small_wavlm import wavlm_settings
from transformers import WavLMConfig, WavLMModel

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory

CLASSES = ["angry", "happy", "neutral", "sad"]


@pytest.fixture(scope="session")
def save_model(tmp_path_factory):
    """Function that saves a random model: encoder's settings, a change, precision, ``ModelConfig`` fields."""
    from merit.data.statistics import WaveformStatistics
    from merit.nets.ssl import build_encoder
    from merit.systems.sparse_merit.description import ModelDescription, build_model
    from merit.systems.sparse_merit.model_config import ModelConfig
    from merit.training.run_state import save_weights, start_run

    def save(settings: dict | None = None, change=None, precision: str | None = None, **config):
        torch.manual_seed(0)
        encoder = build_encoder(settings or wavlm_settings())
        description = ModelDescription(
            model=ModelConfig(expert_size=24, emotion_size=12, enhancement_size=12, **config),
            classes=CLASSES,
            num_states=encoder.num_states,
            hidden_size=encoder.hidden_size,
            statistics=WaveformStatistics(mean=1e-4, std=0.07, samples=16000),
            ssl="tiny",
            ssl_fingerprint=encoder.fingerprint(),
            encoder=encoder.config_dict(),
            precision=precision,
        )
        model = build_model(description, encoder)
        if change is not None:
            with torch.no_grad():
                change(model)
        directory = tmp_path_factory.mktemp("model")
        start_run(directory, description, {})
        save_weights(model, directory)
        return directory

    return save


@pytest.fixture(scope="session")
def model_directory(save_model):
    """Sparse MERIT with random weights."""
    return save_model()


@pytest.fixture(scope="session")
def identity_directory(save_model):
    """The same, but the mask of its enhancement head is 1 everywhere, so that enhanced speech is the input."""

    def open_mask(model):
        model.enhancement_head.output.weight.zero_()
        model.enhancement_head.output.bias.fill_(40.0)

    return save_model(change=open_mask)


def speech_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise with a level that moves, (S,) float32 at 16 kHz."""
    samples = round(seconds * 16000)
    level = 0.05 * (1.2 + np.sin(2 * np.pi * 1.3 * np.arange(samples) / 16000))
    return (level * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


@pytest.fixture(scope="session")
def make_speech():
    """Function ``(seconds, seed) -> samples`` of a signal as loud and as uneven as speech."""
    return speech_like


class OnDevice(torch.Tensor):
    """A tensor that is taken to lie on a GPU: the host must not ask for its values, but by ``cpu`` or ``tolist``."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        names = ("__int__", "__bool__", "__float__", "__index__", "item")
        if getattr(function, "__name__", "") in names:
            raise AssertionError(f"the host waits for the device in {function.__name__}")
        result = super().__torch_function__(function, types, arguments, options or {})
        return result.as_subclass(torch.Tensor) if function is torch.Tensor.cpu else result


@pytest.fixture
def on_device():
    """Function that makes a tensor :class:`OnDevice`."""
    return lambda tensor: tensor.as_subclass(OnDevice)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> str:
    torch.manual_seed(0)
    config = WavLMConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=(8,) * 7,
        conv_bias=False,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        num_buckets=16,
        max_bucket_distance=40,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        feat_proj_dropout=0.0,
    )
    directory = tmp_path_factory.mktemp("encoder") / "tiny"
    WavLMModel(config).save_pretrained(directory)
    return str(directory)


def make_directory(root: Path, name: str, utterances: int, seed: int) -> Path:
    """A mixed data directory of tones in noise, 0.5 to 0.9 s long, whose pitch tells the class."""
    generator = np.random.default_rng(seed)
    tables: dict[str, dict[str, str]] = {"wav": {}, "spk1": {}, "utt2spk": {}, "utt2emo": {}, "utt2dur": {}}
    for i in range(utterances):
        key = f"{name}{i:03d}"
        samples = int(generator.integers(8000, 14400))
        time = np.arange(samples) / 16000
        clean = 0.3 * np.sin(2 * np.pi * 200 * (1 + i % 4) * time)
        for kind, signal in (("clean", clean), ("noisy", clean + 0.1 * generator.standard_normal(samples))):
            write_audio(root / name / kind / f"{key}.flac", signal.astype(np.float32))
        tables["wav"][key] = str(root / name / "noisy" / f"{key}.flac")
        tables["spk1"][key] = str(root / name / "clean" / f"{key}.flac")
        tables["utt2spk"][key] = name
        tables["utt2emo"][key] = CLASSES[i % 4]
        tables["utt2dur"][key] = f"{samples / 16000:.6f}"
    write_data_directory(
        root / "data" / name,
        tables["wav"],
        tables["utt2spk"],
        utt2emo=tables["utt2emo"],
        utt2dur=tables["utt2dur"],
        **{"spk1.scp": tables["spk1"]},
    )
    return root / "data" / name


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("corpus")
    return {"train": make_directory(root, "train", 12, 1), "dev": make_directory(root, "dev", 5, 2)}


@pytest.fixture(scope="session")
def online_corpus(corpus, tmp_path_factory) -> dict[str, Path]:
    """The same utterances, for training mixed while they are read."""
    from made_mixing import make_online_set

    return {"train": make_online_set(corpus["train"], tmp_path_factory.mktemp("online")), "dev": corpus["dev"]}


@pytest.fixture(scope="session")
def trained(corpus, tiny_encoder, tmp_path_factory) -> Path:
    """What one epoch of phase 2 leaves behind."""
    from tiny_training import ONE_EPOCH, phase2

    output = tmp_path_factory.mktemp("trained") / "run"
    phase2(corpus, tiny_encoder, output, training=ONE_EPOCH)
    return output


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(trained, tmp_path / "run")
