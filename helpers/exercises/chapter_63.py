"""Checks of the exercises of notebook 63, can we rank networks without training them all?"""

from functools import cache

from helpers.exercises import call, exercise, number
from helpers.table import ArchitectureTable
import numpy as np
from scipy.stats import spearmanr

LEAST, MOST = 0.50, 0.85  # Spearman's correlation: asked for, and hardly possible untrained


@exercise("63.1")
def what_zero_costs(answer) -> str | None:
    passes = 50_000 * 500 / 60_000  # epochs of the training set, forward and backward
    ideas = {
        passes: "That is in epochs; a training has 90 of them.",
        passes / 90 / 3: "SNIP needs the gradient: forward and backward, as a training does.",
        passes / 90 * 3: "A training goes forward and backward as well: the factor cancels.",
        500 / 60_000 / 90: "That is for one network; there are 50,000.",
        50_000 / 90: "Each network sees 500 images, not all 60,000.",
    }
    general = (
        "Images seen by all networks, over the images that one training sees: 90 times 60,000."
    )
    return number(answer, passes / 90, 3, general, ideas)


@exercise("63.2")
def a_proxy_of_ones_own(answer) -> str | None:
    params, losses, weights = _table()
    scores = np.array([call(answer, dict(one)) for one in params], dtype="float64")
    if scores.shape != weights.shape or not np.isfinite(scores).all():
        return (
            f"Return one finite number for each network; got shape {scores.shape[1:]} or no number."
        )
    if len(np.unique(scores)) == 1:
        return "It says the same of all networks."
    if not np.array_equal(scores[:20], [answer(dict(one)) for one in params[:20]]):
        return "Asked twice, it says two different things: give its random numbers a seed."
    rho = [spearmanr(-scores, loss).statistic for loss in losses.T]
    if max(rho) > MOST:  # another training of all has 0.91
        return f"rho {max(rho):.2f} is what trained networks give. Does it look into the table?"
    if min(rho) >= LEAST:
        return None
    if min(-np.array(rho)) >= LEAST:
        return "It ranks the wrong way round: large must be good. Turn its sign."
    if abs(spearmanr(scores, weights).statistic) > 0.999:
        return "That is the order of the number of weights (rho 0.43), which is to be beaten."
    return (
        f"rho is {rho[0]:.2f} and {rho[1]:.2f}; at least {LEAST:.2f} is asked of both. What did "
        "chapter 61 find of networks that collapse? Let that take something off the size."
    )


@exercise("63.3")
def the_most_that_is_possible(answer) -> str | None:
    ideas = {
        0.64: "That is what another training reaches; the truth has no noise of its own.",
        0.64**2: "Only one of the two has noise: take the root, not the square.",
        1.0: "The judge is a training, and has its noise.",
        6 / np.pi * np.arcsin(0.4): "That is Spearman's correlation; Pearson's is asked for.",
    }
    general = "With unit variance, a training is the root of 0.64 times the truth, plus noise."
    return number(answer, 0.8, 2, general, ideas)


@cache
def _table() -> tuple[list[dict], np.ndarray, np.ndarray]:
    table = ArchitectureTable.load()
    return table.params, table.val[:, :, -1].astype("float64"), table.weights
