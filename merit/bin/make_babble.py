"""Make babble noise from a data directory: ``python -m merit.bin.make_babble --data data/train ...``."""

from merit.command import run_command
from merit.data.noise.babble import make_babble

if __name__ == "__main__":
    run_command(make_babble)
