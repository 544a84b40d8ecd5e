"""Compare methods over seeds: ``python -m merit.bin.smoe.compare --exp exp --methods [base,encdec_smoe] ...``."""

from merit.command import run_command
from merit.systems.smoe.results.smoe_page import write_comparison

if __name__ == "__main__":
    run_command(write_comparison)
