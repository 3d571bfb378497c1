"""Record what VAE features are worth to a classifier with few labels, beside PCA and raw pixels.

    python data/recipes/record_features.py

**What is compared.** Raw pixels, PCA and VAE features (posterior means), each with the same 24
classifiers: logistic regression, RBF support vector machine, nearest neighbours. An evaluation is a
3-fold cross-validation of one pipeline on the labelled digits. Every feature set gets 24: each
classifier once, with settings of the features dealt at random, each equally often. The best
pipeline is fitted to all labelled digits and meets the 500 test digits once.

**What the features may see.** Variant "a": labelled images only, and within a cross-validation only
the training part of each fold. Variant "b": all 4,000 training images, never a label. Test and
validation images: never. With all labels only "b" is recorded. There raw pixels and PCA have
nothing left to draw but how settings are dealt, so they run once; the VAE runs for every seed.

**What is kept**, for every label count, feature set, variant and seed: the winner, its
cross-validated and test accuracy, its 500 test predictions as a string, and CPU seconds; for every
trained setting also the accuracy of one fixed SVM on the validation digits.

Written to data/results/features.json, run by run; a recording that was stopped goes on where it
was.
"""

from functools import cache
import itertools
import json
import os
import time
import warnings

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

from helpers import data
from helpers.vae import VAETransformer
import numpy as np
from recording import Record
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

COUNTS, SEEDS, SEEDS_A, FOLDS = (50, 100, 500, 4000), 6, 5, 3
CLASSIFIERS = [
    *({"classifier": "logistic", "C": 10.0**e} for e in (-2, -1.5, -1, -0.5, 0, 0.5, 1, 2)),
    *({"classifier": "svm", "C": 10.0**e} for e in (-1, -0.5, 0, 0.5, 1, 1.5, 2, 3)),
    *(
        {"classifier": "neighbours", "n_neighbors": k, "weights": w}
        for k, w in itertools.product((1, 2, 3, 5), ("uniform", "distance"))
    ),
]
VAES = [{"latent_dim": latents, "beta": beta} for latents in (8, 32) for beta in (0.25, 1.0)]
SETTINGS = {
    ("raw", "b"): [{}],
    ("pca", "a"): [{"n_components": k} for k in (8, 16, 24, 32)],
    ("pca", "b"): [{"n_components": k} for k in (8, 16, 32, 64)],
    ("vae", "a"): [VAES[0], VAES[2]],
    ("vae", "b"): VAES,
}
# epochs and batch size by the number of images: 490 steps with all, 200 to 250 with few
SCHEDULE = {50: (65, 17), 100: (50, 25), 500: (50, 100), 4000: (14, 100)}


def transformer(features: str, setting: dict, count: int, seed: int):
    """An unfitted transformer for training on about `count` images."""
    if features == "raw":
        return FunctionTransformer()
    if features == "pca":
        return PCA(random_state=seed, **setting)
    epochs, batch = SCHEDULE[count]
    return VAETransformer(epochs=epochs, batch_size=batch, random_state=seed, **setting)


def classifier(params: dict):
    kinds = {
        "logistic": lambda **kw: LogisticRegression(max_iter=200, **kw),
        "svm": SVC,
        "neighbours": KNeighborsClassifier,
    }
    params = dict(params)
    return kinds[params.pop("classifier")](**params)


