"""The recipe of the features: what is fitted on what, and the same scale on both sides."""

import json

from helpers import records
import numpy as np
import pytest
import record_features as record
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

SETTINGS = [{"n_components": 2}, {"n_components": 5}]


def images(seed: int, count: int = 60):
    rng = np.random.default_rng(seed)
    return rng.random((count, 12)).astype("float32"), np.arange(count) % 10


class Witness:
    """A transformer that remembers what it was fitted on."""

    def __init__(self):
        self.seen = []

    def fit(self, x):
        self.seen.append(x)
        return self

    def transform(self, x):
        return x


def test_a_search_scores_and_predicts_as_one_over_features_that_scikit_learn_whitened():
    (x, y), (x_test, _) = images(4, 90), images(5)
    plain = [PCA(random_state=0, **setting).fit(x) for setting in SETTINGS]
    models = [record.in_scale(model, "white", x) for model in plain]
    found = record.best_of_24(x, y, x_test, models, SETTINGS, 0)
    sklearns = [PCA(whiten=True, random_state=0, **setting).fit(x) for setting in SETTINGS]
    folds, best = StratifiedKFold(record.FOLDS, shuffle=True, random_state=0), {}
    for which, dealt in enumerate(record.deal(SETTINGS, 0)):
        model = record.classifier(record.CLASSIFIERS[which])
        best[which] = GridSearchCV(model, {}, cv=folds).fit(sklearns[dealt].transform(x), y)
    top = max(best, key=lambda which: round(best[which].best_score_, 12))
    assert abs(best[top].best_score_ - found["cv"]) < 1e-4
    of_top = sklearns[record.deal(SETTINGS, 0)[top]]
    assert "".join(map(str, best[top].predict(of_top.transform(x_test)))) == found["predictions"]


def test_every_setting_and_every_classifier_gets_its_share():
    for settings in record.SETTINGS.values():
        for seed in range(record.SEEDS):
            dealt = np.bincount(record.deal(settings, seed), minlength=len(settings))
            assert dealt.sum() == len(record.CLASSIFIERS) == 24 and len(set(dealt)) == 1


def test_labelled_digits_are_balanced_differ_by_seed_and_are_all_when_asked():
    y = np.random.default_rng(0).permutation(np.arange(4000) % 10)
    rows = record.labelled(y, 100, 0)
    assert (np.bincount(y[rows]) == 10).all() and len(set(rows)) == 100
    assert set(rows) != set(record.labelled(y, 100, 1))
    assert (record.labelled(y, 4000, 0) == np.arange(4000)).all()


@pytest.mark.parametrize("scale", ["own", "standardised", "white", "decoded"])
def test_features_and_scales_are_learned_from_the_training_images_alone(monkeypatch, scale):
    seen, x_train = [], record.flat(record.digits().x_train)
    model = PCA(4).fit(x_train)
    monkeypatch.setattr(model, "fit", lambda x: seen.append(x) or model, raising=False)
    monkeypatch.setattr(record, "transformer", lambda *args: model)
    monkeypatch.setattr(record, "trained", record.trained.__wrapped__)  # past the cache
    one, _ = record.trained("pca", "{}", scale, 0)
    assert all(np.array_equal(x, x_train) for x in seen) and len(seen) == 1
    codes = one.transform(x_train)
    if scale in ("standardised", "white"):
        assert np.allclose(codes.std(axis=0), 1, atol=1e-3), "the scale of other images"


def test_a_scale_of_the_training_images_is_used_for_new_images_too():
    (x, _), (new, _) = images(0), images(1, 7)
    model = PCA(5, random_state=0).fit(x)
    codes = model.transform(x)
    assert record.in_scale(model, "own", x) is model
    standardised = record.in_scale(model, "standardised", x).transform(new)
    assert np.allclose(standardised, StandardScaler().fit(codes).transform(model.transform(new)))
    white = record.in_scale(model, "white", x)
    sklearns = PCA(5, whiten=True, random_state=0).fit(x)
    assert np.allclose(abs(white.transform(new)), abs(sklearns.transform(new)), atol=1e-4)
    assert np.allclose(np.cov(white.transform(x).T), np.eye(5), atol=1e-4)
    decoded = record.in_scale(model, "decoded", x).transform(new)
    assert np.allclose(decoded, model.inverse_transform(model.transform(new)))


