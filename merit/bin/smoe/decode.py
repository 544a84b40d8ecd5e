"""Decode data directories: ``python -m merit.bin.smoe.decode --model exp/encdec_smoe-7 --data [data/test] ...``."""

from merit.command import run_command
from merit.systems.smoe.speech_decoding import decode_directories

if __name__ == "__main__":
    run_command(decode_directories)
