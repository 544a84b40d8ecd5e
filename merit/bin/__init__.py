"""Commands of the stages, run as ``python -m merit.bin.<name>``; this file is run before any of them."""

import merit.interrupt  # noqa: F401  before the libraries that the commands import
