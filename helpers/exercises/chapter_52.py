"""Checks of the exercises of notebook 52, ensembles."""

import math

from helpers.exercises import call, exercise, number
from helpers.search.ensembles import nats
import numpy as np


@exercise("52.1")
def jensen_gap(answer) -> str | None:
    p = np.array([0.9, 0.5, 0.1])
    of_mean, mean_of = -math.log(p.mean()), -np.log(p).mean()
    right = mean_of - of_mean
    ideas = {
        of_mean: "That is the log loss of the average; how far is it below the mean of the losses?",
        mean_of: "That is the mean of the losses; how far is the loss of the average below it?",
        -right: "The loss of the average is the smaller one: take the difference the other way.",
        right / math.log(2): "That is in bits; nats are natural logarithms.",
        right / math.log(10): "Those are decimal logarithms; nats are natural ones.",
        3 * right: "That is the sum over the members; take the mean.",
    }
    general = "Mean of -log p over the three, minus -log of the mean of the three."
    return number(answer, right, 3, general, ideas)


@exercise("52.2")
def honest_loss(answer) -> str | None:
    rng = np.random.default_rng(3)
    predictions = rng.uniform(0.05, 0.95, (6, 40))
    fold = np.repeat([0, 1, 2, 3], [4, 8, 12, 16])[rng.permutation(40)]
    asked = []

    def choose(shown):
        asked.append(np.shape(shown))
        weights = np.exp(-5 * nats(np.asarray(shown)))
        return weights / weights.sum()

    def judged(chosen_on) -> np.ndarray:
        """Probability of each row's class by weights that were chosen on some of the rows."""
        return np.array(
            [choose(predictions[:, chosen_on(i)]) @ predictions[:, i] for i in range(40)]
        )

    others = judged(lambda i: fold != fold[i])
    right = float(nats(others))
    inside = float(nats(judged(lambda i: fold == fold[i])))
    everything = float(nats(choose(predictions) @ predictions))
    by_fold = float(np.mean([nats(others[fold == one]) for one in range(4)]))
    asked.clear()
    got = float(np.asarray(call(answer, predictions.copy(), choose, fold.copy())).item())
    if math.isclose(got, right, rel_tol=1e-6):
        return None
    if math.isclose(got, inside, rel_tol=1e-6):
        return "Those weights were chosen on the fold that judges them: choose on the other rows."
    if math.isclose(got, everything, rel_tol=1e-6):
        return "Those weights were chosen on all rows, those that judge them too."
    if math.isclose(got, by_fold, rel_tol=1e-6):
        return "The folds differ in size: take the mean over all rows, not over the folds."
    if math.isclose(got, -right, rel_tol=1e-6):
        return "A loss is -log of the probability: yours has the other sign."
    if any(len(shape) != 2 or shape[0] != 6 for shape in asked):
        return "`choose` takes predictions of shape (candidates, rows): predictions[:, fold != k]."
    return "For each fold k: weights = choose(predictions[:, fold != k]), then judge on fold == k."


@exercise("52.3")
def best_weights(answer) -> str | None:
    rng = np.random.default_rng(4)
    predictions = rng.beta(np.linspace(1.2, 3, 5)[:, None], 1, (5, 60))
    right = np.full(5, 0.2)
    for _ in range(500):
        share = right[:, None] * predictions
        right = (share / share.sum(axis=0)).mean(axis=1)
    got = np.asarray(call(answer, predictions.copy()), dtype="float64")
    if got.shape != (5,):
        return f"Five candidates need five weights, shape (5,); yours has shape {got.shape}."
    if not np.isfinite(got).all():
        return "Some weights are not finite."
    if got.min() < -1e-9:
        return "No weight may be negative."
    if not math.isclose(got.sum(), 1, abs_tol=1e-6):
        return f"The weights must sum to 1, yours to {got.sum():.4g}: take the mean over the rows."
    if np.allclose(got, 0.2):
        return "Those are the equal weights of the start: repeat the step."
    if got.max() > 1 - 1e-6:
        return "All weight lies on one candidate; a mixture is better."
    if nats(got @ predictions) > nats(right @ predictions) + 1e-5:
        return (
            "Other weights have a lower loss. Each step divides by the mixture w @ p, row by row."
        )
    return None
