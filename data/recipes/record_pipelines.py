"""How data/pipelines.npz and data/results/pipelines.json were made: 102 pipelines on six tables.

    OMP_NUM_THREADS=1 python data/recipes/record_pipelines.py

Six tables, ten outer splits of each, and one list of candidates for all: of every family of
`pipeline_space` the defaults and 16 random draws. On a split, each candidate has its 5-fold scores
on the training part, then it is fitted to the whole of it and scored on the test part. Scores are
losses: nats per example, or for a regression the mean squared error. A candidate that fails, or
runs out of time, has NaN and says why in `failure`.

Predictions, out of fold and on the test part, stay in cache/pipelines/NAME_SPLIT.npz.
"""

from collections.abc import Callable, Sequence
import json
import os
from pathlib import Path
import signal
import time
import warnings

from helpers import data
from helpers.search import Space, pipeline, pipeline_space
import numpy as np
import pandas as pd
from recording import Record
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

COMMAND = "OMP_NUM_THREADS=1 python data/recipes/record_pipelines.py"
CACHE = data.DATA_DIR.parent / "cache" / "pipelines"
SPLITS, FOLDS, PER_FAMILY = range(10), 5, 17
TRAIN, TEST = 400, 1000  # rows, at most
LIMIT = 10  # CPU seconds for the six fits of a candidate
EARLY = "time limit"
SCORES = ("inner", "test", "seconds", "refit_seconds", "predict_seconds", "failure")


def candidates(task: str) -> list[dict]:
    """PER_FAMILY of each family, drawn with one seed; the defaults of all families stand first."""
    space, drawn = pipeline_space(task), []
    rng = np.random.RandomState(0)
    example = pd.DataFrame({"number": [0.0], "text": ["a"]})
    for family in space:
        start = pipeline(example, family["model"][0]).get_params()
        one, default = Space(family), {name: start[name] for name in family}
        found = {one.key(one.find(default)): default}
        while len(found) < PER_FAMILY:
            point = one.random(rng)
            found[one.key(point)] = one.params(point)
        drawn.append(list(found.values()))
    defaults = [family[0] for family in drawn]
    return defaults + [params for family in drawn for params in family[1:]]


def describe(params: dict) -> dict:
    """A candidate as JSON has it: an estimator is what Python prints of it, on one line."""
    return {
        name: " ".join(repr(value).split()) if hasattr(value, "get_params") else value
        for name, value in params.items()
    }


def out_of_time(*_) -> None:
    raise TimeoutError(EARLY)


