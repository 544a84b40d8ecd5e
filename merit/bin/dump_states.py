"""Dump hidden states: ``python -m merit.bin.dump_states --data data/train_babble_5dB --ssl DIR --output DIR ...``."""

from merit.command import run_command
from merit.dumping.dump import dump_states

if __name__ == "__main__":
    run_command(dump_states)
