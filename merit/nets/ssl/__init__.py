"""Pre-trained speech encoders: waveforms in, the hidden states of all layers out.

WavLM, HuBERT, wav2vec 2.0, data2vec-audio and Whisper's encoder, by transformers directory, hub name, or an original
WavLM checkpoint. The rest of MERIT sees only :class:`SpeechEncoder`.
"""

from merit.nets.ssl.encoder import STATE_DEFINITION, SpeechEncoder
from merit.nets.ssl.loading import build_encoder, load_encoder

__all__ = ["STATE_DEFINITION", "SpeechEncoder", "build_encoder", "load_encoder"]
