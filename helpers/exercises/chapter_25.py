"""Checks of the exercises of notebook 25, what beta buys."""

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np

_VARIANCES, _NOISE, _BETA = np.array([3.0, 1.2, 0.3]), 0.25, 2.0


@exercise("25.1")
def rate_at_a_water_level(answer) -> str | None:
    level = _BETA * _NOISE
    rates = 0.5 * np.log(_VARIANCES / level)
    target = rates[_VARIANCES > level].sum()
    if is_close(answer, target, 0.002):
        return None
    if is_close(answer, rates.sum(), 0.002):
        return "One direction lies under water: its rate is 0, and never negative."
    if is_close(answer, 0.5 * np.log(_VARIANCES / _NOISE).sum(), 0.002):
        return "That is beta = 1. The water stands at beta times s2."
    if is_close(answer, 2 * target, 0.002):
        return (
            "The 1/2 is missing: a variance is a square, and the rate counts standard deviations."
        )
    if is_close(answer, target / np.log(2), 0.002):
        return "That is in bits; give it in nats."
    if is_close(answer, np.minimum(_VARIANCES, level).sum(), 0.002):
        return "That is the squared error that is left; the question asks for the rate."
    return "Water level: beta * s2 = 0.5. Which of the three variances stand out of the water?"


@exercise("25.2")
def gap_from_a_table(answer) -> str | None:
    rng = np.random.default_rng(23)
    for latents, factors in ((3, 2), (6, 5), (2, 1)):
        entropy = rng.uniform(1, 2, factors)
        table = rng.uniform(0, 1, (latents, factors)) * entropy
        got = np.asarray(call(answer, table.copy(), entropy.copy()), dtype="float64")
        if got.shape != ():
            return f"Return one number, the mean over the factors; yours has shape {got.shape}."
        largest = table.max(axis=0)
        others = [np.delete(table[:, k], table[:, k].argmax()) for k in range(factors)]
        second = np.array([rest.max() for rest in others])
        if np.isclose(got, ((largest - second) / entropy).mean()):
            continue
        if np.isclose(got, (largest - second).mean()):
            return "Divide each gap by the entropy of its factor."
        if np.isclose(got, (largest / entropy).mean()):
            return "That is the best latent alone; subtract what the second-best knows."
        if np.isclose(got, ((largest - table.mean(axis=0)) / entropy).mean()):
            return "Subtract the second-largest value, not the mean."
        if np.isclose(got, ((largest - table.min(axis=0)) / entropy).mean()):
            return "Subtract the second-largest value, not the smallest."
        if np.isclose(got, ((largest - second) / entropy).sum()):
            return "Take the mean over the factors, not their sum."
        if np.isclose(got, (largest - second).sum() / entropy.sum()):
            return "Divide factor by factor, then take the mean of the shares."
        return (
            f"For {latents} latents and {factors} factor(s) it should be "
            f"{((largest - second) / entropy).mean():.4f}, got {got:.4f}. "
            "Latents are rows: sort along axis 0."
        )
    return None


@exercise("25.3")
def smallest_silencing_beta(answer) -> str | None:
    if is_close(answer, 20, 0.01):
        return None
    if is_close(answer, 4, 0.01):
        return "That is the water level at which it happens; the level is beta times s2 = 0.2 beta."
    if is_close(answer, 0.8, 0.01):
        return "Divide by s2 instead of multiplying: the level beta * s2 must reach the top."
    if is_close(answer, 1.25, 0.01):
        return (
            "That is where the smallest variance drowns; the code is silent when the largest does."
        )
    return "All is under water when beta * s2 reaches the largest variance, 4."


@exercise("25.4")
def cure_for_a_price(answer) -> str | None:
    hints = {
        "a": "Annealing ends at the full beta, and there the best code is still the silent one.",
        "b": "A floor makes it carry nats that, at this beta, cost more than they save.",
        "c": None,
    }
    return chosen(answer, hints)
