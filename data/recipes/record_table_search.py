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

import json
from unittest import mock
import warnings

from helpers import data, runtime
from helpers.search import Space, strategies
from helpers.table import ArchitectureTable, param_space
from joblib import Parallel, delayed
import numpy as np
import optuna
from record_search_comparison import in_grid_order
from recording import save
from threadpoolctl import threadpool_limits

TARGET = data.DATA_DIR / "results" / "table_search.json"
SEEDS, EVALUATIONS, LAST = 50, 100, 81
TABLE, SPACE = ArchitectureTable.load(), Space(param_space())
BUDGET = EVALUATIONS * LAST * len(TABLE.about["seeds"])  # epochs, of both seeds together
RUNGS = {1: 81, 3: 34, 9: 15, 27: 8, 81: 5}  # first rung -> candidates: the brackets of Hyperband


def row_of(point) -> int:
    return TABLE.row(SPACE.params(point))


def at_random(space: Space, rng: np.random.RandomState):
    """Uniform over the architectures, none twice; the draws that `evolution` begins with, too."""
    seen = set()
    while len(seen) < space.size:
        point = space.random(rng)
        if point not in seen:
            seen.add(point)
            yield [point]


def depth_first(space: Space, rng: np.random.RandomState):
    """Random as well, but uniform over the depths, and then within the depth."""
    seen = set()
    while len(seen) < space.size:
        index = int(rng.randint(len(space.subspaces)))
        point = index, tuple(one.random(rng) for one in space.subspaces[index].values())
        if point not in seen:
            seen.add(point)
            yield [point]


def from_random_start(space: Space, rng: np.random.RandomState, **settings):
    """Priority search whose first candidates are random, not far from each other."""
    with mock.patch.object(strategies, "farthest_first", lambda codes, count: list(range(count))):
        yield from strategies.priority(space, rng, **settings)


SINGLE = {
    "grid": in_grid_order,
    "random": at_random,
    "random, depth first": depth_first,
    "greedy": strategies.greedy,
    "evolution": strategies.evolution,
    "priority": strategies.priority,
    "priority, random start": from_random_start,
}
TPE = {"TPE": {}, "TPE, multivariate": {"multivariate": True, "group": True}}
HALVING = {f"halving from {r}": [r] for r in (1, 3, 9, 27)} | {"Hyperband": list(RUNGS)}
BOTH = {f"priority, halving from {r}": r for r in (9, 27)}  # a model proposes, halving disposes
ONE = {f"{name}, one seed": name for name in ("random", "greedy", "evolution")}


def by_tpe(seed: int, values: np.ndarray, **settings) -> list[int]:
    """Optuna's TPE on the conditional space; to ask for a known row again costs nothing."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of `group`
    sampler = optuna.samplers.TPESampler(seed=seed, **settings)
    study, asked = optuna.create_study(direction="minimize", sampler=sampler), {}
    for _ in range(3 * EVALUATIONS):
        trial = study.ask()
        index = trial.suggest_categorical("depth", [0, 1, 2])
        params = {}
        for name, parameter in SPACE.subspaces[index].items():
            if parameter.size == 1:
                position = 0
            elif parameter.order:
                position = parameter.order[trial.suggest_int(name, 0, parameter.size - 1)]
            else:
                position = trial.suggest_categorical(name, list(range(parameter.size)))
            params[name] = parameter.value(position)
        row = TABLE.row(params)
        study.tell(trial, asked.setdefault(row, values[row]))
        if len(asked) == EVALUATIONS:
            break
    return list(asked)


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


def one_run(name: str, seed: int) -> dict:
    """What one strategy trained to the end with one seed."""
    rng, values = np.random.RandomState(seed), TABLE.means()
    with threadpool_limits(1):
        if name in TPE:
            return {"rows": by_tpe(seed, values, **TPE[name])}
        if name in HALVING:
            return by_halving(rng, HALVING[name])
        if name in BOTH:
            return by_promise_and_halving(rng, BOTH[name])
        evaluations = EVALUATIONS
        if name in ONE:  # one training costs half as much, so there are twice as many
            values, evaluations, name = TABLE.val[:, seed % 2, -1], 2 * EVALUATIONS, ONE[name]
        search = SINGLE[name](SPACE, rng)
        points, _ = strategies.run(search, lambda p: -float(values[row_of(p)]), evaluations)
        return {"rows": [row_of(point) for point in points]}


def main() -> None:
    record = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    record |= {"command": "python data/recipes/record_table_search.py"}
    record |= runtime.circumstances("scikit-learn", "optuna")
    record |= {"table": TABLE.about["date"], "seeds": SEEDS, "evaluations": EVALUATIONS}
    runs = record.setdefault("strategies", {})
    for name in (*SINGLE, *TPE, *HALVING, *BOTH, *ONE):
        done = runs.setdefault(name, [])
        missing = range(len(done), SEEDS)
        fresh = Parallel(n_jobs=2, return_as="generator")(
            delayed(one_run)(name, seed) for seed in missing
        )
        for run in fresh:
            done.append(run)
            save(TARGET, record)
        print(name, len(done), flush=True)


if __name__ == "__main__":
    main()
