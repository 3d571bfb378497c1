"""The recipes of recorded pipelines: whole pipelines, honest folds, failures said, tables whole."""

import json
import time

from helpers import data, records
from helpers.search import Space, pipeline, pipeline_space
import numpy as np
import pandas as pd
import pytest
from record_pipelines import candidates, describe, evaluate, split
from record_tasks import features, parts, tasks
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.naive_bayes import GaussianNB

TABLE = data.load("penguins")
X, y = TABLE.X[:120], TABLE.y[:120].to_numpy()
TRAIN, TEST = np.arange(80), np.arange(80, 120)
TRIED = candidates("classification")


def is_same(one: dict, other: dict) -> bool:
    """Whether two described candidates agree; numbers up to the last digits."""
    if one.keys() != other.keys():
        return False
    pairs = [(one[name], other[name]) for name in one]
    return all(a == pytest.approx(b) if isinstance(a, float) else a == b for a, b in pairs)


class Slow(GaussianNB):
    def fit(self, X, y):
        start = time.process_time()
        while time.process_time() < start + 5:
            pass


def test_candidates_are_the_defaults_then_as_many_of_each_family():
    for task, families in (("classification", 6), ("regression", 5)):
        found, space = candidates(task), pipeline_space(task)
        assert len(found) == 17 * families
        keys = [Space(space).key(Space(space).find(params)) for params in found]
        assert len(set(keys)) == len(keys)
        names = [type(params["model"]) for params in found]
        assert names[:families] == [type(family["model"][0]) for family in space]
        for params in found[:families]:
            model = params["model"].get_params()
            assert all(model[name[7:]] == params[name] for name in params if name[:7] == "model__")
        json.dumps([describe(one) for one in found])  # all of it is JSON


@pytest.mark.parametrize("place", [0, 20, 35, 100])  # one with each encoder, say
def test_scores_are_those_of_whole_pipelines(place):
    params = TRIED[place]
    found = evaluate(X, y, TRAIN, TEST, [params, params], seed=3)
    model = pipeline(X, LogisticRegression()).set_params(**clone(params, safe=False))
    cv = StratifiedKFold(5, shuffle=True, random_state=3)
    inside = X.iloc[TRAIN], y[TRAIN]
    losses = -cross_val_score(clone(model), *inside, cv=cv, scoring="neg_log_loss")
    np.testing.assert_allclose(found["inner"], [losses, losses])
    oof = cross_val_predict(clone(model), *inside, cv=cv, method="predict_proba")
    np.testing.assert_allclose(found["oof"][1], oof, rtol=1e-6)
    predicted = model.fit(*inside).predict_proba(X.iloc[TEST])
    np.testing.assert_allclose(found["predictions"][1], predicted, rtol=1e-6)
    truth = np.searchsorted(found["classes"], y[TEST])
    np.testing.assert_allclose(
        found["test"], -np.log(np.maximum(predicted[np.arange(40), truth], 2.3e-16)).mean()
    )
    share = np.mean(y[TRAIN] == "female")
    assert found["base"] == pytest.approx(
        -np.mean(np.where(y[TEST] == "female", np.log(share), np.log(1 - share)))
    )


def test_a_failure_and_a_time_limit_are_said_and_the_others_go_on():
    model = {"model": GaussianNB(var_smoothing=-1.0)}
    found = evaluate(X, y, TRAIN, TEST, [model, {"model": Slow()}, TRIED[5]], limit=0.3)
    assert found["failure"][0].startswith("InvalidParameterError")
    assert found["failure"][1] == "TimeoutError: time limit" and found["failure"][2] == ""
    for name in ("inner", "test", "oof", "predictions", "refit_seconds", "predict_seconds"):
        assert np.isnan(found[name][:2]).all() and np.isfinite(found[name][2]).all(), name
    assert 0.25 < found["seconds"][1] < 2 and (found["seconds"] > 0).all()


def test_a_class_that_a_fold_lacks_has_probability_zero():
    rare = np.where(np.arange(120) == 7, "other", y)
    with pytest.warns(UserWarning, match="least populated class"):
        found = evaluate(X, rare, TRAIN, TEST, TRIED[:1])
    assert found["failure"][0] == "" and found["oof"].shape == (1, 80, 3)
    assert found["oof"][0, 7, list(found["classes"]).index("other")] == 0
    np.testing.assert_allclose(found["oof"].sum(axis=2), 1, rtol=1e-6)


def test_a_regression_has_squared_errors():
    table = data.load("temperature")
    tried = [candidates("regression")[0]]
    found = evaluate(table.X, table.y.to_numpy(), TRAIN, TEST, tried, "regression")
    error = table.y.to_numpy()[TEST] - found["predictions"][0]
    assert found["oof"].shape == (1, 80) and found["test"][0] == pytest.approx(np.mean(error**2))


@pytest.mark.parametrize("name", data.TABLES)
def test_parts_do_not_overlap(name):
    table = data.load(name)
    for number in (0, 9):
        train, test = split(table, number)
        assert not set(train) & set(test) and len(set(train)) == len(train) <= 400
        assert set(table.y.iloc[test]) <= set(table.y.iloc[train]) or table.task == "regression"
    assert set(train) != set(split(table, 0)[0])


def test_tasks_are_small_and_hold_no_target():
    found = tasks()
    assert len(found) >= 30 and len({parent for _, parent, *_ in found.values()}) >= 10
    for name, (same, parent, table, target) in found.items():
        assert same == name and name.startswith(parent) and target.name not in table
        train, test = parts(target)
        assert not set(train) & set(test) and len(train) + len(test) <= 600
        facts = features(table.iloc[train], target.iloc[train])
        assert pd.Series(facts).notna().all() and facts["classes"] == target.nunique()
        assert set(target.iloc[test]) <= set(target.iloc[train])


@pytest.mark.parametrize("name", ["pipelines", "tasks"])
def test_what_ships_is_whole_and_of_these_candidates(name):
    content = (data.DATA_DIR / f"{name}.npz").read_bytes()
    arrays, runs = data.read_arrays(content), records.load(name)["runs"]
    about = json.loads(arrays["text"].tobytes())
    assert len(content) < 1e6
    tables = data.TABLES if name == "pipelines" else ["tasks"]
    shown = about["candidates"] if name == "pipelines" else {"classification": about["candidates"]}
    for task, found in shown.items():
        now = json.loads(json.dumps([describe(params) for params in candidates(task)]))
        assert len(now) == len(found) and all(map(is_same, now, found))
    if name == "tasks":
        assert [one["name"] for one in about["tasks"]] == list(tasks())
    for table in tables:
        inner, failed = arrays[f"{table}_inner"], arrays[f"{table}_failure"] != ""
        count = 85 if table == "temperature" else 102
        assert inner.shape[1:] == (count, 5) and arrays[f"{table}_base"].shape == inner.shape[:1]
        assert (np.isnan(inner).all(axis=2) == failed).all()
        assert (np.isnan(arrays[f"{table}_test"]) == failed).all()
        mine = [run for run in runs if run["name"] == table] if name == "pipelines" else runs
        assert len(mine) == len(inner) and sum(run["failures"] for run in mine) == failed.sum()
