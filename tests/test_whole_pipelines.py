"""What is learned from data stays in the folds, in the pipeline and in what chapter 51 records."""

from collections import Counter

from helpers import data, records
from helpers.search import Space, pipeline, pipeline_space
import numpy as np
import pytest
from record_pipelines import candidates, evaluate, split
import record_whole_pipelines as recipe
from sklearn import preprocessing as pre
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

RECORD = records.load("whole_pipelines")
MODEL = LogisticRegression(solver="newton-cholesky")
ENCODER = pre.TargetEncoder(cv=KFold(5, shuffle=True, random_state=0))


def loss_without_anything_to_learn(encoded_first: bool) -> float:
    """Nats in five folds above the base rate, of 400 strikes whose target was shuffled."""
    table = data.load("strikes")
    rows = np.random.default_rng(0).permutation(len(table.y))[:400]
    X, y = table.X.iloc[rows], table.y.iloc[rows].sample(frac=1, random_state=1).to_numpy()
    if encoded_first:
        words = [name for name in X if X[name].dtype.kind not in "biuf"]
        first = ColumnTransformer([("words", ENCODER, words)], remainder="passthrough")
        X = first.set_output(transform="pandas").fit(X, y).transform(X)
    pipe = pipeline(X, MODEL).set_params(columns__categories__encode=ENCODER)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    loss = -cross_val_score(pipe, X, y, scoring="neg_log_loss", cv=folds).mean()
    share = np.unique(y, return_counts=True)[1] / len(y)
    return loss + share @ np.log(share)


def test_a_pipeline_learns_nothing_from_a_shuffled_target():
    assert loss_without_anything_to_learn(encoded_first=False) > -0.01


def test_the_same_check_finds_a_step_that_was_fitted_to_all_rows():
    assert loss_without_anything_to_learn(encoded_first=True) < -0.05


def test_searches_begin_with_the_defaults_and_repeat_nothing():
    runs = [run for run in RECORD["runs"] if "strategy" in run]
    assert Counter(run["strategy"] for run in runs) == dict.fromkeys(recipe.STRATEGIES, 50)
    for run in runs:
        assert len(set(run["order"])) == len(run["order"]) == RECORD["evaluations"]
        assert (set(run["order"][:6]) == set(range(6))) or run["strategy"] == "random, blind"


@pytest.mark.parametrize("arm", ["parameters", "features"])
def test_an_arm_is_what_is_fitted_again(arm):
    table, listed = data.load("strikes"), candidates("classification")
    default, drawn = listed[0], listed[recipe.families("classification")[0][1]]
    own = {name for name in drawn if name.startswith("model") == (arm == "parameters")}
    tried = {name: (drawn if name in own else default)[name] for name in drawn}
    assert Space(pipeline_space()).find(tried) is not None
    train, test = split(table, 0)
    found = evaluate(table.X, table.y.to_numpy(), train, test, [tried], seed=0)
    key = {"arm": arm, "name": "strikes", "number": 0}
    (run,) = (run for run in RECORD["runs"] if key.items() <= run.items())
    assert found["inner"].mean() == pytest.approx(run["inner"][0][0], abs=1e-4)
    assert found["test"][0] == pytest.approx(run["test"][0][0], abs=1e-4)
