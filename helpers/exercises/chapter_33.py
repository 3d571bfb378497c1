"""Checks of the exercises of notebook 33, better priors."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np
from scipy.spatial.distance import cdist


@exercise("33.1")
def nats_gained(answer) -> str | None:
    ideas = {
        -0.430783: "Mind the sign: a gain is positive.",
        1.049822: "That is -ln of the share that fails. What do the codes see of the prior?",
        0.35: "That is the share itself. By what factor is the prior too thin where codes are?",
        0.647447: "That is the entropy of failing or not; codes never lie where draws fail.",
        0.621488: "That is in bits: take the natural logarithm.",
        0.300105: "The prior is thinner by the factor 0.65, not thicker by 1.35.",
    }
    return number(answer, -np.log(0.65), 3, "At every code, how much is log q̄ above log p?", ideas)


def _covered(real, drawn, k: int, itself: bool = False) -> np.ndarray:
    """Which drawn rows lie in a ball; `itself` counts each real row as its own first neighbour."""
    radius = np.sort(cdist(real, real), axis=1)[:, k - itself]
    return (cdist(drawn, real) <= radius).any(axis=1)


@exercise("33.2")
def precision(answer) -> str | None:
    rng = np.random.default_rng(40)
    real = rng.normal(size=(60, 3)) + 9 * np.eye(3)[np.arange(60) % 3]
    some = real[np.arange(60) % 3 > 0] + 0.9 * rng.normal(size=(40, 3))
    drawn = np.concatenate([some, 3 * rng.normal(size=(55, 3))])
    got = call(answer, real, drawn, 3)
    if np.shape(got) != ():
        return f"One number is asked for, the share; yours has shape {np.shape(got)}."
    got = float(got)
    if np.isnan(got):
        return "Your share is NaN."
    right = _covered(real, drawn, 3).mean()
    ideas = {
        _covered(drawn, real, 3).mean(): "That is the recall: balls around the drawn ones.",
        _covered(real, drawn, 3, itself=True).mean(): (
            "Your radius is a neighbour too short: each row is its own nearest, at distance 0."
        ),
        _covered(real, drawn, 4).mean(): "Your radius is a neighbour too long.",
        100 * right: "That is in per cent; give the share, between 0 and 1.",
        right * len(drawn): "That is a count; give the share, between 0 and 1.",
        1 - right: "That is the share that lies in no ball.",
    }
    for value, hint in ideas.items():
        if np.isclose(got, value) and not np.isclose(value, right):
            return hint
    if not np.isclose(got, right):
        return "A drawn row counts if it lies in the ball, of its own radius, of any real row."
    cases = {
        "equal sets must give 1": (real, real, 3, 1.0),
        "far noise must give 0": (real, drawn + 1000, 3, 0.0),
        "0, 1, 3 and -1.5, 2.5, 9 with k = 1 must give 1/3": (
            np.array([[0.0], [1.0], [3.0]]), np.array([[-1.5], [2.5], [9.0]]), 1, 1 / 3,
        ),
    }  # fmt: skip
    for rule, (one, other, k, share) in cases.items():
        if not np.isclose(float(call(answer, one, other, k)), share):
            return f"Right on the first case, but {rule}."
    return None


@exercise("33.3")
def what_fell(answer) -> str | None:
    hints = {
        "a": "It is bounded, and a bound may fall alone. Which network says what a code tells?",
        "b": None,
        "c": "R is the KL of the encoder's answers to the prior, and another prior is in place.",
    }
    return chosen(answer, hints)
