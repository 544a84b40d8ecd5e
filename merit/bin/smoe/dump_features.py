"""Dump log-mel features: ``python -m merit.bin.smoe.dump_features --data data/train --output dump/features/train``."""

from merit.command import run_command
from merit.systems.smoe.feature_dump import dump_features

if __name__ == "__main__":
    run_command(dump_features)
