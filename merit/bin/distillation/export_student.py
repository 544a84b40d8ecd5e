"""A trained student as an encoder: ``python -m merit.bin.distillation.export_student --run RUN --output DIR``."""

from merit.command import run_command
from merit.systems.distillation.export import export_student

if __name__ == "__main__":
    run_command(export_student)
