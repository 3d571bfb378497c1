"""The architecture table, and `strings`: a VAE of its rows, which needs Keras when it is called."""

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
