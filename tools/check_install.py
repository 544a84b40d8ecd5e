"""Say what of the installation works: python tools/check_install.py

Prints every dependency with its version and purpose, the GPUs, and what happened when the pieces were tried.
Exit status 1 when something the recipes need is unusable; the line that mends it is printed below.
"""

import ctypes
import importlib
import io
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

# Distribution, module to import, what it is for.
DEPENDENCIES = (
    ("torch", "torch", "tensors and models"),
    ("torchaudio", "torchaudio.functional", "resampling"),
    ("transformers", "transformers", "encoders and their weights"),
    ("s3prl", "s3prl.upstream.wavlm.WavLM", "original WavLM checkpoints"),
    ("accelerate", "accelerate", "mixed precision, accumulation, several GPUs"),
    ("safetensors", "safetensors.torch", "models and hidden states on disk"),
    ("xxhash", "xxhash", "checksums of hidden states"),
    ("soundfile", "soundfile", "reading and writing audio"),
    ("submitit", "submitit", "jobs, on this machine or Slurm"),
    ("psutil", "psutil", "stopping jobs with all they started"),
    ("filelock", "filelock", "one command at a time in a directory"),
    ("jsonargparse", "jsonargparse", "options and configuration"),
    ("joblib", "joblib", "parallel preparation of data"),
    ("pesq", "pesq", "PESQ"),
    ("pystoi", "pystoi", "STOI"),
    ("scikit-learn", "sklearn.metrics", "F1, UAR, confusion matrix"),
    ("scipy", "scipy.signal", "resampling of the mini corpus"),
    ("numpy", "numpy", "arrays"),
    ("matplotlib", "matplotlib.figure", "figures"),
    ("tensorboard", "tensorboard.compat", "training curves"),
    ("tqdm", "tqdm", "progress bars"),
    ("espeakng-loader", "espeakng_loader", "speech of the mini recipe"),
    ("pyyaml", "yaml", "segments of MuST-C"),
    ("sentencepiece", "sentencepiece", "vocabularies of transcripts and translations"),
    ("jiwer", "jiwer", "word and character error rates"),
    ("sacrebleu", "sacrebleu", "BLEU and chrF"),
)
KALDI_READERS = (("kaldiio", "kaldiio"), ("omniio", "omniio"))


def import_dependency(distribution: str, module: str) -> tuple[str, str]:
    """Import a module; return the version of its distribution and what went wrong, empty when nothing did."""
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "-", "is not installed"
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken binary can raise anything while it is loaded
        return version, f"{type(error).__name__}: {error}".splitlines()[0]
    return version, ""


def check_gpus() -> str:
    """Describe every GPU: memory, and whether bfloat16 runs in its tensor cores (compute capability 8.0)."""
    import torch

    if not torch.cuda.is_available():
        driver = "; there is an NVIDIA driver, perhaps too old for it" if shutil.which("nvidia-smi") else ""
        return f"none that PyTorch {torch.__version__} can use{driver}: everything runs on the processor"
    lines = []
    for index in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(index)
        bfloat16 = "fast" if (gpu.major, gpu.minor) >= (8, 0) else "slow: training uses float32"
        lines.append(f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB, bfloat16 {bfloat16}")
        torch.ones(8, device=f"cuda:{index}").sum().item()  # raises when the driver and PyTorch do not go together
    return "; ".join(lines)


# What computes it, its channels, kernel and groups: positional convolutions are what processors have had wrong.
CONVOLUTIONS = (
    ("WavLM Large", 1024, 128, 16),
    ("WavLM Base", 768, 128, 16),
    ("egs/mini", 128, 128, 8),
    ("an encoder with 8 channels a group", 128, 128, 16),
)


def check_processor() -> str:
    """Describe the processor: threads, whether it multiplies bfloat16 itself, and what it then computes wrongly."""
    import torch

    from merit.device import has_fast_bfloat16
    from merit.nets.ssl.convolution import agrees_with_float32

    threads = f"{torch.get_num_threads()} threads"
    if not has_fast_bfloat16(torch.device("cpu")):
        return f"{threads}, bfloat16 slow: float32 is used"
    wrong = [
        name
        for name, channels, kernel, groups in CONVOLUTIONS
        if not agrees_with_float32(
            torch.nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=groups), torch.bfloat16
        )
    ]
    if wrong:
        return f"{threads}, bfloat16 fast, but wrong in the convolution of {', '.join(wrong)}: float32 is used for that"
    return f"{threads}, bfloat16 fast and right in all {len(CONVOLUTIONS)} convolutions tried"


