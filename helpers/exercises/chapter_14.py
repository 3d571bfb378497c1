"""Checks of chapter 14, "Can q be made richer?"."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np
from scipy.stats import multivariate_normal


@exercise("14.1")
def check_full_log_density(answer: object) -> str | None:
    rng = np.random.default_rng(14)
    for size in (1, 2, 5):
        factor = np.tril(rng.normal(size=(size, size)), -1) + np.diag(rng.uniform(0.3, 2, size))
        mean, z = rng.normal(size=size), rng.normal(size=(7, size))
        got = np.asarray(call(answer, z.copy(), mean.copy(), factor.copy()), dtype="float64")
        if got.shape != (7,):
            return f"Seven points need seven numbers, shape (7,); yours has shape {got.shape}."
        right = multivariate_normal(mean, factor @ factor.T).logpdf(z)
        if np.allclose(got, right, atol=1e-4):
            continue
        log_det = np.log(np.diag(factor)).sum()
        shift = 0.5 * size * np.log(2 * np.pi)
        noise = np.linalg.solve(factor.T, (z - mean).T).T
        turned = -0.5 * np.square(noise).sum(axis=1) - shift - log_det
        hints = {
            "The log-determinant of L is missing.": right + log_det,
            "The sign of the log-determinant is turned.": right + 2 * log_det,
            "You take the log-determinant of L L^T; noise becomes z by L alone.": right - log_det,
            "The constant d/2 ln 2 pi is missing.": right + shift,
            "Solve L noise = z - mean, not its transpose.": turned,
        }
        for hint, value in hints.items():
            if np.allclose(got, value, atol=1e-4):
                return hint
        return "Find the noise of each z by L noise = z - mean; then the line of the first section."
    return None


@exercise("14.2")
def check_why_inverse(answer: object) -> str | None:
    hints = {
        "a": "Both directions have it: the sum of the log scales, up to its sign.",
        "b": None,
        "c": "It does not: the noise and z give each other, so it covers the same densities.",
    }
    return chosen(answer, hints)


@exercise("14.3")
def check_one_step(answer: object) -> str | None:
    ideas = {
        0.953114: "That is mean field: the step's second output may depend on z1 as it likes.",
        0.806145: "That is a full covariance: the step's shift need not be linear in z1.",
        0.7117: "p(x | z1) has the variance 1 + 1/4: z2 is unknown too.",
        0.5509: "That is the other order, z2 first.",
        0.5561: "That q has the moments of p(z1 | x): it is best by the forward KL.",
        0.1811: "That is the forward KL, KL(p || q).",
    }
    general = "Given z1, the step can be exact. What is left is the KL of a Gaussian q(z1)."
    return number(answer, 0.279363, 3, general, ideas)
