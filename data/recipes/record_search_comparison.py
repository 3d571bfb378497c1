"""Race search strategies on the tables of record_search_tables.py, and live, from shared starts.

    pip install -r data/recipes/requirements_search_comparison.txt
    OMP_NUM_THREADS=1 python data/recipes/record_search_comparison.py

Only Optuna's GPSampler needs the first line; it brings PyTorch, so take an environment of its own.

Tables: a candidate's score is its mean accuracy over all 20 folds. Candidates with the same
accuracy in every fold are one machine: it is in the pool once, and asking for a copy costs nothing.
A run of one seed starts, whatever the strategy, with the same candidates: the defaults of
scikit-learn, or the nearest that the table holds, and four that the seed draws. It ends when the
best machine is found or the budget is spent. Other starts are runs of their own. A sampler of
Optuna that keeps asking for known machines ends at twice the budget. GPSampler models only what
every trial has: it is asked for all parameters every time.

Live: support vector machines on 300 digits, three folds, C and gamma from distributions, in a space
in which `poly` has both C and gamma, and in one without its gamma; the winner is judged on the
other 1,497 digits.

Written to data/results/search_comparison.json as it goes; a recording that was stopped goes on.
"""

from collections.abc import Callable, Iterator, Sequence
import math
import warnings

from baselines import by_optuna
from helpers import records
from helpers.search import Space
from helpers.search import strategies as st
from helpers.search.strategies import Point, Strategy
import numpy as np
import optuna
from recording import Record
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SEEDS, BUDGET, STARTS = 50, 100, 5
SLOW = 20  # seeds of what takes a second for every step
LIVE_SEEDS, LIVE_BUDGET = 24, 24
DEFAULTS = {
    "forest": {"n_estimators": 100, "max_depth": None, "min_samples_split": 2}
    | {"min_samples_leaf": 1},
    "svm": {"svc__kernel": "rbf", "svc__C": 1.0, "svc__gamma": 0.01},  # "scale" would be 0.016
}
TUNED = {"n_startup_trials": STARTS, "multivariate": True, "group": True}


class Merged(Space):
    """A space in which candidates with the same results are one: the first of them."""

    def __init__(self, param_space, runs: list[dict]) -> None:
        super().__init__(param_space)
        self.accuracy = {self.find(run["params"]): tuple(run["accuracy"]) for run in runs}
        firsts: dict[tuple, Point] = {}
        every = list(super().points())
        self.first = {p: firsts.setdefault(self.accuracy[p], p) for p in every}
        self.machines = list(firsts.values())
        self.size = len(self.machines)

    def points(self) -> Iterator[Point]:
        """One point of each machine."""
        return iter(self.machines)

    def random(self, rng: np.random.RandomState) -> Point:
        """Any machine, each as likely as any other."""
        return self.machines[rng.randint(self.size)]

    def key(self, point: Point) -> frozenset:
        """Equal for copies."""
        return super().key(self.first[point])


def read_table(name: str) -> tuple[Merged, dict[Point, float]]:
    """The machines of a table, and the mean accuracy of each of its points."""
    tables = records.load("search_tables")
    runs = [run for run in tables["runs"] if run["table"] == name]
    space = Merged(tables["spaces"][name], runs)
    return space, {point: float(np.mean(space.accuracy[point])) for point in space.first}


def start_of(space: Space, default: dict | None, seed: int) -> list[Point]:
    """What every strategy of a seed evaluates first."""
    rng, points = np.random.RandomState(1000 + seed), []
    points = [space.find(default)] if default else []
    while len(points) < STARTS:
        point = space.random(rng)
        if space.key(point) not in map(space.key, points):
            points.append(point)
    return points


def in_order(
    space: Space, rng: np.random.RandomState, initial: Sequence[Point] = ()
) -> Iterator[list[Point]]:
    """A grid, one candidate after the other, as nested loops give them; those of `initial` first.

    Which loop is the outer one, and at which end each begins, is drawn at random: a grid says
    nothing about it, and a search that is stopped early depends on it.
    """
    points = list(space.points())
    width = max(len(positions) for _, positions in points)
    nesting, signs = rng.permutation(width), rng.choice([-1, 1], size=width)
    subspaces = rng.permutation(len(space.subspaces))

    def order(point: Point) -> tuple:
        index, positions = point
        return subspaces[index], [signs[i] * positions[i] for i in nesting if i < len(positions)]

    different: dict[frozenset, Point] = {}
    for point in (*initial, *sorted(points, key=order)):
        different.setdefault(space.key(point), point)
    for point in different.values():
        yield [point]