def check_audio() -> str:
    """Write a FLAC file into memory, read it, and resample it."""
    import numpy as np
    import soundfile
    import torch
    import torchaudio

    samples = np.linspace(-0.5, 0.5, 4000, dtype=np.float32)
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="FLAC")
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float32")
    resampled = torchaudio.functional.resample(torch.from_numpy(decoded), rate, 16000)
    if np.abs(decoded - samples).max() > 1e-4 or len(resampled) != 8000:
        raise RuntimeError("FLAC or resampling changed the samples")
    return "FLAC written, read and resampled"


def check_scores() -> str:
    """Score a noisy signal, whose bursts PESQ takes for speech, by PESQ and STOI."""
    import numpy as np
    from pesq import pesq
    from pystoi import stoi

    generator = np.random.default_rng(0)
    time = np.arange(3 * 16000) / 16000
    clean = generator.standard_normal(len(time)) * (np.sin(2 * np.pi * 2 * time) > 0) * 0.1
    noisy = clean + 0.03 * generator.standard_normal(len(time))
    return f"PESQ {pesq(16000, clean, noisy, 'wb'):.2f}, STOI {stoi(clean, noisy, 16000):.2f} of a noisy test signal"


def check_espeak() -> str:
    """Load espeak-ng and initialise it with its voices."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    retrieval, no_exit = 1, 0x8000
    rate = library.espeak_Initialize(retrieval, 0, str(espeakng_loader.get_data_path()).encode(), no_exit)
    if rate <= 0:
        raise RuntimeError(f"espeak-ng cannot be initialised (status {rate})")
    return f"espeak-ng speaks at {rate} Hz"


# Subject, check, distributions that are to blame when it fails.
CHECKS: tuple[tuple[str, Callable[[], str], tuple[str, ...]], ...] = (
    ("GPUs", check_gpus, ("torch",)),
    ("processor", check_processor, ("torch", "merit")),
    ("audio", check_audio, ("soundfile", "torchaudio")),
    ("scores", check_scores, ("pesq", "pystoi")),
    ("espeak-ng", check_espeak, ("espeakng-loader",)),
)


def main() -> int:
    """Print the table and the checks; return the exit status."""
    rows, broken = [], []
    for distribution, module, purpose in DEPENDENCIES:
        version, problem = import_dependency(distribution, module)
        rows.append((distribution, version, problem or "works", purpose))
        if problem:
            broken.append(distribution)
    readers = [(name, *import_dependency(name, module)) for name, module in KALDI_READERS]
    working = [(name, version) for name, version, problem in readers if not problem]
    name, version = working[-1] if working else ("kaldiio", "-")  # omniio stands in for kaldiio where it is installed
    rows.append((name, version, "works" if working else readers[0][2], "Kaldi scp and ark files"))
    if not working:
        broken.append("kaldiio")
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print(f"Python {sys.version.split()[0]}, {sys.executable}")
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())
    print()
    for subject, check, distributions in CHECKS:
        try:
            print(f"{subject}: {check()}")
        except Exception as error:  # whatever it is, the next check is still worth its line
            print(f"{subject}: FAILED, {type(error).__name__}: {error}")
            broken += distributions
    if broken:
        print("\n" + mending_lines(sorted(set(broken) - {"merit"})))
    return 1 if broken else 0


def mending_lines(distributions: Sequence[str]) -> str:
    """Say how to mend distributions in the Python that runs this."""
    root = Path(__file__).resolve().parent.parent
    install = f"{sys.executable} -m pip install -c {root}/tools/constraints.txt"
    return (
        f'What is missing or of another version than tested is mended by\n    {install} -e "{root}[test]"\n'
        f"and what is broken still by\n    {install} --force-reinstall --no-deps {' '.join(distributions)}"
    )


if __name__ == "__main__":
    sys.exit(main())