def evaluate(
    X: pd.DataFrame,
    y: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    tried: Sequence[dict],
    task: str = "classification",
    seed: int = 0,
    limit: float = LIMIT,
) -> dict[str, np.ndarray]:
    """Every candidate's scores and predictions on one split.

    Args:
        X, y: the table.
        train, test: positions of rows. Folds are made of the training part, with `seed`.
        tried: candidates, of `pipeline_space`.
        limit: CPU seconds for a candidate.

    Returns:
        `inner` (candidates, FOLDS) and `test` losses; CPU `seconds` of the folds, `refit_seconds`,
        `predict_seconds` for the test part (candidates with the same columns share their fitted
        transformers, and each is told their time); `failure`, empty where there is none; `oof` and
        `predictions`, float32 (candidates, rows[, classes]); `classes`; and `base`, the loss on the
        test part of who knows only the training part's frequencies, or its mean.
    """
    is_class = task == "classification"
    classes = np.unique(y[train]) if is_class else np.array([])
    width = (len(classes),) * is_class
    cv = (StratifiedKFold if is_class else KFold)(FOLDS, shuffle=True, random_state=seed)
    folds = list(cv.split(train, y[train]))
    count = len(tried)
    found = {
        "inner": np.full((count, FOLDS), np.nan),
        "oof": np.full((count, len(train), *width), np.nan, "float32"),
        "predictions": np.full((count, len(test), *width), np.nan, "float32"),
        "failure": np.full(count, "", "U200"),
    }
    found |= {name: np.full(count, np.nan) for name in SCORES if name not in found}
    found["seconds"] = seconds = np.zeros(count)

    def predict(model, rows) -> np.ndarray:
        if not is_class:
            return model.predict(rows)
        wide = np.zeros((len(rows), len(classes)))  # a fold may lack a class
        wide[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(rows)
        return wide

    def loss(rows, predicted) -> float:
        if not np.isfinite(predicted).all():
            raise ValueError("predictions are not finite")
        if is_class:
            return log_loss(y[rows], predicted, labels=classes)
        return float(np.mean((y[rows] - predicted) ** 2))

    prepared: dict[tuple, tuple] = {}  # by settings of the columns and part, for all candidates

    def prepare(columns, key: str, part: int, fit: np.ndarray, held: np.ndarray) -> tuple:
        """Columns as fitted to some rows, of these and of held rows, and the two CPU times."""
        if (key, part) not in prepared:
            start, columns = time.process_time(), clone(columns)
            inside = columns.fit_transform(X.iloc[fit], y[fit])
            middle, outside = time.process_time(), columns.transform(X.iloc[held])
            times = middle - start, time.process_time() - middle
            prepared[key, part] = inside, outside, *times
        return prepared[key, part]

    def one(place: int, params: dict) -> None:
        base = pipeline(X, params["model"]).set_params(**params)
        columns, predictor = base.named_steps["columns"], base.named_steps["model"]
        key = " ".join(repr(columns.get_params()).split())
        ways = [(train[fit], train[held]) for fit, held in folds] + [(train, test)]
        for part, (fit, held) in enumerate(ways):
            inside, outside, fit_time, transform_time = prepare(columns, key, part, fit, held)
            start = time.process_time()
            model = clone(predictor).fit(inside, y[fit])
            middle = time.process_time()
            predicted = predict(model, outside)
            fit_time += middle - start
            transform_time += time.process_time() - middle
            score = loss(held, predicted)
            if part < FOLDS:
                found["inner"][place, part] = score
                found["oof"][place, folds[part][1]] = predicted
                seconds[place] += fit_time + transform_time
            else:
                found["test"][place], found["predictions"][place] = score, predicted
                found["refit_seconds"][place] = fit_time
                found["predict_seconds"][place] = transform_time

    signal.signal(signal.SIGPROF, out_of_time)
    for place, params in enumerate(tried):
        start = time.process_time()
        try:
            signal.setitimer(signal.ITIMER_PROF, limit)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                one(place, params)
        except Exception as error:  # recorded, with what it had cost
            found["failure"][place] = f"{type(error).__name__}: {error}"[:200]
            for name in ("inner", "oof", "predictions", "test", "refit_seconds", "predict_seconds"):
                found[name][place] = np.nan
            found["seconds"][place] = time.process_time() - start
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    if is_class:
        share = np.array([np.mean(y[train] == name) for name in classes])
        found["base"] = loss(test, np.tile(share, (len(test), 1)))
    else:
        found["base"] = loss(test, np.full(len(test), y[train].mean()))
    return found | {"classes": classes.astype(str)}


def split(table: data.Table, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of training and test rows: TRAIN and TEST rows, or 70 and 30 per cent."""
    count = len(table.y)
    strata = table.y if table.task == "classification" else None
    size = min(TRAIN, int(0.7 * count))
    train, rest = train_test_split(
        np.arange(count), train_size=size, random_state=number, stratify=strata
    )
    if len(rest) <= TEST:
        return train, rest
    strata = strata if strata is None else strata.iloc[rest]
    test, _ = train_test_split(rest, train_size=TEST, random_state=number, stratify=strata)
    return train, test


def keep(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write to another name first: a kill leaves no half of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(new, path)


def summary(found: dict[str, np.ndarray], train, test) -> dict:
    """What the record says of a split."""
    failed = found["failure"] != ""
    return {
        "train_rows": len(train),
        "test_rows": len(test),
        "base": round(float(found["base"]), 6),
        "candidates": len(failed),
        "failures": int(failed.sum()),
        "cpu_seconds": round(
            float(sum(np.nansum(found[name]) for name in SCORES if name.endswith("seconds"))), 1
        ),
    }


def run(name: str, number: int) -> dict:
    table = data.load(name)
    train, test = split(table, number)
    tried = candidates(table.task)
    found = evaluate(table.X, table.y.to_numpy(), train, test, tried, table.task, seed=number)
    keep(CACHE / f"{name}_{number}.npz", found | {"train_rows": train, "test_rows": test})
    return summary(found, train, test)


def join(record: Record, plan: Sequence[str], read: Callable, about: dict) -> None:
    """Put the scores of several cache files into one small file, data/NAME.npz of the record.

    Args:
        record: what was run. The file says how, as the record does: command and stamps.
        plan: names of rows or tables; an array of the file is called "NAME_SCORE".
        read: of a name, its list of cache files; scores are stacked over them.
        about: what else the file says of itself.
    """
    target = data.DATA_DIR / f"{record.path.stem}.npz"
    stamps = dict.fromkeys(tuple(one["stamp"].items()) for one in record.runs)
    about = {"command": record.command} | about | {"stamps": [dict(pairs) for pairs in stamps]}
    arrays = {}
    for name in plan:
        parts = [data.read_arrays(path.read_bytes()) for path in read(name)]
        for score in (*SCORES, "base"):
            stacked = np.array([part[score] for part in parts])
            arrays[f"{name}_{score}"] = (
                stacked if stacked.dtype.kind == "U" else stacked.astype("float32")
            )
    text = json.dumps(about)
    keep(target, {"text": np.frombuffer(text.encode(), "uint8"), **arrays})
    print(f"{target.name}: {target.stat().st_size:,} bytes")


def main() -> None:
    record = Record(
        "pipelines",
        "102 pipelines (85 for the regression) on ten outer splits of six tables: what was run, "
        "how many failed, CPU seconds. The scores are in data/pipelines.npz. `base` is the loss on "
        "the test part of the training part's frequencies, or mean",
        command=COMMAND,
        packages=("scikit-learn", "numpy", "pandas"),
        folds=FOLDS,
        train_rows_at_most=TRAIN,
        test_rows_at_most=TEST,
        limit_cpu_seconds=LIMIT,
    )
    plan = [{"name": name, "number": number} for number in SPLITS for name in data.TABLES]
    record.complete(plan, run, jobs=2)
    about = {
        "tables": list(data.TABLES),
        "splits": list(SPLITS),
        "candidates": {
            task: [describe(params) for params in candidates(task)]
            for task in ("classification", "regression")
        },
    }
    join(
        record,
        data.TABLES,
        lambda name: [CACHE / f"{name}_{number}.npz" for number in SPLITS],
        about,
    )


if __name__ == "__main__":
    import record_pipelines  # under this name the processes can import what they run

    record_pipelines.main()
