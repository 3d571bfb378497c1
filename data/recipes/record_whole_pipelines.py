"""How data/results/whole_pipelines.json was made: what the table of pipelines alone does not say.

    OMP_NUM_THREADS=1 python data/recipes/record_whole_pipelines.py

`arms`: the first draws of each family once more, with the model's parameters drawn and the features
at their defaults, and the other way round, on the splits and folds of record_pipelines.py.
`search`: in which order strategies evaluate the candidates of the table, told the mean of the inner
folds. `surrogate`: how well models of the score rank the candidates that they have not seen.
"""

from helpers import data
from helpers.search import Space, pipeline_space, strategies
import numpy as np
from record_pipelines import CACHE, candidates, evaluate, split
from recording import Record
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestRegressor

COMMAND = "OMP_NUM_THREADS=1 python data/recipes/record_whole_pipelines.py"
DRAWS = 5  # of each family, in each arm
ARM_SPLITS, SPLITS = range(3), range(10)
EVALUATIONS = 36  # of a search; the defaults of all families come first
NEAR = 8  # neighbours of a candidate: the nearest by code
KNOWN = (12, 24, 48)
NAMES = [name for name in data.TABLES if name != "temperature"]


def families(task: str) -> list[list[int]]:
    """Places of each family's candidates in the list, its defaults first."""
    listed, space = candidates(task), Space(pipeline_space(task))
    place = [space.find(params)[0] for params in listed]
    return [[i for i, one in enumerate(place) if one == f] for f in range(len(space.subspaces))]


def arm(arm: str, name: str, number: int) -> dict:
    """Losses, (family, draw): features and parameters, one drawn and the other at its defaults."""
    table = data.load(name)
    listed, tried = candidates(table.task), []
    for places in families(table.task):
        for place in places[1 : DRAWS + 1]:
            drawn, default = listed[place], listed[places[0]]
            tried.append(
                {
                    key: (drawn if key.startswith("model") == (arm == "parameters") else default)[
                        key
                    ]
                    for key in drawn
                }
            )
    train, test = split(table, number)
    found = evaluate(table.X, table.y.to_numpy(), train, test, tried, table.task, seed=number)
    inner = found["inner"].mean(axis=1).reshape(-1, DRAWS)
    test_loss = found["test"].reshape(-1, DRAWS)
    return {
        "inner": inner.round(6).tolist(),
        "test": test_loss.round(6).tolist(),
        "cpu_seconds": round(float(found["seconds"].sum() + found["refit_seconds"].sum()), 1),
    }


class Listed(Space):
    """The candidates of a list, and no others; a step goes to one of the nearest by code."""

    def __init__(self, param_space, listed):
        super().__init__(param_space)
        self.listed = [self.find(params) for params in listed]
        self.size, self.codes = len(listed), self.encode(self.listed)
        self.place = {self.key(point): i for i, point in enumerate(self.listed)}
        apart = np.linalg.norm(self.codes[:, None] - self.codes, axis=-1)
        self.near = np.argsort(apart, axis=1, kind="stable")[:, 1 : NEAR + 1]

    def points(self):
        return iter(self.listed)

    def random(self, rng):
        return self.listed[rng.randint(self.size)]

    def neighbours(self, point):
        return [self.listed[i] for i in self.near[self.place[self.key(point)]]]

    def mutate(self, point, rng):
        near = self.neighbours(point)
        return near[rng.randint(len(near))]


def one_process(codes, family, known, values):
    """Mean and std of every candidate's score: one Gaussian process over all codes."""
    model = strategies.fit_surrogate(codes[known], values)
    return model.predict(codes, return_std=True)


def a_process_each(codes, family, known, values):
    """The same with a Gaussian process for each family, fitted to the scores of that family."""
    mean, std = np.full(len(codes), values.mean()), np.full(len(codes), values.std())
    for one in np.unique(family[known]):
        own = family[known] == one
        model = strategies.fit_surrogate(codes[known][own], values[own])
        mean[family == one], std[family == one] = model.predict(
            codes[family == one], return_std=True
        )
    return mean, std


def forest(codes, family, known, values):
    """The same with a random forest; its spread is that between trees."""
    model = RandomForestRegressor(30, min_samples_leaf=2, max_features=0.5, random_state=0)
    model.fit(codes[known], values)
    trees = np.array([tree.predict(codes) for tree in model.estimators_])
    return trees.mean(axis=0), trees.std(axis=0)


SURROGATES = {"one": one_process, "each": a_process_each, "forest": forest}


