"""Searches that are really killed, and go on: the whole process, a Dask worker, a loky worker.

Every real fit leaves a line with its process in a file, and every kept one an entry in the cache.
What was in the cache at the moment of the kill must not be fitted again, and the scores must be
those of a search that nothing disturbed.
"""

import itertools
import logging
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

from distributed import Client, LocalCluster
from helpers.search import CachedEstimator, PrioritySearchCV
import joblib
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError
import numpy as np
import pytest
from scipy.stats import randint
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
)
from sklearn.tree import DecisionTreeClassifier

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]
FOLDS = list(StratifiedKFold(3).split(X, y))
# joblib hands each argument above 1 kB to one Dask worker only, and with that worker it can be
# lost. So every worker gets them all, data and folds, and `client.amm.stop()` keeps Dask's memory
# manager from dropping the copies again.
TO_ALL = [X, y, *itertools.chain(*FOLDS)]
DEPTHS, LEAVES = [1, 2, 3, 5], [1, 4, 16]
SPACE = {"estimator__max_depth": DEPTHS, "estimator__min_samples_leaf": LEAVES}
DRAWN = {"estimator__max_depth": randint(1, 9), "estimator__min_samples_leaf": randint(1, 30)}


class CountedTree(ClassifierMixin, BaseEstimator):
    """A tree that takes its time, and leaves a line in a file at every real fit."""

    def __init__(self, max_depth=None, min_samples_leaf=1, log="", seconds=0.0):
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.log = log
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.tree_ = DecisionTreeClassifier(
            max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf, random_state=0
        ).fit(X, y)
        self.classes_ = self.tree_.classes_
        with open(self.log, "a") as file:
            file.write(f"{os.getpid()}\n")
        return self

    def predict(self, X):
        return self.tree_.predict(X)


def make(kind: str, folder: Path, seconds: float = 0.03, n_jobs: int | None = None):
    """A search of one kind over cached trees, whose traces are all in one folder."""
    tree = CountedTree(log=str(folder / "log.txt"), seconds=seconds)
    common = {"estimator": CachedEstimator(tree, folder / "cache", version=1), "n_jobs": n_jobs}
    if kind == "grid":
        return GridSearchCV(param_grid=SPACE, cv=FOLDS, **common)
    if kind == "halving":
        return HalvingGridSearchCV(param_grid=SPACE, factor=2, cv=3, random_state=0, **common)
    if kind == "random":
        return RandomizedSearchCV(
            param_distributions=DRAWN, n_iter=8, cv=FOLDS, random_state=1, **common
        )
    return PrioritySearchCV(
        param_space=SPACE,
        max_evals=10,
        n_initial=4,
        batch_size=2,
        cv=FOLDS,
        random_state=1,
        **common,
    )


def run(kind: str, folder: str) -> None:
    """For another process: `python -c "import test_resume; test_resume.run(...)"`."""
    make(kind, Path(folder)).fit(X, y)


def lines(folder: Path) -> list[int]:
    """The process of every real fit that ended."""
    log = folder / "log.txt"
    return list(map(int, log.read_text().split())) if log.exists() else []


def entries(folder: Path) -> int:
    return len(list((folder / "cache").glob("*.fit")))


def wait_for_lines(folder: Path, number: int, alive=lambda: True) -> list[int]:
    deadline = time.monotonic() + 120
    while len(lines(folder)) < number:
        assert alive() and time.monotonic() < deadline, f"{len(lines(folder))} of {number} fits"
        time.sleep(0.002)
    return lines(folder)


def assert_same_results(search, expected) -> None:
    assert search.cv_results_["params"] == expected.cv_results_["params"]
    for name, column in expected.cv_results_.items():
        if "test_score" in name or name.startswith("param_"):
            np.testing.assert_array_equal(search.cv_results_[name], column, err_msg=name)
    assert search.best_params_ == expected.best_params_


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """kind -> (a search that nothing disturbed, its number of real fits)."""
    results = {}
    for kind in ("grid", "halving", "random", "priority"):
        folder = tmp_path_factory.mktemp(kind)
        search = make(kind, folder, seconds=0).fit(X, y)
        assert len(lines(folder)) == entries(folder)  # no search fits the same twice by itself
        results[kind] = search, entries(folder)
    return results


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=":0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


