"""The recording script's search: what is fitted never sees the images that it is scored on."""

import numpy as np
import record_features as record
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline

SETTINGS = [{"n_components": 2}, {"n_components": 5}]


def images(seed: int, count: int = 60):
    rng = np.random.default_rng(seed)
    return rng.random((count, 12)).astype("float32"), np.arange(count) % 10


def rows_of(x) -> set:
    return {row.tobytes() for row in x}


def test_variant_a_fits_on_the_training_part_of_each_fold_alone():
    (x, y), (x_test, _) = images(0), images(1)
    seen = []

    def fit(setting, rows):
        seen.append(rows_of(rows))
        return PCA(random_state=0, **setting).fit(rows)

    found = record.search(x, y, x_test, SETTINGS, 3, fit)
    folds = StratifiedKFold(record.FOLDS, shuffle=True, random_state=3).split(x, y)
    held = [rows_of(x[rows]) for _, rows in folds]
    assert len(seen) == len(SETTINGS) * record.FOLDS + 1
    for rows, out in zip(seen[:-1], held * len(SETTINGS), strict=True):
        assert not rows & out, "fitted on the held-out fold"
        assert rows | out == rows_of(x)
    assert seen[-1] == rows_of(x) and not seen[-1] & rows_of(x_test)
    assert len(found["predictions"]) == len(x_test)


def test_its_scores_are_those_of_a_pipeline_that_refits():
    (x, y), (x_test, _) = images(4, 90), images(5)
    found = record.search(
        x, y, x_test, SETTINGS, 0, lambda s, rows: PCA(random_state=0, **s).fit(rows)
    )
    best = {}
    folds = StratifiedKFold(record.FOLDS, shuffle=True, random_state=0)
    for which, dealt in enumerate(record.deal(SETTINGS, 0)):
        features = PCA(random_state=0, **SETTINGS[dealt])
        model = record.classifier(record.CLASSIFIERS[which])
        pipeline = Pipeline([("features", features), ("model", model)])
        search = GridSearchCV(pipeline, {}, cv=folds).fit(x, y)
        best[which] = search.best_score_, search
    top = max(best, key=lambda which: round(best[which][0], 12))
    assert abs(best[top][0] - found["cv"]) < 1e-4
    assert "".join(map(str, best[top][1].predict(x_test))) == found["predictions"]


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


def test_variant_b_fits_on_the_training_images_and_on_nothing_else(monkeypatch):
    seen = []

    class Witness:
        def fit(self, x):
            seen.append(x)
            return self

    monkeypatch.setattr(record, "transformer", lambda *args: Witness())
    record.trained.__wrapped__("vae", "{}", 0)  # past the cache
    (x,) = seen
    assert np.array_equal(x, record.flat(record.digits().x_train))


def test_a_search_is_given_labelled_training_images_and_scored_on_the_test_digits(monkeypatch):
    given, digits = {}, record.digits()

    def search(x, y, x_test, settings, seed, fit):
        given.update(x=x, y=y, x_test=x_test)
        return {"predictions": "0" * len(x_test)}

    monkeypatch.setattr(record, "search", search)
    found = record.few_labels(50, "pca", "a", seed=0)
    rows = record.labelled(digits.y_train, 50, 0)
    assert np.array_equal(given["x"], record.flat(digits.x_train)[rows]) and len(rows) == 50
    assert np.array_equal(given["y"], digits.y_train[rows])
    assert np.array_equal(given["x_test"], record.flat(digits.x_test))
    assert found["accuracy"] == (digits.y_test == 0).mean()
