"""Names of precisions; free of PyTorch, for whoever only reads options."""

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16", "float16"]
ResolvedPrecision = Literal["float32", "bfloat16", "float16"]