def model_based(surrogate):
    def strategy(space, rng, initial):
        """Expected improvement over the list."""
        family = np.array([point[0] for point in space.listed])
        known, scores = [], []
        while len(known) < space.size:
            if len(known) < len(initial):
                point = initial[len(known)]
            else:
                values = strategies.warp(scores)
                mean, std = surrogate(space.codes, family, known, values)
                gain = strategies.expected_improvement(mean, std, values.max())
                gain[known] = -1
                best = np.flatnonzero(gain == gain.max())
                point = space.listed[best[rng.randint(len(best))]]
            known.append(space.place[space.key(point)])
            scores.append((yield [point])[0])

    return strategy


STRATEGIES = {
    "random, blind": lambda space, rng, initial: strategies.at_random(space, rng),
    "random": lambda space, rng, initial: strategies.at_random(space, rng, initial=initial),
    "greedy": lambda space, rng, initial: strategies.greedy(space, rng, initial=initial),
    "evolution": lambda space, rng, initial: strategies.evolution(space, rng, initial=initial),
    "priority": lambda space, rng, initial: strategies.priority(space, rng, initial=initial),
    "priority, each": model_based(a_process_each),
    "priority, forest": model_based(forest),
}


def inner_losses(name: str, number: int) -> np.ndarray:
    found = data.read_arrays((CACHE / f"{name}_{number}.npz").read_bytes())
    return found["inner"].mean(axis=1)  # NaN where one fold has none


def search(strategy: str, name: str, number: int) -> dict:
    task = data.load(name).task
    space = Listed(pipeline_space(task), candidates(task))
    losses = inner_losses(name, number)
    score = {space.key(point): -loss for point, loss in zip(space.listed, losses, strict=True)}
    initial = space.listed[: len(space.subspaces)]
    rng = np.random.RandomState(number)
    chosen, _ = strategies.run(
        STRATEGIES[strategy](space, rng, initial), lambda p: score[space.key(p)], EVALUATIONS
    )
    return {"order": [space.place[space.key(point)] for point in chosen]}


def surrogate(surrogate: str, name: str, number: int, known: int) -> dict:
    """Rank correlation with the true inner loss, over all unseen candidates and within families."""
    task = data.load(name).task
    space = Listed(pipeline_space(task), candidates(task))
    family = np.array([point[0] for point in space.listed])
    losses = inner_losses(name, number)
    values = strategies.warp(np.where(np.isnan(losses), -np.inf, -losses))
    rng = np.random.RandomState(number)
    defaults = np.arange(len(space.subspaces))
    seen = np.r_[defaults, len(defaults) + rng.permutation(space.size - len(defaults))][:known]
    mean, _ = SURROGATES[surrogate](space.codes, family, seen, values[seen])
    new = np.setdiff1d(np.arange(space.size), seen)
    groups = [new[family[new] == one] for one in np.unique(family[new])]
    within = [
        spearmanr(mean[rows], values[rows])[0] if np.ptp(mean[rows]) > 1e-9 else 0.0
        for rows in groups
        if len(rows) > 3
    ]
    return {
        "all": round(float(spearmanr(mean[new], values[new])[0]), 4),
        "within": round(float(np.mean(within)), 4),
    }


def main() -> None:
    record = Record(
        "whole_pipelines",
        "pipelines of pipelines.json with the parameters or the features alone drawn; the order in "
        "which strategies evaluate the table's candidates (places in its list); rank correlation "
        "of three surrogates with unseen candidates, over all and within families",
        command=COMMAND,
        packages=("scikit-learn", "numpy", "pandas"),
        draws=DRAWS,
        evaluations=EVALUATIONS,
        near=NEAR,
    )
    plan = [
        {"arm": one, "name": name, "number": number}
        for number in ARM_SPLITS
        for name in NAMES
        for one in ("parameters", "features")
    ]
    record.complete(plan, arm)
    ready = [n for n in SPLITS if all((CACHE / f"{one}_{n}.npz").exists() for one in NAMES)]
    plan = [
        {"strategy": strategy, "name": name, "number": number}
        for number in ready
        for name in NAMES
        for strategy in STRATEGIES
    ]
    if plan:
        record.complete(plan, search)
    plan = [
        {"surrogate": model, "name": name, "number": number, "known": known}
        for number in ready
        for name in NAMES
        for known in KNOWN
        for model in SURROGATES
    ]
    if plan:
        record.complete(plan, surrogate)


if __name__ == "__main__":
    main()
