"""Evaluate every candidate of two search spaces on real data, so that a search's regret is exact.

    python data/recipes/record_search_tables.py

`forest` is the source article's grid: 144 random forests; `svm` is a conditional space: support
vector machines whose kernels have different parameters. Both on scikit-learn's digits, the training
part of an 80/20 split, by 5-fold cross-validation repeated four times with other folds. Written to
data/results/search_tables.json as it goes; a run that was stopped goes on where it was.
"""

import json
import time

from helpers import data, runtime
from joblib import Parallel, delayed
import numpy as np
from recording import save
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    ParameterGrid,
    RepeatedStratifiedKFold,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

TARGET = data.DATA_DIR / "results" / "search_tables.json"
FOLDS, REPEATS = 5, 4
POWERS = [float(power) for power in np.round(np.logspace(-2, 3, 11), 4)]
GAMMAS = [float(power) for power in np.round(np.logspace(-5, 0, 11), 7)]

TABLES = {
    "forest": (
        RandomForestClassifier(random_state=0),
        {
            "n_estimators": [10, 50, 100, 200],
            "max_depth": [None, 10, 20, 30],
            "min_samples_split": [2, 5, 10],
            "min_samples_leaf": [1, 2, 4],
        },
    ),
    "svm": (
        make_pipeline(StandardScaler(), SVC(random_state=0)),
        [
            {"svc__kernel": ["rbf"], "svc__C": POWERS, "svc__gamma": GAMMAS},
            {"svc__kernel": ["poly"], "svc__C": POWERS, "svc__degree": [2, 3, 4, 5]},
            {"svc__kernel": ["linear"], "svc__C": POWERS},
        ],
    ),
}


def evaluate(estimator, params: dict) -> dict:
    """Scores and seconds of one candidate; every candidate sees the same folds."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=42, stratify=y)
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=0)
    start = time.process_time()
    scores = cross_validate(
        estimator.set_params(**params), X, y, cv=folds, scoring=["accuracy", "f1_macro"]
    )
    seconds = time.process_time() - start
    return {
        "params": params,
        "accuracy": np.round(scores["test_accuracy"], 5).tolist(),
        "f1_macro": np.round(scores["test_f1_macro"], 5).tolist(),
        "cpu_seconds_per_fit": round(seconds / (FOLDS * REPEATS), 4),
        "test_accuracy": round(estimator.fit(X, y).score(X_test, y_test), 5),
    }


def main() -> None:
    record = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    record |= {
        "command": "python data/recipes/record_search_tables.py",
        "data": "digits, 1,437 images",
    }
    record |= runtime.circumstances("scikit-learn") | {"folds": FOLDS, "repeats": REPEATS}
    for name, (estimator, space) in TABLES.items():
        table = record.setdefault(name, {"space": space, "rows": []})
        missing = list(ParameterGrid(space))[len(table["rows"]) :]
        rows = Parallel(n_jobs=2, return_as="generator")(
            delayed(evaluate)(estimator, params) for params in missing
        )
        for row in rows:
            table["rows"].append(row)
            save(TARGET, record)
        print(f"{name}: {len(table['rows'])} candidates", flush=True)


if __name__ == "__main__":
    main()
