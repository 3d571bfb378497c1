"""The architecture table, and `strings`: its rows as text, for a VAE to learn."""

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
