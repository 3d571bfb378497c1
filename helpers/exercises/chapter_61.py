"""Checks of the exercises of notebook 61, which VAE should I build."""

from helpers.exercises import call, exercise, is_close, number
import numpy as np


@exercise("61.1")
def regret_by_hand(answer) -> str | None:
    if is_close(answer, 0.1, 1e-6):
        return None
    if is_close(answer, 0.7, 1e-6):
        return "23.6 is the luck of one seed. The optimum is the best of the *means*."
    if is_close(answer, 0.5, 1e-6):
        return "You took the best seed of each network. Average over the seeds first."
    if is_close(answer, 0.9, 1e-6) or is_close(answer, 0, 1e-6):
        return "That is the regret within one seed. Average over the seeds first."
    if is_close(answer, 0.6, 1e-6):
        return "The search keeps the best network that it has evaluated, not the last one."
    if is_close(answer, -0.1, 1e-6):
        return "The sign: losses are compared, so regret is ours minus the optimum, 0 or more."
    return "The mean of the two seeds for each network; then the best seen minus the best of all."


@exercise("61.2")
def hypervolume_by_hand(answer) -> str | None:
    parts = 1.5 * 2, 1.0 * 1, 0.5 * 0.2
    ideas = {
        1.5 * 2 + 1.0 * 3 + 0.8 * 2.5 + 0.5 * 3.2: "The rectangles overlap: count each area once.",
        1.5 * 2 + 1.0 * 3 + 0.5 * 3.2: "The rectangles overlap: count each area once.",
        sum(parts) + 0.3 * 0.5: "(4.2, 24.5) is dominated by (4.0, 24): it adds nothing.",
        1.5 * 3.2: "That box has its corner where no network is.",
        sum(parts[:2]): "The last network adds something, too: a strip below the others.",
    }
    general = "From the smallest network on: (5 - size) times its loss below the last one."
    return number(answer, sum(parts), 3, general, ideas)


@exercise("61.3")
def non_dominated(answer) -> str | None:
    def got(rows) -> np.ndarray:
        found = np.asarray(call(answer, np.array(rows, dtype="float64")))
        if found.shape != (len(rows),) or found.dtype != bool:
            found = f"{found.dtype} of shape {found.shape}"
            raise TypeError(f"a boolean array of shape ({len(rows)},) is asked for, not {found}")
        return found

    if not np.array_equal(got([[1, 5], [2, 4], [3, 4.5], [4, 3]]), [True, True, False, True]):
        return "(3, 4.5) is worse than (2, 4) in both goals; nothing beats the three others."
    if not np.array_equal(got([[1, 5], [1, 4], [2, 4]]), [False, True, False]):
        return "(1, 4) is no worse than (1, 5) and (2, 4) in either goal, and better in one."
    if not got([[1, 2], [1, 2]]).all():
        return "Of two equal rows none is better anywhere, so both stay."
    if not np.array_equal(got([[1, 5, 9], [2, 4, 9], [3, 6, 1], [3, 6, 2]]), [True] * 3 + [False]):
        return "With three goals (3, 6, 1) is best in the third, so nothing dominates it."
    if not got([[1, 1, 3], [1, 3, 1], [3, 1, 1], [2, 2, 2]]).all():
        return "(2, 2, 2) stays: (1, 1, 3) and the like are each worse in one goal of the three."
    return None


@exercise("61.4")
def chosen_by_chebyshev(answer) -> str | None:
    if float(np.asarray(answer).item()) == 0:
        return "That is the weighted sum, which never chooses it. The maximum does."
    edge = 0.55 / 1.55  # the weight from which the middle one beats (0, 1)
    augmented = 0.5775 / 1.6  # with the small sum
    return number(
        answer,
        1 - 2 * edge,
        3,
        "Of (0, 1) it is 1 - w, of (1, 0) it is w, of the middle one 0.55 max(w, 1 - w). Where is "
        "the last the smallest?",
        {
            edge: "That is the weight from which the middle one is the best. Until which one?",
            1 - edge: "That is the weight up to which the middle one is the best. From which one?",
            0.5 - edge: "That is the half below w = 0.5. Above it there is as much again.",
            2 * edge: "That is the probability of the two others together.",
            1 - 2 * augmented: "Without the small sum: the maximum alone.",
            1 / 3: "Not equally often: compare the three as functions of w.",
        },
    )
