"""How good are drawn digits? A judge that was trained on real ones; precision and recall."""

from helpers import data, records
from helpers.runtime import keras
from keras import layers
import numpy as np
from scipy.spatial.distance import cdist


def judge_network() -> keras.Model:
    """Images (n, 28, 28) -> features (n, 64) and probabilities (n, 10), before training.

    Features have length 1: with other lengths, balls around a few odd digits cover even noise.
    """
    x = keras.Input((28, 28))
    h = layers.Reshape((28, 28, 1))(x)
    for filters in (16, 32):
        h = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(h)
    h = layers.Dropout(0.25, seed=0)(layers.Flatten()(h))
    features = layers.Dense(64, activation="relu")(h)
    probabilities = layers.Dense(10, activation="softmax")(features)
    return keras.Model(x, [layers.UnitNormalization()(features), probabilities])


def load_judge() -> keras.Model:
    """`judge_network`, trained on the binarised digits of `load_trained`; errors as there.

    `records.load("judge")` says how often it names the 1,000 held-out digits rightly.
    """
    judge, path = judge_network(), data.DATA_DIR / "weights" / "judge.npz"
    sums = (records.load("judge")["runs"][0]["sha256"],)
    restore = "Restore it with `git checkout -- data/weights/judge.npz`."
    arrays = data.read_arrays(data.read_file(path, restore, sums))
    judge.set_weights([arrays[name].astype("float32") for name in sorted(arrays)])
    return judge


def precision_and_recall(real, drawn, k: int = 3) -> tuple[float, float]:
    """The share of drawn samples among the real ones, and of real samples among the drawn.

    "Among": in a ball around some sample of the other set that reaches to its k-th neighbour there.
    Both change with the sizes of the sets: compare with what other real samples reach.

    Args:
        real, drawn: features, shape (n, d) and (m, d), such as the judge's; n and m above k.

    Raises:
        ValueError: other shapes, or k is not at least 1 and below both sizes.

    Source: Kynkaanniemi et al. 2019 (arXiv 1904.06991), section 2.
    """
    real, drawn = np.asarray(real, "float64"), np.asarray(drawn, "float64")
    if real.ndim != 2 or drawn.ndim != 2 or real.shape[1] != drawn.shape[1]:
        shapes = f"{real.shape} and {drawn.shape}"
        raise ValueError(f"real and drawn must have shapes (n, d) and (m, d), got {shapes}")
    if not 1 <= k < min(len(real), len(drawn)):
        raise ValueError(f"k must be at least 1 and below the size of both sets, got {k!r}")

    def covered(centres, points) -> float:
        radius = np.partition(cdist(centres, centres), k, axis=1)[:, k]  # place 0: itself
        return float((cdist(points, centres) <= radius).any(axis=1).mean())

    return covered(real, drawn), covered(drawn, real)
