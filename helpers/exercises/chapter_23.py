"""Checks of the exercises of notebook 23, the latent space."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np


@exercise("23.1")
def least_mismatch(answer) -> str | None:
    if float(np.asarray(answer).item()) == 0:
        return "It could be 0 only if the codes told 25 nats. How much can they tell?"
    ideas = {
        np.log(500): "That is the most that the codes can tell; what remains of the 25?",
        25 - np.log2(500): "That ceiling is in bits; the KL is in nats.",
        25 - np.log10(500): "Take the natural logarithm: nats.",
        25 - np.log(4000): "The ceiling is ln N for the N images of the average; here N is 500.",
        25 + np.log(500): "The two parts add up to the mean KL: subtract.",
        25: "So much is left if the codes tell nothing; asked is the least that can be left.",
    }
    general = "Mean KL = information + mismatch, and the information is at most ln N."
    return number(answer, 25 - np.log(500), 3, general, ideas)


WIDTH, RADIUS = 0.3, 2.0


def ring_codes(n: int, seed: int) -> np.ndarray:
    """Rows from eight small Gaussians on a circle: a shape that one Gaussian cannot have."""
    rng = np.random.default_rng(seed)
    turn = rng.integers(8, size=n) * np.pi / 4
    centre = RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return centre + WIDTH * rng.standard_normal((n, 2))


def ring_log_density(z: np.ndarray) -> np.ndarray:
    """The density of those rows, exactly: shape (n,), in nats."""
    turn = np.arange(8) * np.pi / 4
    centres = RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    squared = ((z[:, None] - centres) ** 2).sum(axis=2) / WIDTH**2
    return np.log(np.exp(-0.5 * squared).mean(axis=1) / (2 * np.pi * WIDTH**2))


def _one_gaussian(known: np.ndarray, new: np.ndarray) -> float:
    away, covariance = new - known.mean(axis=0), np.cov(known.T)
    squared = (away @ np.linalg.inv(covariance) * away).sum(axis=1)
    return np.mean(-0.5 * squared - 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1])


@exercise("23.2")
def a_better_density(answer) -> str | None:
    known, new = ring_codes(2000, seed=0), ring_codes(1000, seed=1)
    true = ring_log_density(new).mean()
    got = np.asarray(call(answer, known.copy(), new.copy()), dtype="float64")
    if got.shape != (1000,):
        return f"1,000 new rows need 1,000 numbers, shape (1000,); yours have shape {got.shape}."
    if got.min() >= 0:
        return "These are densities, or minus their logarithms; asked are the natural logarithms."
    if not np.isfinite(got).all():
        return "Each row needs a finite number: where is your density zero, or not a number?"
    far = np.full((1000, 2), 7.0)  # one place, away from all that is known
    if np.mean(np.asarray(answer(known.copy(), far.copy()))) > -5:
        return "Rows far from all known ones get a high density: fit to `known`, never to `new`."
    axis = np.arange(-6, 6, 0.15)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mass = np.exp(np.asarray(answer(known.copy(), grid), dtype="float64")).sum() * 0.15**2
    if abs(mass - 1) > 0.05:
        return (
            f"A density integrates to 1 over the plane; the exponential of yours to {mass:.2f}. "
            "Is every constant there, and is the logarithm the natural one?"
        )
    short = true - got.mean()
    if short > 0.15:
        if abs(got.mean() - _one_gaussian(known, new)) < 0.02:
            return f"A single Gaussian is {short:.2f} nats short: what shape could the codes have?"
        return (
            f"You are {short:.2f} nats short of the true density. Take more parts, or, where you "
            "chose a width, another one: score known rows that you left out of the fit."
        )
    return None


@exercise("23.3")
def more_images(answer) -> str | None:
    hints = {
        "a": "ln 4,000 = 8.3 and ln 16,000 = 9.7. Whose property is that?",
        "b": "The draws from the prior are decoded by the same decoder: they cannot have changed.",
        "c": None,
    }
    return chosen(answer, hints)