@pytest.mark.parametrize("kind", ["grid", "halving", "priority"])
def test_a_killed_search_goes_on(kind, unbroken, tmp_path):
    expected, total = unbroken[kind]
    command = "import sys, test_resume; test_resume.run(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", command, kind, str(tmp_path)], cwd=Path(__file__).parent
    )
    wait_for_lines(tmp_path, total // 2, alive=lambda: process.poll() is None)
    process.kill()
    assert process.wait() == -signal.SIGKILL

    finished, kept = len(lines(tmp_path)), entries(tmp_path)
    assert 0 < kept < total and finished - kept in (0, 1)  # one may have ended and not been kept
    search = make(kind, tmp_path).fit(X, y)
    assert len(lines(tmp_path)) - finished == total - kept
    assert_same_results(search, expected)
    assert make(kind, tmp_path).fit(X, y).best_estimator_.from_cache_
    assert len(lines(tmp_path)) - finished == total - kept


@pytest.mark.parametrize("kind", ["grid", "priority"])
def test_a_killed_dask_worker_loses_nothing(kind, unbroken, cluster, tmp_path):
    expected, total = unbroken[kind]
    seen = []

    def kill_a_worker():
        seen.extend(wait_for_lines(tmp_path, total // 3))
        os.kill(seen[-1], signal.SIGKILL)

    with Client(cluster) as client:
        client.wait_for_workers(2)
        client.amm.stop()
        pids = client.run(os.getpid).values()
        killer = threading.Thread(target=kill_a_worker)
        killer.start()
        with joblib.parallel_config(backend="dask", scatter=TO_ALL):
            search = make(kind, tmp_path).fit(X, y)
        killer.join()
    assert seen[-1] in pids and len(seen) < total
    assert_same_results(search, expected)
    assert entries(tmp_path) == total
    assert len(lines(tmp_path)) <= total + 1  # again: at most the fit under way


def test_a_killed_loky_worker_loses_the_search_but_no_kept_fit(unbroken, tmp_path):
    expected, total = unbroken["grid"]
    seen = []

    def kill_a_worker():
        seen.extend(wait_for_lines(tmp_path, total // 3))
        os.kill(seen[-1], signal.SIGKILL)

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    search = make("grid", tmp_path, n_jobs=2)
    with pytest.raises(TerminatedWorkerError):
        search.fit(X, y)
    killer.join()
    assert os.getpid() not in seen and not hasattr(search, "cv_results_")
    get_reusable_executor().shutdown(wait=True, kill_workers=True)

    finished, kept = len(lines(tmp_path)), entries(tmp_path)
    assert 0 < kept < total
    search.fit(X, y)
    assert len(lines(tmp_path)) - finished == total - kept
    assert_same_results(search, expected)


@pytest.mark.parametrize("kind", ["grid", "random", "priority"])
def test_same_candidates_and_scores_on_every_backend(kind, unbroken, cluster, tmp_path):
    expected, total = unbroken[kind]
    for n_jobs in (1, 2):
        folder = tmp_path / str(n_jobs)
        folder.mkdir()
        assert_same_results(make(kind, folder, seconds=0, n_jobs=n_jobs).fit(X, y), expected)
        assert entries(folder) == total
    folder = tmp_path / "dask"
    folder.mkdir()
    with Client(cluster) as client, joblib.parallel_config(backend="dask", scatter=TO_ALL):
        client.wait_for_workers(2)
        assert_same_results(make(kind, folder, seconds=0).fit(X, y), expected)
    assert entries(folder) == total and os.getpid() not in lines(folder)[:-1]