def test_the_fixed_classifiers_meet_labelled_and_new_images_in_the_same_scale(monkeypatch):
    digits = record.digits()
    x, x_test = record.flat(digits.x_train), record.flat(digits.x_test)
    monkeypatch.setattr(record, "mnist_test", lambda: (x_test, digits.y_test))
    rows, accuracy = record.labelled(digits.y_train, 100, 0), {}
    for scale, whiten in (("own", False), ("white", True)):
        model, _ = record.trained("pca", json.dumps(record.CHOSEN["pca"]), scale, 0)
        accuracy[scale] = record.fixed(model, (100,), 0)["accuracy"]["svm"]["100"]
        mine = PCA(32, whiten=whiten, random_state=0).fit(x)
        svm = SVC(C=10).fit(mine.transform(x[rows]), digits.y_train[rows])
        assert abs(accuracy[scale] - svm.score(mine.transform(x_test), digits.y_test)) < 0.003
    assert accuracy["own"] > accuracy["white"] + 0.02  # forgotten on one side: far off, or equal


def test_features_of_the_labelled_images_alone_see_no_other(monkeypatch):
    witness = Witness()
    monkeypatch.setattr(record, "transformer", lambda *args: witness)
    monkeypatch.setattr(record, "mnist_test", lambda: images(0)[:2])
    monkeypatch.setattr(record, "fixed", lambda model, counts, seed: {"counts": counts})
    assert record.sources("vae", 14, 50, seed=3) == {"counts": (50,)}
    (seen,) = witness.seen
    digits = record.digits()
    few = record.flat(digits.x_train)[record.labelled(digits.y_train, 50, 3)]
    assert len(seen) == 4000  # as many steps as with all images
    assert {row.tobytes() for row in seen} == {row.tobytes() for row in few}


def test_a_search_is_given_labelled_training_images_and_scored_on_the_test_digits(monkeypatch):
    given, digits = {}, record.digits()

    def search(x, y, x_test, models, settings, seed):
        given.update(x=x, y=y, x_test=x_test)
        return {"predictions": "0" * len(x_test)}

    monkeypatch.setattr(record, "best_of_24", search)
    monkeypatch.setattr(record, "trained", lambda *args: (FunctionTransformer(), 0.0))
    found = record.searches("pca", "white", 50, seed=0)
    rows = record.labelled(digits.y_train, 50, 0)
    assert np.array_equal(given["x"], record.flat(digits.x_train)[rows]) and len(rows) == 50
    assert np.array_equal(given["y"], digits.y_train[rows])
    assert np.array_equal(given["x_test"], record.flat(digits.x_test))
    assert found["accuracy"] == (digits.y_test == 0).mean()


def test_the_record_holds_every_scale_beside_its_own_and_as_scikit_learn_whitens():
    """Whitening forgotten on one side would make a scaled row equal its partner, or a wreck."""
    runs = records.load("features")["runs"]
    for run, plan in record.plans().items():
        names = plan[0].keys()
        held = [{name: one[name] for name in names} for one in runs if names <= one.keys()]
        assert all(key in held for key in json.loads(json.dumps(plan))), f"{run.__name__}: run it"
    digits = record.digits()
    x, x_test = record.flat(digits.x_train), record.flat(digits.x_test)
    rows = record.labelled(digits.y_train, 50, 0)
    for scale, whiten in (("own", False), ("white", True)):
        settings = record.SETTINGS["pca"]
        models = [PCA(whiten=whiten, random_state=0, **setting).fit(x) for setting in settings]
        mine = record.best_of_24(x[rows], digits.y_train[rows], x_test, models, settings, 0)
        key = {"searched": "pca", "scale": scale, "count": 50, "seed": 0}
        kept = next(one for one in runs if key.items() <= one.items())
        agree = np.mean(np.equal(list(mine["predictions"]), list(kept["predictions"])))
        assert agree > 0.98 and mine["winner"] == kept["winner"]
