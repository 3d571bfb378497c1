"""Batches of images for `fit`, binarised afresh at every epoch."""

from helpers.data import check_images, check_labels
from helpers.runtime import keras
import numpy as np


class BinarisedBatches(keras.utils.PyDataset):
    """Training batches, shuffled and binarised afresh at every epoch (dynamic binarisation).

    Fresh noise is free data augmentation, and the setting of the published tables. It is drawn
    here and not inside the compiled training step, where random numbers are slow on a CPU.

    Args:
        x: grey images in [0, 1], shape (n, ...).
        batch_size: images per batch; the last batch of an epoch may be smaller.
        seed: decides the order and the noise of every epoch.
        y: integer labels, shape (n,), for a model of images given their label: batches are then
            ((images, labels),), a single input made of two.

    Raises:
        ValueError: `batch_size` below 1, or images or labels that `check_images` or
            `check_labels` refuses.

    Source: Burda, Grosse and Salakhutdinov 2015, section 5.
    """

    def __init__(
        self, x: np.ndarray, batch_size: int, seed: int, y: np.ndarray | None = None
    ) -> None:
        super().__init__()
        check_images(x)
        if y is not None:
            check_labels(y, len(x))
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.x, self.batch_size, self.seed, self.y = x, batch_size, seed, y
        self.epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.x))

    def __getitem__(self, index: int):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        chosen = self.x[rows]
        images = (rng.random(chosen.shape, dtype="float32") < chosen).astype("float32")
        return images if self.y is None else ((images, self.y[rows]),)
