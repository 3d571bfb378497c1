"""Bits per digit of tables of counts: how many neighbours, counted on how many images?

    python data/recipes/record_counts.py

Each pixel is coded with its frequency given its nearest pixels to the left and above, counted on
the 4,000 training digits that ship, or on the 59,000 on which the shipped VAEs were trained, each
binarised four times. Needs data/mnist.npz (or the Keras cache). Writes data/results/counts.json
after every table, and goes on where it was stopped. Takes about five minutes on one core.
"""

from functools import cache

from helpers import data
from make_weights import training_images
import numpy as np
from recording import Record

WHAT = (
    "tables of counts: each pixel coded with its frequency given its nearest pixels to the left "
    "and above, half a count added to each; bits per image of the course's 500 validation digits "
    "(binarised with seed 0) and 500 test digits (seed 1)"
)
REACH = 5
BEFORE = [
    (up, left) for up in range(REACH) for left in range(-REACH, REACH + 1) if (up, left) > (0, 0)
]
NEAREST = sorted(BEFORE, key=lambda place: (place[0] ** 2 + place[1] ** 2, place))


def contexts(x: np.ndarray, neighbours: int) -> np.ndarray:
    """For each pixel of black-and-white images, its nearest known pixels as one whole number."""
    padded = np.pad(x.astype("int64"), ((0, 0), (REACH, 0), (REACH, REACH)))
    places = enumerate((REACH - up, REACH - left) for up, left in NEAREST[:neighbours])
    return sum(padded[:, row : row + 28, column : column + 28] << i for i, (row, column) in places)


@cache
def grey_images(count: int) -> np.ndarray:
    x = data.load("mnist-5k").x_train if count == 4000 else training_images(None)[0]
    assert len(x) == count
    return x


def table_bits(training_images: int, neighbours: int) -> dict[str, float]:
    counts = np.full((2**neighbours, 2), 0.5)
    x, digits = grey_images(training_images), data.load("mnist-5k")
    for seed in range(4):
        for start in range(0, len(x), 4000):
            seen = data.binarise(x[start : start + 4000], seed)
            places = 2 * contexts(seen, neighbours) + seen.astype("int64")
            counts += np.bincount(places.ravel(), minlength=counts.size).reshape(counts.shape)
    bits = -np.log2(counts / counts.sum(axis=1, keepdims=True))
    held_out = {"validation": (digits.x_val, 0), "test": (digits.x_test, 1)}
    found = {}
    for part, (images, seed) in held_out.items():
        images = data.binarise(images, seed)
        each = bits[contexts(images, neighbours), images.astype(int)].sum(axis=(1, 2))
        found[f"{part}_bits"] = round(float(each.mean()), 2)
    return found


def main() -> None:
    record = Record("counts", WHAT, command="python data/recipes/record_counts.py")
    plan = [
        {"training_images": images, "neighbours": neighbours}
        for images in (4000, 59_000)
        for neighbours in (10, 14, 20, 24)
    ]
    record.complete(plan, table_bits)


if __name__ == "__main__":
    main()
