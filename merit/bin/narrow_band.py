"""Copy a data directory in narrow band: ``python -m merit.bin.narrow_band --data data/test --audio dump/audio/...``."""

from merit.command import run_command
from merit.data.narrow_directory import copy_narrow

if __name__ == "__main__":
    run_command(copy_narrow)
