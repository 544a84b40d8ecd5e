"""Time by the number of experts: ``python -m merit.bin.smoe.measure_speed --config conf/smoe.yaml ...``."""

from merit.command import run_command
from merit.systems.smoe.decoding_speed import measure_decoding

if __name__ == "__main__":
    run_command(measure_decoding)
