"""The architecture table, and `strings`: a VAE of its rows, which needs Keras when it is called."""

from helpers.table import strings
from helpers.table.lookup import (
    ACTIVATIONS,
    TABLE,
    ArchitectureTable,
    key_of,
    layers_of,
    param_space,
)

__all__ = [
    "ACTIVATIONS",
    "TABLE",
    "ArchitectureTable",
    "key_of",
    "layers_of",
    "param_space",
    "strings",
]
