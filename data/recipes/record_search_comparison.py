"""Compare search strategies on the two exhaustive tables of record_search_tables.py, over 50 seeds.

    python data/recipes/record_search_comparison.py

The objective is a candidate's mean accuracy over all 20 folds, so the optimum is known. Every
strategy gets 100 different candidates; asking for a known one again (only TPE does) costs nothing.
Written to data/results/search_comparison.json, strategy by strategy; a run that was stopped goes on
where it was.
"""

import json
import math

from helpers import data, runtime
from helpers.search import Space
from helpers.search.strategies import evolution, greedy, priority, run
from joblib import Parallel, delayed
import numpy as np
import optuna
from recording import save

SOURCE = data.DATA_DIR / "results" / "search_tables.json"
TARGET = data.DATA_DIR / "results" / "search_comparison.json"
SEEDS, BUDGET = 50, 100


def read_table(name: str) -> tuple[Space, dict]:
    """The space of a table, and the mean accuracy of each of its points."""
    table = json.loads(SOURCE.read_text())[name]
    space = Space(table["space"])
    mean = {_text(row["params"]): float(np.mean(row["accuracy"])) for row in table["rows"]}
    return space, {point: mean[_text(space.params(point))] for point in space.points()}


def _text(params: dict) -> str:
    return json.dumps(params, sort_keys=True)


def in_grid_order(space: Space, rng: np.random.RandomState):
    """One candidate after the other, as nested loops give them.

    Which loop is the outer one, and at which end each begins, is drawn at random: a grid says
    nothing about it. (As the article's grid is written, its defaults come first and are good.)
    """
    points = list(space.points())
    width = max(len(positions) for _, positions in points)
    nesting, signs = rng.permutation(width), rng.choice([-1, 1], size=width)
    subspaces = rng.permutation(len(space.subspaces))

    def order(point):
        index, positions = point
        loops = [place for place in nesting if place < len(positions)]
        return subspaces[index], [signs[place] * positions[place] for place in loops]

    yield from ([point] for point in sorted(points, key=order))


def at_random(space: Space, rng: np.random.RandomState):
    """Random search without replacement."""
    points = list(space.points())
    yield from ([points[i]] for i in rng.permutation(len(points)))


def by_tpe(space: Space, height: dict, seed: int, **settings) -> list[float]:
    """Optuna's TPE; numbers in order are asked for by rank, categories as such."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, **settings)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    asked: dict = {}
    for _ in range(3 * BUDGET):
        trial = study.ask()
        index = trial.suggest_categorical("subspace", list(range(len(space.subspaces))))
        positions = []
        for name, parameter in space.subspaces[index].items():
            if len(parameter.order) == parameter.size > 1:
                rank = trial.suggest_int(f"{index} {name}", 0, parameter.size - 1)
                positions.append(parameter.order[rank])
            else:
                choices = list(range(parameter.size))
                positions.append(trial.suggest_categorical(f"{index} {name}", choices))
        point = (index, tuple(positions))
        asked.setdefault(point, height[point])
        study.tell(trial, height[point])
        if len(asked) == min(BUDGET, len(height)):
            break
    return list(asked.values())


def scores_of(strategy: str, table: str, seed: int) -> list[float]:
    """The scores of the different candidates a strategy asked for, in order."""
    space, height = read_table(table)
    rng = np.random.RandomState(seed)
    if strategy == "TPE":
        return by_tpe(space, height, seed)
    if strategy == "TPE, tuned":
        return by_tpe(space, height, seed, n_startup_trials=5, multivariate=True, group=True)
    generators = {"grid": in_grid_order, "random": at_random}
    generators |= {"greedy": greedy, "evolution": evolution, "priority": priority}
    return run(generators[strategy](space, rng), height.get, BUDGET)[1].tolist()


def summary(runs: list[list[float]], best: float, target: float) -> dict:
    """Evaluations to reach the target, one per seed (null: not within the budget), and regret."""
    hits = [next((i for i, s in enumerate(run, 1) if s >= target), None) for run in runs]
    curves = [np.maximum.accumulate(run + [run[-1]] * (BUDGET - len(run))) for run in runs]
    regret = best - np.array(curves)
    return {
        "evaluations_to_best_1_percent": hits,
        "mean_regret": np.round(regret.mean(axis=0), 5).tolist(),
        "std_regret": np.round(regret.std(axis=0, ddof=1), 5).tolist(),
    }


def main() -> None:
    record = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    record |= {"command": "python data/recipes/record_search_comparison.py"}
    record |= runtime.circumstances("scikit-learn", "optuna")
    record |= {"seeds": SEEDS, "budget": BUDGET}
    for table in ("forest", "svm"):
        values = sorted(read_table(table)[1].values(), reverse=True)
        target = values[math.ceil(0.01 * len(values)) - 1]
        kept = record.setdefault(table, {"strategies": {}})
        kept |= {"best": values[0], "target": target, "candidates": len(values)}
        kept["at_target"] = sum(value >= target for value in values)
        for name in ("grid", "random", "greedy", "evolution", "priority", "TPE", "TPE, tuned"):
            if name not in kept["strategies"]:
                runs = Parallel(n_jobs=2)(
                    delayed(scores_of)(name, table, seed) for seed in range(SEEDS)
                )
                kept["strategies"][name] = summary(runs, values[0], target)
                save(TARGET, record)
            hits = kept["strategies"][name]["evaluations_to_best_1_percent"]
            median = np.median([BUDGET + 1 if hit is None else hit for hit in hits])
            print(f"{table:7} {name:11} median {median}", flush=True)


if __name__ == "__main__":
    main()
