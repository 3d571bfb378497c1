"""The architecture table: every VAE of a small space, trained in advance on real digits.

`build` (how it was made) and `strings` (a VAE of architectures) are modules; they import Keras
when their functions are called, and the rest never does.
"""

from helpers.table import build, strings
from helpers.table.lookup import (
    ArchitectureTable,
    TableVAE,
    architectures,
    layers_of,
    param_space,
)

__all__ = [
    "ArchitectureTable",
    "TableVAE",
    "architectures",
    "build",
    "layers_of",
    "param_space",
    "strings",
]
