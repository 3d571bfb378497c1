"""Checks of the exercises of notebook 27, log-likelihood and bits."""

import math

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np
from scipy.special import logsumexp


@exercise("27.1")
def bits_per_pixel(answer) -> str | None:
    right = 86.76 / math.log(2) / 784
    if is_close(answer, right, 0.0006):
        return None
    if is_close(answer, 86.76 / math.log(2), 0.1):
        return "Those are bits per image; an image has 784 pixels."
    if is_close(answer, 86.76 / 784, 0.0006):
        return "Those are nats per pixel; a nat is 1/ln 2 bits."
    if is_close(answer, 86.76 * math.log(2) / 784, 0.0006):
        return "Turn it over: a nat is more than a bit, so the number of bits is larger."
    return "From nats to bits divide by ln 2; then share them out among 28 x 28 pixels."


@exercise("27.2")
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
    if np.allclose(got, size / 50):
        return None
    if np.allclose(got, size):
        return "That is the effective sample size itself; the share divides it by their number."
    shares = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    if np.allclose(got, np.square(shares).sum(axis=1)) or np.allclose(got, 50 / size):
        return "Upside down: the square of the sum stands on top, the sum of the squares below."
    if np.allclose(got, size / 6):
        return "You divided by the number of images; divide by that of the samples of each, 50."
    return "With equal weights the share must be 1; with one weight that counts, 1/50."


@exercise("27.3")
def extrapolate(answer) -> str | None:
    if is_close(answer, -89.70, 0.005):
        return None
    if is_close(answer, 89.70, 0.005):
        return "Mind the sign: these are log-probabilities."
    if is_close(answer, -90.075, 0.01):
        return "That is their mean. But both are too low, so log p(x) does not lie between them."
    if is_close(answer, -89.95, 0.005):
        return "That bound is still too low, by half of what the other one is."
    if is_close(answer, -90.45, 0.01):
        return "You went the wrong way: log p(x) lies above both bounds."
    return "Write bound = log p(x) - c/K for both, and eliminate c."


@exercise("27.4")
def diagnosis_of_a_flat_estimate(answer) -> str | None:
    hints = {
        "a": "Then all weights are equal: the standard error is 0 with 2 samples already.",
        "b": None,
        "c": "Then the estimate would still rise with K, slowly and in jumps.",
    }
    return chosen(answer, hints)
