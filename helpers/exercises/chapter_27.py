"""Checks of the exercises of notebook 27, the importance-weighted bound."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np
from scipy.special import logsumexp


@exercise("27.1")
def effective_share(answer) -> str | None:
    rng = np.random.default_rng(0)
    log_weights = -800 + 3 * rng.normal(size=(6, 50))
    log_weights[0] = -800.0
    with np.errstate(all="ignore"):
        got = np.asarray(call(answer, log_weights), dtype="float64")
    size = np.exp(2 * logsumexp(log_weights, axis=1) - logsumexp(2 * log_weights, axis=1))
    if got.shape != (6,):
        return f"Six images need six numbers, shape (6,); yours has shape {got.shape}."
    if not np.isfinite(got).all():
        return "NaN: e^-800 is 0 in the computer. Subtract each row's largest log weight first."
    if np.allclose(got, size / 50, rtol=1e-3):  # float32 will do
        return None
    if np.allclose(got, size):
        return "That is the effective sample size itself; the share divides it by their number."
    shares = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    if np.allclose(got, np.square(shares).sum(axis=1)) or np.allclose(got, 50 / size):
        return "Upside down: the square of the sum stands on top, the sum of the squares below."
    if np.allclose(got, size / 6):
        return "You divided by the number of images; divide by that of the samples of each, 50."
    return (
        "With equal weights the share must be 1, with one that counts 1/50; in between, "
        "the square of the sum over the sum of the squares, over 50."
    )


@exercise("27.2")
def extrapolate(answer) -> str | None:
    ideas = {
        89.70: "Mind the sign: these are log-probabilities.",
        -90.075: "That is their mean. But both are too low, so log p(x) is not between them.",
        -90.06721: "That is the log of their mean. But both are too low: log p(x) lies above both.",
        -89.95: "That bound is still too low, by half of what the other one is.",
        -90.45: "You went the wrong way: log p(x) lies above both bounds.",
    }
    return number(answer, -89.70, 4, "Write bound = log p(x) - c/K for both, eliminate c.", ideas)


@exercise("27.3")
def reason_for_a_flat_estimate(answer) -> str | None:
    hints = {
        "a": "Then all weights are equal: nothing scatters, with 1 sample already.",
        "b": None,
        "c": "Then the estimate would still rise with K, slowly and in jumps.",
    }
    return chosen(answer, hints)