def bayesian(
    space: Space,
    rng: np.random.RandomState,
    initial: list[Point],
    noise_free: bool = False,
    length_each: bool = False,
) -> Strategy:
    """`strategies.priority`, one at a time and over the whole pool, with two other settings.

    Args:
        noise_free: expected improvement of the mean score over the best predicted mean: neither
            the spread nor the incumbent holds the noise of one evaluation.
        length_each: a length for every column of the code, not one for all.
    """
    pool = [list(space.points())[i] for i in rng.permutation(space.size)]
    known: dict[Point, float] = {}
    for point in initial:
        known[point] = (yield [point])[0]
    while pool := [p for p in pool if space.key(p) not in set(map(space.key, known))]:
        codes, values = space.encode(list(known)), st.warp(list(known.values()))
        surrogate = _lengths(codes, values) if length_each else st.fit_surrogate(codes, values)
        mean, std = surrogate.predict(space.encode(pool), return_std=True)
        best = values.max()
        if noise_free:
            noise = surrogate.kernel_.k2.noise_level * np.var(values)
            std = np.sqrt(np.maximum(std**2 - noise, 0))
            best = surrogate.predict(codes).max()
        point = pool[int(st.expected_improvement(mean, std, best).argmax())]
        known[point] = (yield [point])[0]