def labelled(y: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Positions of `count` digits, equally many of each class; all of them, if that many."""
    if count >= len(y):
        return np.arange(len(y))
    rng = np.random.default_rng(1000 + seed)
    each = [rng.permutation(np.flatnonzero(y == k))[: count // 10] for k in range(10)]
    return np.sort(np.concatenate(each))


def deal(settings: list[dict], seed: int) -> list[int]:
    """A setting for each classifier: equally often, in random order."""
    order = np.resize(np.arange(len(settings)), len(CLASSIFIERS))
    return np.random.default_rng(seed).permutation(order).tolist()


def search(x, y, x_test, settings, seed, fit) -> dict:
    """Cross-validate 24 pipelines on (x, y); the best meets `x_test`.

    `fit(setting, images)` gives a transformer; where it has to see only a fold's training part
    (variant a) it is called with exactly these images.
    """
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y))
    dealt, scores, seconds, fits = deal(settings, seed), np.zeros((24, FOLDS)), 0.0, 0
    for number, setting in enumerate(settings):
        for fold, (train, held) in enumerate(folds):
            began = time.process_time()
            model = fit(setting, x[train])
            codes, held_codes = model.transform(x[train]), model.transform(x[held])
            seconds, fits = seconds + time.process_time() - began, fits + 1
            for which in np.flatnonzero(np.equal(dealt, number)):
                one = classifier(CLASSIFIERS[which]).fit(codes, y[train])
                scores[which, fold] = one.score(held_codes, y[held])
    best = int(scores.mean(axis=1).argmax())
    model = fit(settings[dealt[best]], x)
    final = classifier(CLASSIFIERS[best]).fit(model.transform(x), y)
    return {
        "winner": CLASSIFIERS[best] | settings[dealt[best]],
        "cv": round(float(scores[best].mean()), 4),
        "evaluations": len(CLASSIFIERS),
        "feature_seconds_in_search": round(seconds, 2),
        "predictions": "".join(map(str, final.predict(model.transform(x_test)))),
    }


@cache
def digits() -> data.Dataset:
    return data.load("mnist-5k")


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


@cache
def trained(features: str, setting: str, seed: int) -> tuple:
    """A transformer trained on all 4,000 training images, and its CPU seconds: variant b.

    No label takes part, so one serves all label counts.

    Args:
        setting: as JSON, to be a key of the cache.
    """
    began = time.process_time()
    model = transformer(features, json.loads(setting), 4000, seed).fit(flat(digits().x_train))
    return model, round(time.process_time() - began, 2)


def fixed_svm(features: str, setting: dict, seed: int) -> dict:
    """What one trained transformer is worth to one fixed SVM, on the validation digits."""
    model, seconds = trained(features, json.dumps(setting), seed)
    y, y_val = digits().y_train, digits().y_val
    codes, seen = (model.transform(flat(x)) for x in (digits().x_train, digits().x_val))
    accuracy = {}
    for count in COUNTS:
        rows = labelled(y, count, seed)
        score = SVC(C=10).fit(codes[rows], y[rows]).score(seen, y_val)
        accuracy[str(count)] = round(float(score), 4)
    return {"fit_seconds": seconds, "accuracy": accuracy}


def few_labels(count: int, features: str, variant: str, seed: int) -> dict:
    """The search with so many labelled digits, and what its winner says to the test digits."""
    rows, settings = labelled(digits().y_train, count, seed), SETTINGS[features, variant]
    x, y, x_test = flat(digits().x_train)[rows], digits().y_train[rows], flat(digits().x_test)

    def fit(setting: dict, images: np.ndarray):
        if variant == "b":
            return trained(features, json.dumps(setting), seed)[0]
        return transformer(features, setting, count, seed).fit(images)

    if variant == "b":  # trained before the clock starts
        for setting in settings:
            fit(setting, x)
    began = time.process_time()
    found = search(x, y, x_test, settings, seed, fit)
    right = np.equal(list(found["predictions"]), digits().y_test.astype(str))
    seconds = round(time.process_time() - began, 2)
    return {"accuracy": float(right.mean()), **found, "cpu_seconds": seconds}


def searches() -> list[dict]:
    """The keys of all searches: variant b, seed by seed, then a."""
    plan_b = [
        (count, features, "b", seed)
        for seed, features in itertools.product(range(SEEDS), ("raw", "pca", "vae"))
        for count in COUNTS
        if count < 4000 or features == "vae" or seed == 0
    ]
    plan_a = [
        (count, features, "a", seed)
        for seed in range(SEEDS)
        for count, features in itertools.product(COUNTS[:-1], ("pca", "vae"))
        if features == "pca" or seed < SEEDS_A
    ]
    names = ("count", "features", "variant", "seed")
    return [dict(zip(names, key, strict=True)) for key in (*plan_b, *plan_a)]


def main() -> None:
    record = Record(
        "features",
        "classifiers on pixels, PCA and VAE features of the shipped digits, few of them labelled: "
        "of 24 pipelines the best in cross-validation, and its predictions of 500 test digits; for "
        "every setting of the features, the accuracy of SVC(C=10) on 500 validation digits",
        command="python data/recipes/record_features.py",
        packages=["scikit-learn"],
        counts=COUNTS,
        folds=FOLDS,
        schedule=SCHEDULE,
        classifiers=CLASSIFIERS,
        settings={"-".join(key): value for key, value in SETTINGS.items()},
        y_test="".join(map(str, digits().y_test)),
    )
    transformers = [
        {"features": features, "setting": setting, "seed": seed}
        for seed, features in itertools.product(range(SEEDS), ("raw", "pca", "vae"))
        for setting in SETTINGS[features, "b"]
    ]
    record.complete(transformers, fixed_svm)
    record.complete(searches(), few_labels)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        main()
