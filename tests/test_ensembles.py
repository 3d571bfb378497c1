"""Keeping what a search has paid for, and selecting an ensemble from it."""

import importlib
from itertools import combinations_with_replacement
import sys
from types import SimpleNamespace

from helpers import data
from helpers.search import (
    GreedySearchCV,
    KeepPredictions,
    ensemble_selection,
    pipeline,
    pipeline_space,
)
from helpers.search.ensembles import nats, predictions_of
import joblib
import numpy as np
import pandas as pd
import pytest
import record_ensembles
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

X, y = load_iris(return_X_y=True)
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
GRID = {"n_neighbors": [1, 5, 25]}


def some(candidates: int = 5, rows: int = 40, seed: int = 0) -> np.ndarray:
    """Probabilities of what came, of candidates that differ in how good they are."""
    rng = np.random.default_rng(seed)
    return rng.beta(np.linspace(1.5, 3, candidates)[:, None], 1, (candidates, rows))


def loss_of(predictions: np.ndarray, members) -> float:
    """Log loss of an averaged prediction, written down once more."""
    return -np.mean(np.log(np.mean([predictions[one] for one in members], axis=0)))


@pytest.mark.parametrize("seed", range(5))
def test_each_addition_is_the_best_of_all_multisets_with_one_more(seed):
    predictions, members = some(seed=seed), ()
    for rounds in range(1, 7):
        weights = ensemble_selection(predictions, rounds=rounds)
        counts = np.rint(weights * rounds).astype(int)
        assert np.allclose(counts, weights * rounds) and counts.sum() == rounds
        more = [
            one
            for one in combinations_with_replacement(range(5), rounds)
            if all(one.count(member) >= members.count(member) for member in members)
        ]
        best = min(more, key=lambda one: loss_of(predictions, one))
        members = tuple(np.repeat(range(5), counts))
        assert members == best
    every = combinations_with_replacement(range(5), 6)
    assert loss_of(predictions, members) >= min(loss_of(predictions, one) for one in every)


def test_many_rounds_come_near_the_best_of_all_weights():
    predictions, weights = some(rows=200), np.full(5, 0.2)
    for _ in range(5000):  # expectation maximisation finds them: the loss is convex
        share = weights[:, None] * predictions
        weights = (share / share.sum(axis=0)).mean(axis=1)
    best, greedy = nats(weights @ predictions), ensemble_selection(predictions, rounds=400)
    assert best <= nats(greedy @ predictions) <= best + 1e-4


def test_a_candidate_can_be_chosen_again():
    good, poor = np.full(20, 0.9), np.full(20, 0.5)
    assert (ensemble_selection(np.array([poor, good, poor]), rounds=3) == [0, 1, 0]).all()


def test_it_is_the_loss_of_the_mean_and_not_the_mean_of_losses():
    first, even = np.tile([0.99, 0.2], 10), np.full(20, 0.55)
    predictions = np.array([even, first, first[::-1]])
    assert nats(even) < nats(first)  # each alone is worse; together they are better
    weights = ensemble_selection(predictions, rounds=200)
    assert weights[0] < 0.5 and np.allclose(weights[1], weights[2], atol=0.02)
    assert nats(weights @ predictions) < nats(even) - 0.02


