"""What a teacher makes of clean speech, and the noisy directories that a student hears it in."""

from dataclasses import dataclass
from pathlib import Path

from made_mixing import make_online_set
from small_wavlm import wavlm_settings

from merit.data.statistics import waveform_statistics
from merit.dumping.dump import dump_states
from merit.systems.distillation.training import DistillationTraining, StudentConfig

LOG_MEL = StudentConfig(
    {
        "model_type": "whisper",
        "d_model": 16,
        "encoder_layers": 2,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 24,
        "max_source_positions": 100,
        "dropout": 0.0,
        "attention_dropout": 0.0,
    },
    {1: 1, 2: 2},
)
WAVLM = wavlm_settings() | {f"{name}_dropout": 0.0 for name in ("hidden", "attention", "activation", "feat_proj")}
TRAINING = DistillationTraining(
    epochs=2,
    batch_size=4,
    micro_batch_size=4,
    learning_rate=1e-2,
    encoder_learning_rate=1e-2,
    precision="float32",
    workers=0,
    crop_seconds=0.64,
)


@dataclass(frozen=True)
class Taught:
    """Directories of noisy speech and of the teacher's states of the clean speech under it."""

    noisy: Path
    states: Path


def teach(mixed: Path, teacher: str, root: Path, online: bool) -> Taught:
    """A teacher's states of the clean references of a mixed directory; the noisy speech is drawn anew or is its own."""
    drawn = make_online_set(mixed, root, mixed.name)
    clean = root / mixed.name
    waveform_statistics(clean)
    dump_states(clean, teacher, root / "states" / mixed.name, clean / "waveform_stats.json", precision="float32")
    return Taught(drawn if online else mixed, root / "states" / mixed.name)
