"""Checks of the exercises of notebook 46, Bayesian optimisation."""

import math

from helpers.exercises import call, exercise, number
import numpy as np
from scipy.stats import norm


@exercise("46.1")
def improvement_by_hand(answer) -> str | None:
    gain, std = -0.02, 0.02
    z = gain / std
    right = gain * norm.cdf(z) + std * norm.pdf(z)
    ideas = {
        -gain * norm.cdf(-z) + std * norm.pdf(z): "The sign: the gain is mean - best, below zero.",
        norm.cdf(z): "That is the probability of an improvement; its expected size is asked for.",
        std * norm.pdf(z): "One of the two terms is missing: gain times Phi(z).",
        gain * norm.cdf(z): "One of the two terms is missing: std times phi(z).",
        gain * norm.cdf(z) + norm.pdf(z): "The density is multiplied by the standard deviation.",
        right / std: "That is in units of the standard deviation; multiply by it.",
        gain * norm.cdf(gain) + std * norm.pdf(gain): "z is the gain divided by the std: -1.",
        gain: "The mean lies below the best, but the score may still come out above it.",
    }
    given = float(np.asarray(answer).item())
    if abs(given - right) < 2e-7:  # from the two table values
        return None
    if given == 0:
        return ideas[gain]
    general = "z = (mean - best) / std = -1, and EI = (mean - best) Phi(z) + std phi(z)."
    return number(answer, right, 3, general, ideas)


@exercise("46.2")
def std_of_a_new_score(answer) -> str | None:
    left = 1 - 0.7**2 / 1.3
    ideas = {
        left: "That is the variance; its square root is asked for.",
        math.sqrt(1 - 0.7**2): "The known score is noisy: K is 1.3, not 1.",
        math.sqrt(1.3 - 0.7**2 / 1.3): "That holds the noise of the new evaluation too.",
        math.sqrt(1.3 - 0.7**2): "K is 1.3 where it is inverted; the new score's variance is 1.",
        0.7 / 1.3: "That is what its mean is multiplied by.",
        1 - 0.7**2: "The known score is noisy: K is 1.3. And a root is to be taken.",
    }
    general = "The variance is signal - k K^-1 k, with K = signal + noise, a single number here."
    return number(answer, math.sqrt(left), 3, general, ideas)


@exercise("46.3")
def probability_of_improvement(answer) -> str | None:
    mean = np.array([0.9, 0.95, 0.93, 0.94])
    std = np.array([0.02, 0.02, 0.001, 0.01])
    best = 0.94
    got = np.asarray(call(answer, mean.copy(), std.copy(), best), dtype="float64")
    right = norm.cdf((mean - best) / std)
    if got.shape != (4,):
        return f"Four candidates need four numbers, shape (4,); yours has shape {got.shape}."
    if np.allclose(got, 1 - right):
        return "That is the probability of being worse: the sign of the gain is flipped."
    if np.allclose(got, norm.pdf((mean - best) / std)):
        return "That is the density; the probability is the distribution function, norm.cdf."
    if not np.allclose(got, right, atol=1e-9):
        return "The score is N(mean, std^2). What is the probability that it is above best?"
    with np.errstate(all="ignore"):
        certain = call(answer, np.array([0.95, 0.93, 0.94]), np.zeros(3), best)
    sure = np.asarray(certain, dtype="float64")
    if sure.shape != (3,) or not np.allclose(sure[:2], [1.0, 0.0]):
        return "With std = 0 the score is certain: 1 above the best, 0 below."
    if not math.isclose(float(sure[2]), 0.0, abs_tol=1e-12):
        return "A certain score that equals the best is no improvement: 0."
    return None
