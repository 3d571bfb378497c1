"""Compare search strategies on the two exhaustive tables of record_search_tables.py, over 50 seeds.

    python data/recipes/record_search_comparison.py

The objective is a candidate's mean accuracy over all 20 folds, so the optimum is known. Every
strategy gets 100 different candidates; asking for a known one again (only TPE does) costs nothing.
Written to data/results/search_comparison.json, strategy by strategy; a recording that was stopped
goes on where it was.
"""

import json
import math

from baselines import by_tpe, shuffled
from helpers import records
from helpers.search import Space
from helpers.search.strategies import evolution, greedy, in_order, priority, run
import numpy as np
from recording import Record

SEEDS, BUDGET = 50, 100
GENERATORS = {
    "grid": in_order,
    "random": shuffled,
    "greedy": greedy,
    "evolution": evolution,
    "priority": priority,
}
TPE = {"TPE": {}, "TPE, tuned": {"n_startup_trials": 5, "multivariate": True, "group": True}}


def read_table(name: str) -> tuple[Space, dict]:
    """The space of a table, and the mean accuracy of each of its points."""
    tables = records.load("search_tables")
    space, rows = Space(tables["spaces"][name]), [r for r in tables["runs"] if r["table"] == name]
    mean = {_text(row["params"]): float(np.mean(row["accuracy"])) for row in rows}
    return space, {point: mean[_text(space.params(point))] for point in space.points()}


def _text(params: dict) -> str:
    return json.dumps(params, sort_keys=True)


def goal(table: str) -> dict:
    """The best score of a table, and the one that the best 1 % reach."""
    scores = sorted(read_table(table)[1].values(), reverse=True)
    target = scores[math.ceil(0.01 * len(scores)) - 1]
    return {
        "best": scores[0],
        "target": target,
        "candidates": len(scores),
        "at_target": sum(score >= target for score in scores),
    }


def scores_of(strategy: str, space: Space, height: dict, seed: int) -> list[float]:
    """The scores of the different candidates a strategy asked for, in order."""
    if strategy in TPE:
        asked = by_tpe(space, height.get, seed, BUDGET, shared=False, **TPE[strategy])
        return [height[point] for point in asked]
    search = GENERATORS[strategy](space, np.random.RandomState(seed))
    return run(search, height.get, BUDGET)[1].tolist()


def summary(table: str, strategy: str) -> dict:
    """Evaluations to reach the target, one per seed (null: not within the budget), and regret."""
    (space, height), known = read_table(table), goal(table)
    runs = [scores_of(strategy, space, height, seed) for seed in range(SEEDS)]
    hits = [next((i for i, s in enumerate(run, 1) if s >= known["target"]), None) for run in runs]
    curves = [np.maximum.accumulate(run + [run[-1]] * (BUDGET - len(run))) for run in runs]
    regret = known["best"] - np.array(curves)
    return {
        "evaluations_to_best_1_percent": hits,
        "mean_regret": np.round(regret.mean(axis=0), 5).tolist(),
        "std_regret": np.round(regret.std(axis=0, ddof=1), 5).tolist(),
    }


if __name__ == "__main__":
    tables = ("forest", "svm")
    record = Record(
        "search_comparison",
        "seven strategies on the two tables of search_tables, a candidate's score being its mean "
        "accuracy over 20 folds: evaluations until one of the best 1 % is found, and regret after "
        "each evaluation",
        command="python data/recipes/record_search_comparison.py",
        packages=["scikit-learn", "optuna"],
        seeds=SEEDS,
        budget=BUDGET,
        tables={table: goal(table) for table in tables},
    )
    plan = [{"table": table, "strategy": name} for table in tables for name in (*GENERATORS, *TPE)]
    record.complete(plan, summary, jobs=2)
    for one in record.runs:
        hits = [BUDGET + 1 if h is None else h for h in one["evaluations_to_best_1_percent"]]
        print(f"{one['table']:7} {one['strategy']:11} median {np.median(hits)}")
