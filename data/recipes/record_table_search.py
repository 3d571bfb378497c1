"""Search the architecture table with every strategy, 50 runs each, at equal cost.

    python data/recipes/record_table_search.py

**One seed, two starts.** Run k trains with seed k % 2 of the table: a search sees -ELBO on the
validation images of that seed alone, so that the other seed can judge what it chose. An evaluation
costs 81 epochs, and all get 60 evaluations' worth. The strategies that learn begin with the first
five networks of random search with the same number, which draws uniformly or the depth first.
Halving runs races of nine networks: 9 epochs for all, 27 for the best three, 81 for the best. It
costs three evaluations, if every rung is trained anew; the first race begins with the first nine
networks of random search. `priority` searches the whole space; all other settings are defaults. No
search sees the test images.

**What is kept**, for every strategy and run: the networks that were trained to the end, as rows of
the table and in order; of halving also the nine that began each race.

Written to data/results/table_search.json, run by run; a recording that was stopped goes on where
it was.
"""

from collections.abc import Callable
from functools import partial

from baselines import by_optuna
from helpers.search import Space, strategies
from helpers.search.strategies import Point
from helpers.table import ArchitectureTable, param_space
import numpy as np
from optuna.samplers import TPESampler
from recording import Record
from threadpoolctl import threadpool_limits

RUNS, EVALUATIONS = 50, 60
START, RACE, RUNGS = 5, 9, {9: 9, 27: 3}  # epochs -> networks that are trained so far
TABLE, SPACE = ArchitectureTable.load(), Space(param_space())
ROW = {point: TABLE.row(SPACE.params(point)) for point in SPACE.points()}
STARTS = {"uniform": strategies.at_random, "depth first": strategies.subspace_first}
LEARNING = {
    "greedy": strategies.greedy,
    "evolution": strategies.evolution,
    "priority": partial(strategies.priority, pool_size=SPACE.size),
}
NAMES = ("random", *LEARNING, "TPE", "halving", "priority, halving")


def draws(start: str, seed: int, count: int) -> list[Point]:
    """The first networks of random search, which is told nothing."""
    return strategies.run(STARTS[start](SPACE, _rng(seed)), lambda point: 0.0, count)[0]


def by_points(name: str, start: str, seed: int, score: Callable[[Point], float]) -> dict:
    """A search that trains what it asks for to the end, one by one."""
    if name == "random":
        points = draws(start, seed, EVALUATIONS)
    elif name == "TPE":
        sampler = TPESampler(seed=seed, n_startup_trials=START)
        first, asks = draws(start, seed, START), 3 * EVALUATIONS
        points = by_optuna(SPACE, score, sampler, EVALUATIONS, asks, first)
    else:
        search = LEARNING[name](SPACE, _rng(seed), initial=draws(start, seed, START))
        points, _ = strategies.run(search, score, EVALUATIONS)
    return {"rows": [ROW[point] for point in points]}


def by_races(name: str, start: str, seed: int, told: np.ndarray) -> dict:
    """Race after race of nine networks, told (networks, levels): random ones, or a model's."""
    count = EVALUATIONS // 3
    if name == "halving":
        rows = [ROW[point] for point in draws(start, seed, count * RACE)]
        races = np.reshape(rows, (count, RACE)).tolist()
    else:
        initial = draws(start, seed, RACE)
        settings = {"batch_size": RACE, "n_initial": RACE, "initial": initial}
        search = LEARNING["priority"](SPACE, _rng(seed), **settings)
        early = told[:, TABLE.epochs.index(RACE)]
        points, _ = strategies.run(search, lambda point: -float(early[ROW[point]]), count * RACE)
        races = np.reshape([ROW[point] for point in points], (count, RACE)).tolist()
    return {"rows": [winner(race, told) for race in races], "races": races}


def winner(race: list[int], told: np.ndarray) -> int:
    """Who is trained to the end: a third goes on after 9 epochs, and after 27."""
    alive = np.array(race)
    for epochs, count in RUNGS.items():
        scores = told[alive, TABLE.epochs.index(epochs)]
        alive = alive[np.argsort(scores, kind="stable")[: count // 3]]
    return int(alive[0])


def _rng(seed: int) -> np.random.RandomState:
    return np.random.RandomState(seed)


def one_run(strategy: str, start: str, seed: int) -> dict:
    """What one strategy trained to the end in one run."""
    told = TABLE.val[:, seed % 2].astype("float64")
    with threadpool_limits(1):
        if "halving" in strategy:
            return by_races(strategy, start, seed, told)
        return by_points(strategy, start, seed, lambda point: -float(told[ROW[point], -1]))


if __name__ == "__main__":
    record = Record(
        "table_search",
        "rows of the table of architectures that each strategy trained to the end, in order, told "
        "one seed; `races`: the rows that began each race of halving",
        command="python data/recipes/record_table_search.py",
        packages=["scikit-learn", "optuna"],
        table=TABLE.about["date"],
        evaluations=EVALUATIONS,
    )
    plan = [
        {"strategy": strategy, "start": start, "seed": seed}
        for start in STARTS
        for strategy in NAMES
        for seed in range(RUNS)
    ]
    record.complete(plan, one_run)
