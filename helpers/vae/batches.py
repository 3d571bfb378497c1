"""Batches of images for `fit`, binarised afresh at every epoch."""

from collections.abc import Iterable
import itertools

from helpers.data import binarise, check_images, check_labels
from helpers.runtime import keras
from helpers.vae.networks import check_size
import numpy as np


class BinarisedBatches(keras.utils.PyDataset):
    """Training batches, shuffled and binarised afresh at every epoch (dynamic binarisation).

    The noise is drawn here and not inside the compiled training step, where it is slow on a CPU.

    Args:
        x: grey images in [0, 1], shape (n, ...).
        batch_size: images per batch; the last batch of an epoch may be smaller.
        seed: decides the order and the noise of every epoch.
        y: integer labels, shape (n,), for a model of images given their label: batches are then
            ((images, labels),), a single input made of two.

    Raises:
        ValueError: `batch_size` is no whole number of at least 1, or images or labels that
            `check_images` or `check_labels` refuses.

    Source: Burda, Grosse and Salakhutdinov 2015, section 5.
    """

    def __init__(
        self, x: np.ndarray, batch_size: int, seed: int, y: np.ndarray | None = None
    ) -> None:
        super().__init__()
        self.x, self.seed = check_images(x), seed
        self.y = None if y is None else check_labels(y, len(self.x))
        self.batch_size = check_size("batch_size", batch_size)
        self.epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.x))

    def __getitem__(self, index: int):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        images = binarise(self.x[rows], (self.seed, self.epoch, index))
        return images if self.y is None else ((images, self.y[rows]),)


def first_batch(pipeline, name: str) -> tuple:
    """The first batch of a pipeline, and the pipeline with that batch still in it, or an error."""
    if not isinstance(pipeline, Iterable):
        raise ValueError(f"{name} must be images or a pipeline of batches, got {pipeline!r}")
    batches = iter(pipeline)
    first = next(batches, None)
    if batches is not pipeline:  # it can be started again
        return first, pipeline
    if not isinstance(first, tuple):
        raise ValueError(f"{name} must give tuples such as (x,), got {type(first).__name__}")
    return first, (batch for batch in itertools.chain([first], batches))
