"""Search the architecture table for two goals at once, 40 runs each, at equal numbers of trainings.

    python data/recipes/record_two_goals.py

**Two goals.** -ELBO on the validation images, and the decimal logarithm of the number of weights or
of the CPU seconds of a training of 81 epochs; both are to be small. Run k is told those of seed
k % 2 of the table, so that the other seed can judge the front that it hands over.

**Equal.** Every search begins with the same five networks, drawn with the depth first, and trains
100 different ones. A network that is asked for again is answered without a training; a search of
Optuna ends after 300 questions.

- random: goes on drawing, the depth first. It is told nothing.
- one goal: evolution, told -ELBO alone.
- front: mutates a random member of the front so far (SEMO: Laumanns, Thiele and Zitzler 2004).
- scalarised: both goals, scaled to what was seen, become one by random weights and the augmented
  Chebyshev function; a Gaussian process and expected improvement choose (ParEGO: Knowles 2006).
- NSGA-II: Optuna's (Deb et al. 2002), with its population of 50, and with one of 10. All eight
  parameters are asked for every time, those of layers that do not exist in vain. `as they exist`
  asks for those alone: then Optuna mixes only what all networks have, and draws the others anew.
- TPE: what Optuna takes for several goals if it is told nothing.
- size known: a Gaussian process of -ELBO alone, and the expected gain in hypervolume, in closed
  form since the number of weights is known without a training; for that pair of goals only.

**What is kept**: the networks that were trained, as rows of the table, in order. Written to
data/results/two_goals.json, run by run; a recording that was stopped goes on where it was.
"""

from functools import partial
import warnings

from helpers.search import Space, strategies
from helpers.table import ArchitectureTable, param_space
import numpy as np
import optuna
from optuna.samplers import NSGAIISampler, TPESampler
from recording import Record
from threadpoolctl import threadpool_limits

RUNS, TRAININGS, START, ASKS, WITHOUT_CODE = 40, 100, 5, 300, 27.32
TABLE, SPACE = ArchitectureTable.load(), Space(param_space())
POINTS = sorted(SPACE.points(), key=lambda point: TABLE.row(SPACE.params(point)))
ROW = {point: row for row, point in enumerate(POINTS)}
CODES = SPACE.encode(POINTS)
COSTS = {"weights": np.column_stack([TABLE.weights] * 2), "seconds": TABLE.train_seconds}
CHOICES = {name: values for one in param_space() for name, values in one.items()}
CHOICES["depth"] = [one["depth"][0] for one in param_space()]


def goals_of(cost: str, seed: int) -> np.ndarray:
    """What a search is told of every network, both to be small: (networks, 2)."""
    return np.column_stack([np.log10(COSTS[cost][:, seed]), TABLE.val[:, seed, -1]]).astype(float)


def at_random(goals: np.ndarray, run: int, count: int) -> list[int]:
    """The depth first, and then the rest."""
    draws = strategies.subspace_first(SPACE, np.random.RandomState(run))
    return [ROW[point] for point in strategies.run(draws, lambda point: 0.0, count)[0]]


def one_goal(goals: np.ndarray, run: int, count: int) -> list[int]:
    """Regularised evolution, which is told the second goal alone."""
    initial = [POINTS[row] for row in at_random(goals, run, START)]
    search = strategies.evolution(SPACE, np.random.RandomState(run), initial=initial)
    points, _ = strategies.run(search, lambda point: -goals[ROW[point], 1], count)
    return [ROW[point] for point in points]


def pareto(cost: np.ndarray, loss: np.ndarray) -> list[int]:
    """Rows that no other row dominates, from the cheapest on."""
    front, best = [], np.inf
    for row in np.lexsort((loss, cost)):
        if loss[row] < best:
            front.append(int(row))
            best = loss[row]
    return front


def of_the_front(goals: np.ndarray, run: int, count: int) -> list[int]:
    """Mutants of a random member of the front so far."""
    rows, rng = at_random(goals, run, START), np.random.RandomState(run)
    while len(rows) < count:
        parents = pareto(*goals[rows].T)
        child = SPACE.mutate(POINTS[rows[parents[rng.randint(len(parents))]]], rng)
        while ROW[child] in rows:
            child = SPACE.mutate(child, rng)
        rows.append(ROW[child])
    return rows


