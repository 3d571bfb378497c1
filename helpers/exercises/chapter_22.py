"""Checks of the exercises of notebook 22, likelihoods of grey pixels."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np
from scipy.special import expit
from scipy.stats import norm

_CASES = ((100.0, 10.0), (-20.0, 8.0), (250.0, 3.0))  # mean and standard deviation


@exercise("22.1")
def bits_of_a_density(answer) -> str | None:
    bits = -1200 / 1024 / np.log(2)
    ideas = {
        bits: "That is the density's; the cell of a whole number is 1/256 wide, 8 bits.",
        8 - bits: "Mind the sign: the -ELBO is -1200, so the density saves bits.",
        bits - 8: "Mind the sign of the 8: narrower cells have less probability, so more bits.",
        8 - 1200 / 1024: "One part is in nats, the other in bits: divide by ln 2 too.",
        np.log(256) - 1200 / 1024: "That is in nats per dimension; give bits.",
    }
    general = "Nats / (pixels * ln 2), and then the width of a cell, in bits."
    return number(answer, bits + 8, 3, general, ideas)


def _edges(k):
    return np.where(k == 0, -np.inf, k - 0.5), np.where(k == 255, np.inf, k + 0.5)


@exercise("22.2")
def discretised_gaussian(answer) -> str | None:
    every = np.arange(256)
    for mean, sd in _CASES:
        for k in (every, np.array([255, 7, 0])):
            low, high = _edges(k)
            wanted = norm.cdf(high, mean, sd) - norm.cdf(low, mean, sd)
            got = np.asarray(call(answer, k, mean, sd), dtype="float64")
            if got.shape != k.shape:
                return f"{len(k)} values need {len(k)} probabilities; yours has shape {got.shape}."
            if np.allclose(got, wanted, rtol=1e-4, atol=1e-7):
                continue
            where = f"At mean {mean:g} and standard deviation {sd:g}"
            off = (
                f"{where} something is off: each is a difference of norm.cdf at the edges of its "
                f"cell, and the 256 must sum to 1; yours sum to {got.sum():.4g}."
            )
            if k is not every:
                off = (
                    f"{where} it is right for 0, 1, ..., 255, but not for {k.tolist()}: ask which "
                    "k are 0 or 255, not which come first or last."
                )
            return _idea(got, wanted, k, mean, sd) or off
    return None


def _idea(got, wanted, k, mean: float, sd: float) -> str | None:
    closed = norm.cdf(k + 0.5, mean, sd) - norm.cdf(k - 0.5, mean, sd)
    shifted = norm.cdf(k + 1.0, mean, sd) - norm.cdf(1.0 * k, mean, sd)
    low, high = _edges(k)
    as_variance = norm.cdf(high, mean, sd**0.5) - norm.cdf(low, mean, sd**0.5)
    with np.errstate(divide="ignore"):
        logs = np.log(wanted)
    as_logistic = expit((high - mean) / sd) - expit((low - mean) / sd)
    ideas = {
        "Open the outer two cells: all that lies beyond 0 and 255 belongs to them.": closed,
        "That is a density at k; a probability is its integral over the cell.": norm.pdf(
            k, mean, sd
        ),
        "The cell runs from k - 1/2 to k + 1/2, not from k to k + 1.": shifted,
        "sd is the standard deviation; you took it for the variance.": as_variance,
        "These are logarithms; give the probabilities.": logs,
        "That is the logistic; here the distribution function is norm.cdf.": as_logistic,
        "Dividing by the sum spreads what lies outside; it belongs to 0 and 255.": (
            closed / closed.sum()
        ),
    }
    for hint, values in ideas.items():
        if np.allclose(got, values, rtol=1e-4, atol=1e-7):
            return hint
    return None


@exercise("22.3")
def without_the_normaliser(answer) -> str | None:
    hints = {
        "a": "Look again: a smaller variance makes its own term larger.",
        "b": None,
        "c": "It depends on the variance, so it is no constant. What else stops one from growing?",
    }
    return chosen(answer, hints)
