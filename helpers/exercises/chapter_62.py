"""Checks of the exercises of notebook 62, which search should I use."""

from collections.abc import Callable, Sequence
from functools import cache

from helpers import compare
from helpers.exercises import call, chosen, exercise
from helpers.search import Space, strategies
from helpers.table import ArchitectureTable, param_space
import numpy as np

RUNS, EVALUATIONS = 50, 60


@exercise("62.1")
def seconds_of_a_race(answer) -> str | None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        build, train = rng.uniform(1, 4, 9), rng.uniform(0.2, 1, 9)
        rungs = [train.sum() * 9, train[:3].sum() * 27, train[0] * 81]
        steps = [train.sum() * 9, train[:3].sum() * 18, train[0] * 54]
        again, anew, going_on = build[:3].sum() + build[0], sum(rungs) / 81, sum(steps) / 81
        got = np.asarray(call(answer, build.copy(), train.copy()), dtype="float64")
        if got.shape != ():
            return f"Return one number, in seconds; yours has shape {got.shape}."
        hints = {
            build.sum() + anew: "You train every rung anew. From 9 to 27 there are 18 new epochs.",
            build.sum() + again + anew: "That is the price anew, as in the chapter.",
            build.sum() + again + going_on: "A network is built once; then it is trained on.",
            going_on: "All nine networks have to be built as well.",
            build.sum() + sum(steps): "`train` is for 81 epochs: an epoch costs train / 81.",
            build.sum() + train.sum(): "Only the first of them is trained for all 81 epochs.",
        }
        if np.isclose(got, build.sum() + going_on):
            continue
        for wrong, hint in hints.items():
            if np.isclose(got, wrong):
                return hint
        return "Nine builds; 9 epochs for all, 18 more for three of them, 54 more for one."
    return None


@exercise("62.2")
def a_strategy_that_learns(answer) -> str | None:
    space, rows, losses = _table()
    proposals = call(answer, space, np.random.RandomState(0))  # dots, if it is still to write
    batch = next(iter(proposals), [])
    if not isinstance(batch, Sequence) or not all(point in rows for point in batch):
        return "Yield a list of points, even of a single one: [space.random(rng)]."
    first, again = (_search(answer, 0, losses[:, 0]) for _ in range(2))
    if len(first) < EVALUATIONS:
        return f"It stopped after {len(first)} networks; it must propose {EVALUATIONS}."
    if first != again:
        return "Two searches with equal random states differ: draw from rng, and from nothing else."
    if first == _search(answer, 0, -losses[:, 0]):
        return "It learns nothing: told the opposite, it proposes the same networks."
    mine, theirs = _told_regrets(answer), _told_regrets(strategies.subspace_first)
    gap = compare.paired(mine, theirs)
    if gap.mean + gap.half < 0:
        return None
    repeats = EVALUATIONS - len(set(first))
    if repeats:
        return f"{repeats} of {EVALUATIONS} evaluations were of a network that it knew already."
    return (
        f"On the losses that it is told, yours is {mine.mean():.3f} behind the best after "
        f"{EVALUATIONS}, the depth-first draw {theirs.mean():.3f}; difference {gap}. Its interval "
        "must lie below zero. Does yours move on from what is good, and less boldly with time?"
    )


@exercise("62.3")
def what_a_p_value_is_about(answer) -> str | None:
    hints = {
        "a": None,
        "b": "No network was trained anew: all runs read the same two trainings.",
        "c": "One data set and one space of networks were searched, 50 times.",
    }
    return chosen(answer, hints)


@cache
def _table() -> tuple[Space, dict, np.ndarray]:
    """The space, the row of each of its points, and the final losses of both seeds."""
    table, space = ArchitectureTable.load(), Space(param_space())
    rows = {point: table.row(space.params(point)) for point in space.points()}
    return space, rows, table.val[:, :, -1].astype("float64")


def _search(strategy: Callable, run: int, told: np.ndarray) -> list[int]:
    space, rows, _ = _table()
    search = strategy(space, np.random.RandomState(run))
    points, _ = strategies.run(search, lambda point: -told[rows[point]], EVALUATIONS)
    return [rows[point] for point in points]


def _told_regrets(strategy: Callable) -> np.ndarray:
    """How far the best that each run was told is from the best of its seed: (runs,)."""
    found = []
    for run in range(RUNS):
        told = _table()[2][:, run % 2]
        found.append(told[_search(strategy, run, told)].min() - told.min())
    return np.array(found)
