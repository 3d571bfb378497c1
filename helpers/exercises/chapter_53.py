"""Checks of the exercises of notebook 53, warm starts."""

from itertools import combinations

from helpers.exercises import call, exercise, number
import numpy as np


@exercise("53.1")
def regret_of_two_draws(answer) -> str | None:
    gains = np.array([0.52, 0.40, 0.13, 0.10, 0.0])
    best = gains.max()
    drawn = np.mean([max(pair) for pair in combinations(gains, 2)])
    again = np.mean(np.maximum(gains[:, None], gains))
    ideas = {
        drawn: "That is the expected gain; the regret is what is missing to the best one.",
        best - gains.mean(): "That is the regret after one draw; two are made.",
        best - again: "Without repeats: the second draw is never the first one again.",
        best - 2 * gains.mean(): "Gains of two draws do not add up: the better one is kept.",
        again: "That is an expected gain, and of draws with repeats.",
        best - 0.4 * best: "The best is drawn with probability 2/5; otherwise another one is kept.",
    }
    general = "Which is the best of the two? Go through all ten pairs, or use P(the i-th is best)."
    return number(answer, best - drawn, 3, general, ideas)


@exercise("53.2")
def worth_of_the_best(answer) -> str | None:
    found = 0.31
    share = 1 - (1 - 1 / 4) ** 4
    ideas = {
        found / (1 - np.exp(-1)): "That holds for every size; for four one can say more.",
        found * share: "Greedy has at least this share of the best: the best is the larger one.",
        found * (1 - np.exp(-1)): "Greedy has at least a share of the best: the best is larger.",
        share: "That is greedy's least share; the worth of the best is asked for.",
        found / (1 - (1 - 1 / 4)): "The power is missing: 1 - (1 - 1/k)^k.",
        found / (1 - 1 / 4) ** 4: "The share is 1 - (1 - 1/k)^k.",
        found / (1 - (1 - 1 / 2) ** 2): "That is the share for pairs; here k is 4.",
    }
    general = "Greedy has at least the share 1 - (1 - 1/k)^k of the best, with k = 4."
    return number(answer, found / share, 3, general, ideas)


def _fair(gain: np.ndarray, parents: np.ndarray, size: int, weigh: str = "fair") -> list[int]:
    """The greedy portfolio under weights of the tasks; wrong ones have names of their own."""
    counts = np.array([np.sum(parents == parent) for parent in parents])
    weights = {"fair": 1 / counts, "alike": np.ones(len(gain)), "turned": counts.astype(float)}[
        weigh
    ]
    chosen, best = [], np.zeros(len(gain))
    for _ in range(size):
        total = weights @ np.maximum(gain, best[:, None])
        total[chosen] = -np.inf
        chosen.append(int(total.argmax()))
        best = np.maximum(best, gain[:, chosen[-1]])
    return chosen


def _alone(gain: np.ndarray, parents: np.ndarray, size: int) -> list[int]:
    """The candidates that are best alone: nothing is said of what they add."""
    counts = np.array([np.sum(parents == parent) for parent in parents])
    return [int(c) for c in (-(1 / counts) @ gain).argsort(kind="stable")[:size]]


def _means_first(gain: np.ndarray, parents: np.ndarray, size: int) -> list[int]:
    """The tasks of a data set are averaged before the best of the portfolio is taken."""
    means = np.array([gain[parents == name].mean(axis=0) for name in sorted(set(parents))])
    return _fair(means, np.arange(len(means)), size)


def _tables():
    """Random gains of nine tasks of three data sets, six, two and one, and a size."""
    parents = np.array(["a"] * 6 + ["b"] * 2 + ["c"])
    for seed in range(12):
        rng = np.random.default_rng(seed)
        kind = rng.gamma(0.5, size=(3, 8))  # siblings are alike
        gain = kind[[0] * 6 + [1] * 2 + [2]] * rng.uniform(0.6, 1.4, size=(9, 8))
        places = rng.permutation(9) if seed % 3 == 2 else np.arange(9)  # siblings stand apart
        yield np.round(gain, 3)[places], parents[places], 2 + seed % 3


@exercise("53.3")
def fair_portfolio(answer) -> str | None:
    given, cases = [], list(_tables())
    for gain, parents, size in cases:
        table = gain.copy()
        one = np.asarray(call(answer, table, parents.copy(), size))
        if not np.array_equal(table, gain):
            return "Your function has changed the table of gains that it was given."
        if one.shape != (size,):
            return f"A list of {size} candidates is asked for; yours has shape {one.shape}."
        given.append([int(c) for c in one])
        if len(set(given[-1])) < size:
            return "A candidate stands in it twice: a second evaluation of it adds nothing."
    if given != [_fair(*case) for case in cases]:
        if given == [_fair(*case, "alike") for case in cases]:
            return "Every task has the same say there: the data set with most tasks rules."
        if given == [_fair(*case, "turned") for case in cases]:
            return "The weights are turned: a data set with more tasks must not count more."
        if given == [_alone(*case) for case in cases]:
            return "These are the best alone. What does each add to those before it?"
        if given == [_means_first(*case) for case in cases]:
            return "First the best of the portfolio on each task, then the mean over the tasks."
        return "Weight each task by 1 over the number of tasks of its data set; then as before."
    gain = np.array([[0.2, 0.5, 0.5, 0.1], [0.1, 0.3, 0.3, 0.1]])
    given = [int(c) for c in np.ravel(call(answer, gain, np.array(["a", "b"]), 4))]
    if given != [1, 0, 2, 3]:
        return "Where several add the same, take the first that is not in it yet."
    return None