def _lengths(codes: np.ndarray, values: np.ndarray) -> GaussianProcessRegressor:
    signal = ConstantKernel(1.0, (0.1, 10.0))
    signal *= Matern(np.ones(codes.shape[1]), (0.1, 10.0), nu=2.5)
    surrogate = GaussianProcessRegressor(signal + WhiteKernel(0.05, (1e-4, 1)), normalize_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length at its bound
        return surrogate.fit(codes, values)


GENERATORS: dict[str, Callable] = {
    "random": st.at_random,
    "grid": in_order,
    "greedy": st.greedy,
    "evolution": st.evolution,
    "priority": st.priority,
    "priority, noise-free": lambda *args, initial: bayesian(*args, initial, noise_free=True),
    "priority, a length each": lambda *args, initial: bayesian(*args, initial, length_each=True),
}
COLD: dict[str, Callable] = {  # each with a start of its own
    "random": st.at_random,
    "priority, far apart": st.priority,
    "priority, at random": lambda *args: st.priority(*args, start="random"),
}
SAMPLERS: dict[str, Callable] = {
    "TPE": optuna.samplers.TPESampler,
    "TPE, tuned": lambda seed: optuna.samplers.TPESampler(seed=seed, **TUNED),
    "GPSampler": lambda seed: optuna.samplers.GPSampler(seed=seed, n_startup_trials=STARTS),
}


def until(target: float, strategy: Strategy, score: Callable, budget: int = BUDGET) -> list[float]:
    """The scores of a run that ends at the target, or when the budget is spent."""
    scores: list[float] = []
    batch = st.next_batch(strategy, None)
    while batch and len(scores) < budget and max(scores, default=-math.inf) < target:
        scores += [score(point) for point in batch]
        batch = st.next_batch(strategy, np.array(scores[-len(batch) :]))
    return scores


def on_table(table: str, start: str, strategy: str) -> dict:
    """Per seed: the evaluations at which the best score so far rose, and that score."""
    (space, height), risen = read_table(table), []
    few = strategy == "GPSampler"
    for seed in range(SLOW if few else SEEDS):
        first, rng = start_of(space, DEFAULTS[table], seed), np.random.RandomState(seed)
        if start == "own":
            scores = until(max(height.values()), COLD[strategy](space, rng), height.get)
        elif strategy in SAMPLERS:
            sampler, flat = SAMPLERS[strategy](seed=seed), strategy == "GPSampler"
            best, asks = max(height.values()), 2 * BUDGET
            points = by_optuna(space, height.get, sampler, BUDGET, asks, first, best, flat)
            scores = [height[point] for point in points]
        else:
            search = GENERATORS[strategy](space, rng, initial=first)
            scores = until(max(height.values()), search, height.get)
        steps = [i for i, s in enumerate(scores) if s > max(scores[:i], default=-math.inf)]
        risen.append([[i + 1, round(scores[i], 7)] for i in steps])
    return {"risen": risen}


def live_spaces() -> dict[str, list[dict]]:
    """Two: in the first, C and gamma of `poly` are one parameter; the other has no such gamma."""
    C, gamma = loguniform(1e-2, 1e3), loguniform(1e-5, 1)
    rbf = {"svc__kernel": ["rbf"], "svc__C": C, "svc__gamma": gamma}
    poly = {"svc__kernel": ["poly"], "svc__C": C, "svc__gamma": gamma, "svc__degree": [2, 3, 4, 5]}
    sigmoid = {"svc__kernel": ["sigmoid"], "svc__C": C, "svc__gamma": gamma}
    fewer = {name: values for name, values in poly.items() if name != "svc__gamma"}
    return {"full": [rbf, poly, sigmoid], "reduced": [rbf, fewer, sigmoid]}


def live(live: str, start: str, strategy: str) -> dict:
    """Per seed: the best cross-validated accuracy, and that of its machine on the other digits."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    here, other = order[:300], order[300:]
    machine = make_pipeline(StandardScaler(), SVC(random_state=0))
    folds = StratifiedKFold(n_splits=3, shuffle=True, random_state=0)
    scale = float(1 / StandardScaler().fit_transform(X[here]).var() / X.shape[1])
    default = {"svc__kernel": "rbf", "svc__C": 1.0, "svc__gamma": scale}
    space, ends, tests = Space(live_spaces()[live]), [], []

    def score(point: Point) -> float:
        machine.set_params(svc__gamma="scale").set_params(**space.params(point))
        return float(cross_val_score(machine, X[here], y[here], cv=folds).mean())

    for seed in range(LIVE_SEEDS):
        first = start_of(space, default if start == "default" else None, seed)
        search = GENERATORS[strategy](space, np.random.RandomState(seed), initial=first)
        points, scores = st.run(search, score, LIVE_BUDGET)
        winner = space.params(points[int(scores.argmax())])
        machine.set_params(svc__gamma="scale").set_params(**winner).fit(X[here], y[here])
        ends.append(round(float(scores.max()), 6))
        tests.append(round(float(machine.score(X[other], y[other])), 6))
    return {"best": ends, "test": tests}


def check_variant() -> None:
    """Without its other settings, `bayesian` is `strategies.priority`."""
    space, height = read_table("svm")
    first, runs = start_of(space, DEFAULTS["svm"], 0), []
    for one in (bayesian, st.priority):
        search = one(space, np.random.RandomState(0), initial=first)
        runs.append(until(2.0, search, height.get, budget=30))
    if runs[0] != runs[1]:
        raise AssertionError("bayesian must choose as strategies.priority does")


if __name__ == "__main__":
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of the samplers
    check_variant()
    tables = {}
    for name in ("forest", "svm"):
        space, height = read_table(name)
        ranked = sorted((round(height[point], 7) for point in space.machines), reverse=True)
        tables[name] = {
            "candidates": len(height),
            "machines": space.size,
            "best": ranked[:3],
            "default": round(height[space.find(DEFAULTS[name])], 7),
        }
    record = Record(
        "search_comparison",
        "search strategies on the two tables of search_tables, copies merged, from shared starts "
        "or each from its own: the evaluations at which the best mean accuracy so far rose; and "
        "live, on 300 digits: best accuracy in three folds, and its machine's on the other 1,497",
        command="python data/recipes/record_search_comparison.py",
        packages=["scikit-learn", "optuna", "torch"],
        seeds={"table": SEEDS, "GPSampler": SLOW, "live": LIVE_SEEDS},
        budgets={"table": BUDGET, "live": LIVE_BUDGET},
        starts=STARTS,
        defaults=DEFAULTS,
        tables=tables,
    )
    quick = [name for name in (*GENERATORS, *SAMPLERS) if name != "GPSampler"]
    plan = [{"table": t, "start": "own", "strategy": name} for name in COLD for t in tables]
    plan += [{"table": t, "start": "shared", "strategy": name} for name in quick for t in tables]
    lives = [
        {"live": space, "start": start, "strategy": name}
        for space in live_spaces()
        for start in ("default", "random")
        for name in ("random", "priority")
    ]
    plan += [{"table": t, "start": "shared", "strategy": "GPSampler"} for t in tables]
    record.complete(plan, on_table)
    record.complete(lives, live)
    for one in record.runs:
        if "table" in one:
            second = tables[one["table"]]["best"][1]
            hits = [next((i for i, s in r if s >= second), BUDGET + 1) for r in one["risen"]]
            print(f"{one['table']:7} {one['start']:7} {one['strategy']:24} {np.median(hits):5.1f}")
        else:
            print(one["live"], one["start"], one["strategy"], np.mean(one["best"]).round(4))
