"""Predict the quality of clips: ``python -m merit.bin.moe_mos.predict --model exp/moe_mos-7 --data data/test ...``."""

from merit.command import run_command
from merit.systems.moe_mos.predictions import predict_directory

if __name__ == "__main__":
    run_command(predict_directory)