def scalarised(goals: np.ndarray, run: int, count: int) -> list[int]:
    """ParEGO: at every step another weighting of the two goals, and expected improvement in it."""
    rows, rng = at_random(goals, run, START), np.random.RandomState(run)
    while len(rows) < count:
        seen, share = goals[rows], rng.uniform()
        scaled = (seen - seen.min(axis=0)) / np.ptp(seen, axis=0)
        weighted = scaled * [share, 1 - share]
        scores = strategies.warp(-(weighted.max(axis=1) + 0.05 * weighted.sum(axis=1)))
        surrogate = strategies.fit_surrogate(CODES[rows], scores)
        mean, std = surrogate.predict(CODES, return_std=True)
        gain = strategies.expected_improvement(mean, std, scores.max())
        gain[rows] = -np.inf
        rows.append(int(gain.argmax()))
    return rows


def size_known(goals: np.ndarray, run: int, count: int) -> list[int]:
    """The expected gain in hypervolume, strip by strip of sizes: in each it is an improvement."""
    rows, largest = at_random(goals, run, START), goals[:, 0].max()
    while len(rows) < count:
        size, loss = goals[rows, 0], np.minimum(goals[rows, 1], WITHOUT_CODE)
        surrogate = strategies.fit_surrogate(CODES[rows], -loss)
        mean, std = surrogate.predict(CODES, return_std=True)
        front = pareto(size, loss)
        ends = [*size[front], largest]
        edges = [(-np.inf, ends[0], WITHOUT_CODE), *zip(ends, ends[1:], loss[front], strict=False)]
        gain = np.zeros(len(goals))
        for left, right, edge in edges:
            width = np.maximum(right - np.maximum(left, goals[:, 0]), 0)
            gain += width * strategies.expected_improvement(mean, std, -edge)
        gain[rows] = -np.inf
        rows.append(int(gain.argmax()))
    return rows


def by_optuna(sampler, goals: np.ndarray, run: int, count: int, flat: bool = True) -> list[int]:
    """What a sampler asks for; if `flat`, all parameters every time."""
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler(seed=run))
    for row in at_random(goals, run, START):
        study.enqueue_trial(TABLE.params[row])
    rows = []
    for _ in range(ASKS):
        trial, params = study.ask(), {}
        for name, values in CHOICES.items():
            if flat or not name[-1].isdigit() or int(name[-1]) <= params["depth"]:
                params[name] = trial.suggest_categorical(name, values)
        row = TABLE.row(params)
        study.tell(trial, goals[row].tolist())
        if row not in rows:
            rows.append(row)
        if len(rows) == count:
            break
    return rows


SEARCHES = {
    "random": at_random,
    "one goal": one_goal,
    "front": of_the_front,
    "scalarised": scalarised,
    "NSGA-II": partial(by_optuna, NSGAIISampler),
    "NSGA-II of 10": partial(by_optuna, partial(NSGAIISampler, population_size=10)),
    "NSGA-II as they exist": partial(by_optuna, NSGAIISampler, flat=False),
    "TPE": partial(by_optuna, partial(TPESampler, n_startup_trials=START)),
    "size known": size_known,
}


def one_run(search: str, cost: str, run: int) -> dict:
    """What one search trained in one run."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    with threadpool_limits(1):
        return {"rows": SEARCHES[search](goals_of(cost, run % 2), run, TRAININGS)}


if __name__ == "__main__":
    record = Record(
        "two_goals",
        "rows of the table of architectures that each search for two goals trained, in order, told "
        "-ELBO and the logarithm of a cost, both of one seed",
        command="python data/recipes/record_two_goals.py",
        packages=["scikit-learn", "optuna"],
        table=TABLE.about["date"],
        trainings=TRAININGS,
        asks=ASKS,
    )
    plan = [
        {"search": search, "cost": cost, "run": run}
        for search in SEARCHES
        for cost in COSTS
        if cost == "weights" or search != "size known"
        for run in range(RUNS)
    ]
    record.complete(plan, one_run)
