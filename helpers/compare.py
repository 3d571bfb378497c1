"""Two models, or many, on the same seeds or data sets: paired differences, Holm, mean ranks.

Chapter 42 builds and explains them; the chapters after it use them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata, t


class Difference(NamedTuple):
    """A mean difference, half its 95 % interval, and the p-value of "there is none"."""

    mean: float
    half: float
    p: float

    def __str__(self) -> str:
        return f"{self.mean:+.3g} ± {self.half:.2g} (p = {self.p:.2g})"


def paired(first: Sequence[float], second: Sequence[float]) -> Difference:
    """How far first lies above second, run by run: the runs of a pair share seed, split or data.

    Args:
        first, second: shape (n,), in the same unit; run i of one belongs to run i of the other.

    Returns:
        The mean of first - second, half its 95 % interval and the two-sided p-value, both by
        Student's t with n - 1 degrees of freedom: p < 0.05 exactly where the interval leaves out 0.

    Raises:
        ValueError: shapes differ, fewer than 2 pairs, or a value is not finite.

    Source: Student 1908.

    Example:
        >>> print(paired([3.0, 5.0, 4.0], [2.0, 3.0, 3.0]))
        +1.33 ± 1.4 (p = 0.057)
    """
    first, second = np.asarray(first, dtype="float64"), np.asarray(second, dtype="float64")
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        shapes = f"{first.shape} and {second.shape}"
        raise ValueError(f"first and second must be pairs of shape (n,), n >= 2, got {shapes}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("first and second must be finite: decide what a failed run counts as")
    gaps = first - second
    mean, error = gaps.mean(), gaps.std(ddof=1) / np.sqrt(len(gaps))
    if error == 0:
        return Difference(float(mean), 0.0, float(mean == 0))
    freedom = len(gaps) - 1
    p = 2 * t.sf(abs(mean) / error, freedom)
    return Difference(float(mean), float(t.ppf(0.975, freedom) * error), float(p))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p-values that hold for all comparisons together: with level a, one false finding in 1 / a.

    The smallest is multiplied by the number of tests m, the next by m - 1, and so on; none may
    fall below one that was smaller. Shape (m,), in the order given.

    Raises:
        ValueError: a value outside 0 to 1, or not one row of them.

    Source: Holm 1979.
    """
    p = np.asarray(p_values, dtype="float64")
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p_values must be one row of numbers from 0 to 1, got {p_values!r}")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    times = np.arange(len(p), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * times))
    return corrected


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """The mean place of each method over data sets: 1 is best everywhere, equals share a place.

    Args:
        scores: shape (data sets, methods), higher is better.

    Returns:
        Shape (methods,), from 1 to the number of methods.

    Raises:
        ValueError: not a table, or a value is not finite.

    Source: Demsar 2006, section 3.2.2.
    """
    scores = np.asarray(scores, dtype="float64")
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise ValueError(
            f"scores must be a finite table (data sets, methods), got shape {scores.shape}"
        )
    return rankdata(-scores, axis=1).mean(axis=0)
