"""Score what a model decoded: ``python -m merit.bin.smoe.score --model exp/encdec_smoe-7 --data [data/test] ...``."""

from merit.command import run_command
from merit.systems.smoe.results.smoe_page import write_run_results

if __name__ == "__main__":
    run_command(write_run_results)