def test_bags_draw_from_their_shares_and_are_repeatable():
    predictions = some(12, 60)
    one, same, other = (ensemble_selection(predictions, bags=10, seed=seed) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()
    assert (one >= 0).all() and np.isclose(one.sum(), 1)
    assert (one > 0).sum() > (ensemble_selection(predictions) > 0).sum()
    everything = ensemble_selection(predictions, bags=3, share=1.0)
    assert np.allclose(everything, ensemble_selection(predictions))


def test_another_loss_and_candidates_that_failed():
    target = np.linspace(0, 1, 30)
    predictions = np.array([target + 0.2, np.full(30, np.nan), target - 0.2, target + 0.5])
    weights = ensemble_selection(predictions, lambda mean: ((mean - target) ** 2).mean(axis=-1))
    assert np.allclose(weights, [0.5, 0, 0.5, 0])
    with pytest.raises(ValueError, match="without NaN"):
        ensemble_selection(np.full((2, 3), np.nan))


def test_nats_are_finite_where_a_probability_is_zero():
    assert np.isfinite(nats(np.array([0.0, 1.0]))) and nats(np.ones(3)) == 0
    assert np.allclose(nats(np.array([[0.5, 0.5], [1.0, 0.25]])), np.log(2))


@pytest.mark.parametrize(
    ("search_class", "jobs"),
    [(GridSearchCV, 1), (GridSearchCV, 2), (RandomizedSearchCV, 1), (GreedySearchCV, 1)],
)
def test_every_search_keeps_what_cross_val_predict_would_pay_for_again(
    search_class, jobs, tmp_path
):
    keep, extra = KeepPredictions(tmp_path / "kept"), {"n_iter": 3, "random_state": 0}
    if search_class is GreedySearchCV:
        extra = {"max_evals": 3, "random_state": 0}
    elif search_class is GridSearchCV:
        extra = {}
    search = search_class(
        KNeighborsClassifier(), GRID, scoring=keep, cv=FOLDS, n_jobs=jobs, **extra
    ).fit(X, y)
    predictions, models = keep.of(search, X, y)
    assert predictions.shape == (3, len(y)) and [len(folds) for folds in models] == [5, 5, 5]
    for row, folds, params, score in zip(
        predictions,
        models,
        search.cv_results_["params"],
        search.cv_results_["mean_test_score"],
        strict=True,
    ):
        again = cross_val_predict(
            KNeighborsClassifier(**params), X, y, cv=FOLDS, method="predict_proba"
        )
        assert np.allclose(row, again[np.arange(len(y)), y])
        assert np.isclose(score, -nats(row))  # folds of one size
        assert folds[0].n_neighbors == params["n_neighbors"]


def test_no_row_is_predicted_by_a_model_that_was_fitted_to_it(tmp_path):
    keep = KeepPredictions(tmp_path)
    noise = np.random.default_rng(0).integers(0, 2, len(y))
    tree = DecisionTreeClassifier(random_state=0)
    search = GridSearchCV(tree, {"max_depth": [None]}, scoring=keep, cv=FOLDS).fit(X, noise)
    predictions, models = keep.of(search, X, noise)
    assert predictions.mean() < 0.7  # a tree knows the rows that it has seen
    assert predictions_of(search.best_estimator_, X, noise).mean() > 0.95
    for (fit, held), model in zip(FOLDS.split(X, noise), models[0], strict=True):
        assert (predictions[0, held] == predictions_of(model, X[held], noise[held])).all()
        assert predictions_of(model, X[fit], noise[fit]).mean() > 0.95


def test_the_score_is_the_log_loss_or_the_squared_error(tmp_path):
    keep = KeepPredictions(tmp_path)
    model = LogisticRegression(max_iter=500).fit(X[::2], y[::2])
    assert np.isclose(keep(model, X, y), -log_loss(y, model.predict_proba(X)))
    line = Ridge().fit(X[:, :3], X[:, 3])
    expected = -mean_squared_error(X[:, 3], line.predict(X[:, :3]))
    assert np.isclose(keep(line, X[:, :3], X[:, 3]), expected)
    frame, words = pd.DataFrame(X), np.array(["a", "b", "c"])[y]
    one = model.fit(frame, words)
    assert np.isclose(keep(one, frame, words), -log_loss(words, one.predict_proba(frame)))


def test_a_class_that_the_model_never_saw_had_no_probability():
    model = KNeighborsClassifier().fit(X[:100], y[:100])
    came = predictions_of(model, X, y)
    assert (came[100:] == 0).all() and (came[:100] > 0).all()


def test_a_fit_that_failed_is_missing_and_nothing_else_is(tmp_path):
    keep = KeepPredictions(tmp_path)
    search = GridSearchCV(
        KNeighborsClassifier(), {"n_neighbors": [1, 500]}, scoring=keep, cv=FOLDS, refit=False
    )
    with pytest.warns(UserWarning):
        search.fit(X, y)
    predictions, models = keep.of(search, X, y)
    assert np.isfinite(predictions[0]).all() and np.isnan(predictions[1]).any()
    assert (ensemble_selection(predictions) == [1, 0]).all()
    assert all(model is not None for model in models[0])


def test_steps_are_told_apart_and_other_data_is_not_taken(tmp_path):
    keep = KeepPredictions(tmp_path)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    grid = {"standardscaler": [StandardScaler(), "passthrough"], "logisticregression__C": [0.1, 10]}
    search = GridSearchCV(model, grid, scoring=keep, cv=FOLDS).fit(X, y)
    predictions, _ = keep.of(search, X, y)
    assert len({joblib.hash(row) for row in predictions}) == 4
    others, models = keep.of(search, X + 1, y)
    assert np.isnan(others).all() and models[0] == [None] * 5


def _pairs(value):
    """All pairs of numbers in lists and dicts of them."""
    if not isinstance(value, dict | list):
        return
    inside = list(value.values()) if isinstance(value, dict) else value
    if all(isinstance(one, float) for one in inside):
        yield inside
    else:
        for one in inside:
            yield from _pairs(one)


def test_the_recipe_chooses_without_the_test_part(tmp_path, monkeypatch):
    monkeypatch.setattr(record_ensembles, "CACHE", tmp_path)
    table, rng, found = data.load("penguins"), np.random.default_rng(0), []
    parts = {"train_rows": np.arange(220), "test_rows": np.arange(220, 320)}
    came = table.y.to_numpy() == "male"

    def said(rows: np.ndarray, noise: np.ndarray) -> np.ndarray:
        male = 1 / (1 + np.exp(noise - 2.0 * came[rows]))
        return np.stack([1 - male, male], axis=-1).astype("float32")  # in the order of classes

    oof = said(parts["train_rows"], rng.normal(1, 1.5, (12, 220)))
    for seed in (1, 2):
        noise = np.random.default_rng(seed).normal(1, 1.5, (12, 100))
        predictions = said(parts["test_rows"], noise)
        arrays = parts | {"oof": oof, "predictions": predictions, "base": np.log(2)}
        arrays |= {"predict_seconds": np.ones(12), "classes": np.array(["female", "male"])}
        np.savez(tmp_path / "penguins_0.npz", **arrays)
        found.append(record_ensembles.run("penguins", 0))
    one, other = found
    assert one["honest"] == other["honest"]
    for method, losses in one["losses"].items():
        assert losses[0] == other["losses"][method][0]  # out of fold: the same weights
        assert losses[1] != other["losses"][method][1]
    for kind in ("few", "curves"):  # pairs: on the rows that choose, and on the test part
        pairs, others = (np.array(list(_pairs(run[kind]))) for run in found)
        assert (pairs[:, 0] == others[:, 0]).all(), kind
        assert (pairs[:, 1] != others[:, 1]).any(), kind
    truth = came.astype(int)
    weights = ensemble_selection(oof[:, np.arange(220), truth[:220]].astype("float64"))
    judged = weights @ predictions[:, np.arange(100), truth[220:320]]
    assert np.isclose(other["losses"]["selection"][1], nats(judged), atol=2e-5)
    assert one["honest"]["selection"] > one["losses"]["selection"][0]


def test_the_comparison_weighs_what_was_predicted_out_of_fold(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "flaml", SimpleNamespace(AutoML=None))  # not needed here
    recipe = importlib.import_module("record_automl_comparison")
    monkeypatch.delitem(sys.modules, "record_automl_comparison")
    asked = []

    def spied(predictions, **settings):
        asked.append(predictions)
        return ensemble_selection(predictions, **settings)

    monkeypatch.setattr(recipe, "CACHE", tmp_path)
    monkeypatch.setattr(recipe, "ensemble_selection", spied)
    found = recipe.ours("penguins", 0, seconds=0.05)
    table, (train, test) = data.load("penguins"), recipe.split(data.load("penguins"), 0)
    kept = data.read_arrays((tmp_path / "penguins_0.npz").read_bytes())
    assert len(asked) == 1 and asked[0].shape == (found["evaluated"], len(train))
    again = cross_val_predict(
        pipeline(table.X, pipeline_space()[0]["model"][0]),
        table.X.iloc[train],
        table.y.iloc[train],
        cv=FOLDS,  # of seed 0, as the recipe's for the first split
        method="predict_proba",
    )
    came = np.searchsorted(["female", "male"], table.y.iloc[train])
    np.testing.assert_allclose(asked[0][0], again[np.arange(len(train)), came], rtol=1e-6)
    weights = ensemble_selection(kept["oof"], rounds=recipe.ROUNDS, bags=recipe.BAGS)
    assert kept["test"].shape[1] == len(test)
    assert found["loss"] == pytest.approx(nats(weights @ kept["test"]), abs=2e-5)
