"""The pipeline for tables: it survives what real columns do, and its space holds its defaults."""

from math import isinf

from helpers import data
from helpers.search import PrioritySearchCV, Space, pipeline, pipeline_space
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import OrdinalEncoder

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
y = np.tile(["no", "yes", "yes"], 20)
rng = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "size": np.where(rng.random(60) < 0.3, np.nan, rng.normal(size=60)),
        "count": rng.integers(0, 9, 60),
        "constant": 3,
        "empty": np.nan,
        "flag": rng.random(60) < 0.5,
        "word": pd.array(rng.choice(["a", "b", None], 60), "str"),
        "old": rng.choice(np.array(["c", "d", None], dtype=object), 60),
        "kind": pd.Categorical(rng.choice([1, 2], 60)),
        "maybe": pd.array(rng.choice([True, None], 60), "boolean"),
        "whole": pd.array(rng.choice([4, None], 60), "Int64"),
        "text": pd.array(rng.choice(["e", None], 60), "string"),
    }
)
ENCODERS = pipeline_space()[0]["columns__categories__encode"]


def fitted(encoder=ENCODERS[0], table=X, **params):
    model = pipeline(table, LogisticRegression()).set_params(columns__categories__encode=encoder)
    return model.set_params(**params).fit(table, y)


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda one: str(one)[:25])
def test_columns_of_every_kind_survive(encoder):
    for indicator in (False, True):
        model = fitted(encoder, columns__numbers__impute__add_indicator=indicator)
        first = model.predict_proba(X)
        new = X.head(3).assign(word="unseen", old="unseen", kind="unseen", text="unseen")
        gone = X.head(3).assign(count=np.nan, flag=None, word=None, maybe=pd.NA, size=None)
        for other in (new, gone, X.head(1), X.iloc[[1]].astype(object)):
            assert np.isfinite(model.predict_proba(other)).all()
        same = X.astype({"count": float, "kind": float}).assign(flag=X["flag"].astype(int))
        np.testing.assert_allclose(model.predict_proba(same[X.columns[::-1]]), first)


def test_clear_errors():
    model = fitted()
    with pytest.raises(ValueError, match=r"'count' must hold numbers.* got text"):
        model.predict(X.assign(count="many"))
    with pytest.raises(ValueError, match=r"columns are missing: .*word"):
        model.predict(X.drop(columns="word"))
    with pytest.raises(ValueError, match=r"numbers and categories.*'M'"):
        pipeline(X.assign(day=pd.Timestamp("2020-01-01")), GaussianNB())
    for other in (X.to_numpy(), [[1, 2]], None, X[[]]):
        with pytest.raises(ValueError, match=r"X must be a DataFrame"):
            pipeline(other, GaussianNB())
    with pytest.raises(ValueError, match=r"task must be 'classification'"):
        pipeline_space("ranking")
    with pytest.raises(NotFittedError):
        pipeline(X, GaussianNB()).predict(X)


def test_numbers_alone_and_categories_alone():
    for columns in (["size", "count"], ["word", "kind"]):
        assert fitted(table=X[columns]).predict(X).shape == y.shape  # other columns do not matter


def test_a_made_pipeline_has_learned_nothing_from_the_table():
    half = X.index < 30
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    one, other = (
        pipeline(table, DummyClassifier())
        .set_params(columns__categories__encode=ordinal)
        .fit(X[half], y[half])
        .named_steps["columns"]
        .transform(X)
        for table in (X, X[half])
    )
    np.testing.assert_array_equal(one, other)
    # numbers are scaled by the half that was fitted, which moves what the other half looks like
    assert abs(one[half][:, 1].mean()) < 1e-9 < abs(one[~half][:, 1].mean())


@pytest.mark.parametrize("task", ["classification", "regression"])
@quiet
def test_every_family_has_its_defaults_and_fits_at_random(task):
    space = pipeline_space(task, seed=3)
    assert len(space) == (6 if task == "classification" else 5)
    target = y if task == "classification" else rng.normal(size=60)
    for family in space:
        models = family["model"]
        assert 2 <= sum(isinf(Space({"a": v}).size) or len(v) > 1 for v in family.values())
        base = pipeline(X, models[0])
        default = {name: base.get_params()[name] for name in family}
        assert Space(family).find(default) is not None
        assert all(getattr(model, "random_state", 3) in (3, None) for model in models)
        drawn = Space(family).params(Space(family).random(np.random.RandomState(0)))
        for params in ({}, drawn):
            if params.get("model__n_neighbors", 0) > len(X):
                continue
            candidate = clone(base).set_params(**clone(params, safe=False)).fit(X, target)
            assert len(candidate.predict(X)) == len(X)


@quiet
def test_a_search_takes_the_defaults_first():
    table, space = data.load("penguins"), pipeline_space()
    first = [{"model": family["model"][0]} for family in space]
    start = pipeline(table.X, first[0]["model"])
    search = PrioritySearchCV(
        start, space, max_evals=7, initial=first, scoring="neg_log_loss", cv=2, random_state=0
    ).fit(table.X[::4], table.y[::4])
    tried = [type(params["model"]).__name__ for params in search.cv_results_["params"]]
    assert tried[:6] == [type(one["model"]).__name__ for one in first] and len(tried) == 7
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
