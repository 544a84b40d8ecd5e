"""Make the vocabulary of all texts: ``python -m merit.bin.smoe.make_vocabulary --data [data/train] ...``."""

from merit.command import run_command
from merit.systems.smoe.vocabulary import make_vocabulary

if __name__ == "__main__":
    run_command(make_vocabulary)
