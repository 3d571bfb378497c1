"""scikit-learn's own checks of our estimators; none is exempted."""

from helpers.search import CachedEstimator, EvolutionSearchCV, GreedySearchCV, PrioritySearchCV
from helpers.vae import VAETransformer
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

WRAPPED = [
    LogisticRegression(random_state=0),
    RandomForestClassifier(3, random_state=0),
    Ridge(random_state=0),
    StandardScaler(),
    make_pipeline(StandardScaler(), LogisticRegression(random_state=0)),
]


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):  # the matrices are small: more threads only get in each other's way
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")  # one for all checks: no fit may be taken for another


@parametrize_with_checks([VAETransformer(hidden=(8,), latent_dim=2, epochs=1, random_state=0)])
def test_estimator_keeps_to_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([CachedEstimator(estimator, "cache") for estimator in WRAPPED])
def test_cached_estimator_keeps_to_the_rules_too(estimator, check, folder, monkeypatch):
    monkeypatch.chdir(folder)  # by a relative name: a test must be called alike in every process
    check(estimator)


@pytest.mark.filterwarnings(
    "ignore:.*fit.* failed", "ignore:Scoring failed", "ignore:invalid value"
)
@parametrize_with_checks(
    [
        search(estimator, {"C": [0.1, 1.0, 10.0]}, max_evals=3, cv=2)
        for search in (GreedySearchCV, EvolutionSearchCV, PrioritySearchCV)
        for estimator in (LogisticRegression(), SVR())
    ]
)
def test_searches_keep_to_the_rules_too(estimator, check):
    check(estimator)
