"""How data/results/automl_comparison.json was made: our system beside FLAML at equal seconds.

    pip install -r data/recipes/requirements_flaml.txt
    OMP_NUM_THREADS=1 python data/recipes/record_automl_comparison.py

Five tables, the ten outer splits of record_pipelines.py. On each, our system first: SECONDS of
search over `pipeline_space`, the defaults first, then random draws of each family alike, then
ensemble selection over all that was evaluated; the ensemble's members are the models of the folds,
so nothing is fitted again. Then FLAML, with the seconds that ours took from the first to the last
line; then FLAML once more with its ensemble, a stack. Seconds are CPU seconds of one thread
(`time.process_time`): other work on the machine slows both clocks alike. FLAML asks `time.time`
for the time, and our search `time.perf_counter`; both are that clock while a system runs.

All predictions of our candidates stay in cache/automl/NAME_SPLIT.npz.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import tempfile
import time
import warnings

from flaml import AutoML
from helpers import data
from helpers.search import StrategySearchCV, pipeline, pipeline_space, strategies
from helpers.search.ensembles import KeepPredictions, ensemble_selection, nats, predictions_of
import numpy as np
from record_pipelines import keep, split
from recording import Record
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

COMMAND = "OMP_NUM_THREADS=1 python data/recipes/record_automl_comparison.py"
CACHE = data.DATA_DIR.parent / "cache" / "automl"
TABLES = ("election", "penguins", "weather", "health", "strikes")
SPLITS, SECONDS, FOLDS, ROUNDS, BAGS = 10, 10, 5, 50, 20
FLAML = {"task": "classification", "metric": "log_loss", "n_jobs": 1, "verbose": 0}


class RandomFamilySearchCV(StrategySearchCV):
    """Random search that draws the family first."""

    strategy = staticmethod(strategies.subspace_first)


@contextmanager
def cpu_clock() -> Iterator[None]:
    """For as long as it lasts, whoever asks for the time is told CPU seconds of this process."""
    clocks = time.time, time.perf_counter
    time.time = time.perf_counter = time.process_time
    try:
        yield
    finally:
        time.time, time.perf_counter = clocks


def milliseconds(models: list, rows) -> float:
    """CPU time of one prediction of these rows by each model."""
    start = time.process_time()
    for model in models:
        model.predict_proba(rows)
    return round(1e3 * (time.process_time() - start), 1)


def ours(name: str, number: int, seconds: float = SECONDS) -> dict:
    """Search and ensemble selection, and what else can be made of the same candidates."""
    table = data.load(name)
    train, test = split(table, number)
    X, y = table.X.iloc[train], table.y.to_numpy()[train]
    X_test, y_test = table.X.iloc[test], table.y.to_numpy()[test]
    start, space = time.process_time(), pipeline_space()
    first = [{"model": family["model"][0]} for family in space]
    with tempfile.TemporaryDirectory() as folder:
        kept = KeepPredictions(folder)
        search = RandomFamilySearchCV(
            pipeline(X, first[0]["model"]),
            space,
            initial=first,
            max_evals=None,
            max_seconds=seconds,
            scoring=kept,
            refit=False,
            cv=StratifiedKFold(FOLDS, shuffle=True, random_state=number),
            random_state=number,
        ).fit(X, y)
        predictions, models = kept.of(search, X, y)
    weights = ensemble_selection(predictions, rounds=ROUNDS, bags=BAGS, seed=number)
    spent = time.process_time() - start
    members, whole = np.flatnonzero(weights), np.isfinite(predictions).all(axis=1)
    on_test = np.full((len(models), len(test)), np.nan)
    for place in np.flatnonzero(whole):
        on_test[place] = np.mean([predictions_of(m, X_test, y_test) for m in models[place]], axis=0)
    best = int(np.nanargmin(nats(predictions)))
    start = time.process_time()
    winner = clone(search.estimator).set_params(**search.cv_results_["params"][best]).fit(X, y)
    refit_seconds = time.process_time() - start
    refitted = nats(predictions_of(winner, X_test, y_test))
    rows = table.X.iloc[np.resize(test, 1000)]
    keep(CACHE / f"{name}_{number}.npz", {"oof": predictions, "test": on_test})
    return {
        "seconds": round(spent, 2),
        "evaluated": len(models),
        "failed": int((~whole).sum()),
        "members": len(members),
        "loss": round(float(nats(weights[members] @ on_test[members])), 5),
        "best": round(float(nats(on_test[best])), 5),
        "best_refitted": round(float(refitted), 5),
        "families": [
            type(search.cv_results_["params"][place]["model"]).__name__
            for place in (best, *members)
        ],
        "ms_per_1000_rows": milliseconds(
            [model for place in members for model in models[place]], rows
        ),
        "ms_best": milliseconds(models[best], rows),
        "ms_best_refitted": milliseconds([winner], rows),
        "refit_seconds": round(refit_seconds, 2),
    }


def theirs(name: str, number: int, seconds: float, stacked: bool) -> dict:
    """FLAML as it comes: only the task, the metric, one thread and the time are set."""
    table = data.load(name)
    train, test = split(table, number)
    y = table.y.to_numpy()
    start, system = time.process_time(), AutoML()
    extra = {"ensemble": {"n_jobs": 1}} if stacked else {}
    system.fit(
        table.X.iloc[train], y[train], time_budget=seconds, seed=number + 1, **FLAML, **extra
    )
    spent = time.process_time() - start
    said = np.asarray(system.predict_proba(table.X.iloc[test]))
    place = {label: column for column, label in enumerate(system.classes_)}
    came = said[np.arange(len(test)), [place[label] for label in y[test]]]
    return {
        "seconds": round(spent, 2),
        "budget": seconds,
        "evaluated": int(system._track_iter),
        "loss": round(float(nats(came)), 5),
        "families": [str(system.best_estimator)],
        "model": type(system.model).__name__,
        "ms_per_1000_rows": milliseconds([system], table.X.iloc[np.resize(test, 1000)]),
    }


def run(name: str, number: int, system: str) -> dict:
    """One run; FLAML's needs ours of the same split to be in the record."""
    with warnings.catch_warnings(), cpu_clock():
        warnings.simplefilter("ignore")
        if system == "ours":
            return ours(name, number)
        same = {"name": name, "number": number, "system": "ours"}
        seconds = next(one["seconds"] for one in record.runs if same.items() <= one.items())
        return theirs(name, number, seconds, system == "FLAML, stacked")


if __name__ == "__main__":
    record = Record(
        "automl_comparison",
        "log loss on the test part, in nats per example, of our search with ensemble selection and "
        "of FLAML, on ten splits of five tables, with the same CPU seconds of one thread",
        command=COMMAND,
        packages=("scikit-learn", "pandas", "flaml", "lightgbm", "xgboost"),
        seconds=SECONDS,
        folds=FOLDS,
        rounds=ROUNDS,
        bags=BAGS,
        flaml=FLAML,
    )
    with cpu_clock():  # what is imported late is imported now
        ours("penguins", 99, seconds=1), theirs("penguins", 99, 2, True)
    (CACHE / "penguins_99.npz").unlink()
    plan = [
        {"name": name, "number": number, "system": system}
        for waves in (("ours", "FLAML"), ("FLAML, stacked",))
        for number in range(SPLITS)
        for name in TABLES
        for system in waves
    ]
    record.complete(plan, run)
