"""Probe the experts of a model: ``python -m merit.bin.smoe.probe --model exp/encdec_smoe-7 --data [data/test] ...``."""

from merit.command import run_command
from merit.systems.smoe.expert_probe import probe_model

if __name__ == "__main__":
    run_command(probe_model)
