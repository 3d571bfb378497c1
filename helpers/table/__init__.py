"""The architecture table: every VAE of a small space, trained in advance on real digits.

`strings` (a VAE of architectures) is a module; it imports Keras when its functions are called, and
the rest never does.
"""

from helpers.table import strings
from helpers.table.lookup import (
    ACTIVATIONS,
    EPOCHS,
    SEEDS,
    TABLE,
    ArchitectureTable,
    TableVAE,
    architectures,
    group_of,
    key_of,
    layers_of,
    param_space,
)

__all__ = [
    "ACTIVATIONS",
    "EPOCHS",
    "SEEDS",
    "TABLE",
    "ArchitectureTable",
    "TableVAE",
    "architectures",
    "group_of",
    "key_of",
    "layers_of",
    "param_space",
    "strings",
]
