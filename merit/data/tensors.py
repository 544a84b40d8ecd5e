"""Writing safetensors files as the other files of the package are written."""

import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from merit.files import atomic_path


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write contiguous tensors of the CPU as one safetensors file in one step.

    Raises:
        MeritError: as :func:`merit.files.atomic_path`.
    """
    with atomic_path(path) as temporary:
        mode = temporary.stat().st_mode  # by the umask; safetensors makes files that only their owner can read
        try:
            save_file(dict(tensors), temporary, metadata=None if metadata is None else dict(metadata))
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), str(error), str(path)) from error  # which safetensors does not raise
        temporary.chmod(mode)
