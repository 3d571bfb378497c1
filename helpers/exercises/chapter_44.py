"""Checks of the exercises of notebook 44, random search."""

from collections.abc import Mapping
from math import comb

from helpers.exercises import call, exercise
import numpy as np


def _whole(answer: object) -> int | None:
    """The answer as a whole number; None where it is not one."""
    number = float(answer)
    return int(number) if np.isfinite(number) and number == int(number) else None


@exercise("44.1")
def search_space(answer) -> str | None:
    if not isinstance(answer, Mapping):
        return "A dictionary, please: name -> distribution."
    missing = {"learning_rate", "layers", "dropout"} - set(answer)
    if missing:
        return f"These names are missing: {sorted(missing)}."
    for name in ("learning_rate", "layers", "dropout"):
        if not hasattr(answer[name], "ppf"):
            return f"{name} must be a distribution of scipy.stats here, with its numbers filled in."
    rate, layers, dropout = (answer[name] for name in ("learning_rate", "layers", "dropout"))
    if not np.allclose(rate.ppf([0, 1]), [1e-4, 1e-1]):
        return "learning_rate must run from 0.0001 to 0.1."
    if not np.isclose(rate.ppf(0.5), np.sqrt(1e-4 * 1e-1), rtol=1e-6):
        return "By its order of magnitude: the median of learning_rate must be the geometric mean."
    if np.isclose(layers.cdf(3), 1):
        return "layers never becomes 4: the upper end of randint does not belong to it."
    if not np.allclose([layers.cdf(k) for k in (0, 1, 2, 3, 4)], [0, 0.25, 0.5, 0.75, 1]):
        return "layers must be 1, 2, 3 or 4 with equal probabilities."
    if np.allclose(dropout.ppf([0, 1]), [0.1, 0.6]):
        return "dropout runs to 0.6: uniform takes the start and the LENGTH of the interval."
    if not np.allclose(dropout.ppf([0, 0.5, 1]), [0.1, 0.3, 0.5]):
        return "dropout must be uniform from 0.1 to 0.5: uniform(loc, scale)."
    return None


@exercise("44.2")
def as_close_as_the_grid(answer) -> str | None:
    number = _whole(answer)
    if number is None:
        return "A whole number of draws."
    if number == 8:
        return None
    if number == 7:
        return "Almost: 7 draws have the expected distance 0.069, and the grid 1/16 = 0.0625."
    if number == 4096:
        return "That is the grid's own budget; random draws need far fewer. 4096^(1/6) = 4."
    if number == 4:
        return "Four values at random leave gaps; four evenly spaced ones are closer."
    if 8 < number < 4096:
        return "They do come as close, and more: the smallest number is asked for."
    return "The grid tests 4 values of the parameter: 1/16. Now find n with (n+3)/(2(n+1)(n+2))."


@exercise("44.3")
def hit_rate(answer) -> str | None:
    cases = [(144, 7, 60), (10, 3, 2), (20, 1, 20), (12, 5, 9), (50, 4, 0)]
    right = [1 - comb(size - good, n) / comb(size, n) for size, good, n in cases]
    got, fails = [], False
    for case, truth in zip(cases, right, strict=True):
        try:
            got.append(float(call(answer, *case)))
        except (ValueError, ZeroDivisionError):  # factorials of what is below zero
            got, fails = [*got, truth], True
    if np.allclose(got, right) and not fails:
        return None
    if np.allclose(got, 1 - np.array(right)):
        return "That is the probability to miss them all."
    if np.allclose(got, [1 - (1 - good / size) ** n for size, good, n in cases]):
        return "That is with replacement; here each draw leaves one candidate less."
    if np.allclose(got[:3], right[:3]):  # or fails in a case that is one of the ends
        return "Look at the ends: with n > size - good a hit is certain; with n = 0 impossible."
    return (
        "Missing: (size-good)/size for the first draw, (size-good-1)/(size-1) for the second, ..."
    )
