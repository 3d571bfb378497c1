"""Race every search strategy over the architecture table, 50 seeds each, at equal epochs.

    python data/recipes/record_table_search.py

**What a search sees.** An evaluation trains both seeds of an architecture for 81 epochs, which
costs 162 epochs, and shows their mean -ELBO on the validation images. Strategies that stop early
may look after 1, 3, 9 or 27 epochs. No search sees the test images. With the view "one seed" an
evaluation trains a single seed, run % 2, for 81 epochs. All get 16,200 epochs, the price of 100
evaluations; the two that join a model and halving get half of that, since their models see many
more scores and become slow.

**What is kept**, for every strategy and seed: the architectures that were trained to the end, as
rows of the table and in order; and the epochs spent when each of them was ready, where that is not
simply the same for each. `spent` counts a training that goes on from a lower rung from its start,
as scikit-learn's halving does; `spent_going_on` counts only the epochs that are new.

Written to data/results/table_search.json, run by run; a recording that was stopped goes on where
it was.
"""

from functools import partial

from baselines import by_tpe, depth_first
from helpers.search import Space, strategies
from helpers.table import ArchitectureTable, param_space
import numpy as np
from recording import Record
from threadpoolctl import threadpool_limits

SEEDS, EVALUATIONS, LAST = 50, 100, 81
TABLE, SPACE = ArchitectureTable.load(), Space(param_space())
BUDGET = EVALUATIONS * LAST * len(TABLE.about["seeds"])  # epochs, of both seeds together
RUNGS = {1: 81, 3: 34, 9: 15, 27: 8, 81: 5}  # first rung -> candidates: the brackets of Hyperband


def row_of(point) -> int:
    return TABLE.row(SPACE.params(point))


SINGLE = {
    "grid": strategies.in_order,
    "random": strategies.at_random,
    "random, depth first": depth_first,
    "greedy": strategies.greedy,
    "evolution": strategies.evolution,
    "priority": strategies.priority,
    "priority, random start": partial(strategies.priority, start="random"),
}
TPE = {"TPE": {}, "TPE, multivariate": {"multivariate": True, "group": True}}
HALVING = {f"halving from {r}": [r] for r in (1, 3, 9, 27)} | {"Hyperband": list(RUNGS)}
BOTH = {f"priority, halving from {r}": r for r in (9, 27)}  # a model proposes, halving disposes
ONE = {f"{name}, one seed": name for name in ("random", "greedy", "evolution")}


def race(rows: np.ndarray, r: int) -> tuple[list[int], int, int]:
    """Successive halving of some rows from r epochs: the winners, and the two prices."""
    alive, before, spent, going_on = np.asarray(rows), 0, 0, 0
    while True:
        spent, going_on = spent + len(alive) * r, going_on + len(alive) * (r - before)
        if r == LAST:
            return alive.tolist(), spent, going_on
        order = np.argsort(TABLE.means(r)[alive], kind="stable")
        alive, before, r = alive[order[: max(1, len(alive) // 3)]], r, 3 * r


def by_halving(rng: np.random.RandomState, starts: list[int]) -> dict:
    """Race after race from fresh random architectures, until the budget is used up."""
    found, spent, going_on = [], 0, 0
    while True:
        for r in starts:
            rows = rng.choice(len(TABLE), RUNGS[r], replace=False)
            winners, price, cheaper = race(rows, r)
            spent, going_on = spent + 2 * price, going_on + 2 * cheaper
            if going_on > BUDGET:
                return _columns(found)
            found += [(row, spent, going_on) for row in winners]


def by_promise_and_halving(rng: np.random.RandomState, r: int) -> dict:
    """Priority search on the scores after r epochs, 81/r at a time; each batch is a race."""
    found, spent, going_on, values = [], 0, 0, TABLE.means(r)
    search = strategies.priority(SPACE, rng, batch_size=LAST // r, n_initial=LAST // r)
    batch = next(search)
    while True:
        rows = [row_of(point) for point in batch]
        winners, price, cheaper = race(rows, r)
        spent, going_on = spent + 2 * price, going_on + 2 * cheaper
        if going_on > BUDGET / 2:  # its model is fitted to many more scores than the others'
            return _columns(found)
        found += [(row, spent, going_on) for row in winners]
        batch = search.send(-values[rows])


def _columns(found: list[tuple[int, int, int]]) -> dict:
    rows, spent, going_on = zip(*found, strict=True)
    return {"rows": rows, "spent": spent, "spent_going_on": going_on}


def by_points(strategy: str, seed: int) -> dict:
    """A search that sees nothing but the losses of what it asks for, one by one."""
    values, evaluations, rng = TABLE.means(), EVALUATIONS, np.random.RandomState(seed)
    if strategy in ONE:  # one training costs half as much, so there are twice as many
        values, evaluations = TABLE.val[:, seed % 2, -1], 2 * EVALUATIONS
        strategy = ONE[strategy]

    def score(point) -> float:
        return -float(values[row_of(point)])

    if strategy in TPE:
        points = by_tpe(SPACE, score, seed, evaluations, shared=True, **TPE[strategy])
    else:
        points, _ = strategies.run(SINGLE[strategy](SPACE, rng), score, evaluations)
    return {"rows": [row_of(point) for point in points]}


def one_run(strategy: str, seed: int) -> dict:
    """What one strategy trained to the end with one seed."""
    rng = np.random.RandomState(seed)
    with threadpool_limits(1):
        if strategy in HALVING:
            return by_halving(rng, HALVING[strategy])
        if strategy in BOTH:
            return by_promise_and_halving(rng, BOTH[strategy])
        return by_points(strategy, seed)


if __name__ == "__main__":
    record = Record(
        "table_search",
        "rows of the table of architectures that each strategy trained to the end, in order; where "
        "that is not the same for each, the epochs spent by then",
        command="python data/recipes/record_table_search.py",
        packages=["scikit-learn", "optuna"],
        table=TABLE.about["date"],
        evaluations=EVALUATIONS,
    )
    plan = [
        {"strategy": strategy, "seed": seed}
        for strategy in (*SINGLE, *TPE, *HALVING, *BOTH, *ONE)
        for seed in range(SEEDS)
    ]
    record.complete(plan, one_run, jobs=2)
