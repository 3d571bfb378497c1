"""Record what VAE features are worth to a classifier with few labels, beside PCA and raw pixels.

    python data/recipes/record_features.py

Labels take part only where this says so. Four kinds of runs:

**Settings.** PCA and the VAE with each setting of the first edition, trained on all 4,000 training
images; a fixed SVM learns from the labelled digits and is scored on the 500 validation digits.

**Scales.** The scale of features as a factor. One setting each, chosen by looking at the first
table: 32 components, 32 latents with beta = 0.25. As they are ("own"); with a standard deviation of
1 each ("standardised"); without correlation as well ("white": of PCA the same thing); and the
VAE's codes decoded, so that distances are those of pixels again, as those of PCA's codes are.
Scales, too, are learned from the 4,000 images. Two fixed classifiers, scored on the 10,000 test
images of MNIST, which chose nothing (data/mnist.npz, see data/README.md).

**Sources.** Do unlabelled images help? The same features learned from the labelled images alone,
with as many steps (the images are repeated until they are 4,000), and with half as many; same
scores. The other side of each pair is "own" among the scales.

**Searches.** Each form of features with the same 24 classifiers, eight of each kind. An evaluation
is a 3-fold cross-validation on the labelled digits; settings of the features are dealt at random,
each equally often. The best pipeline meets the 500 test digits once. Features are trained on all
4,000 training images, and within a cross-validation have seen the held-out images (no labels).
With all labels raw pixels and PCA have nothing left to draw but how settings are dealt, so they run
once, and only in their own scale.

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
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

COUNTS, SEEDS, SEEDS_SCALES, FOLDS = (50, 100, 500, 4000), 6, 10, 3
CLASSIFIERS = [
    *({"classifier": "logistic", "C": 10.0**e} for e in (-2, -1.5, -1, -0.5, 0, 0.5, 1, 2)),
    *({"classifier": "svm", "C": 10.0**e} for e in (-1, -0.5, 0, 0.5, 1, 1.5, 2, 3)),
    *(
        {"classifier": "neighbours", "n_neighbors": k, "weights": w}
        for k, w in itertools.product((1, 2, 3, 5), ("uniform", "distance"))
    ),
]
SETTINGS = {
    "raw": [{}],
    "pca": [{"n_components": k} for k in (8, 16, 32, 64)],
    "vae": [{"latent_dim": k, "beta": beta} for k in (8, 32) for beta in (0.25, 1.0)],
}
CHOSEN = {"raw": {}, "pca": {"n_components": 32}, "vae": {"latent_dim": 32, "beta": 0.25}}
FIXED = {
    "svm": {"classifier": "svm", "C": 10.0},
    "neighbour": {"classifier": "neighbours", "n_neighbors": 1, "weights": "uniform"},
}
SCALES = [
    *itertools.product(("raw",), ("own", "standardised")),
    *itertools.product(("pca",), ("own", "white")),
    *itertools.product(("vae",), ("own", "standardised", "white", "decoded")),
]
SEARCHED = [pair for pair in SCALES if pair != ("vae", "white")]
EPOCHS = 14  # of 40 steps with 100 images
SOURCES = [("pca", 0), ("vae", EPOCHS), ("vae", EPOCHS // 2)]


def transformer(features: str, setting: dict, seed: int, epochs: int = EPOCHS):
    """An unfitted transformer."""
    if features == "raw":
        return FunctionTransformer()
    if features == "pca":
        return PCA(random_state=seed, **setting)
    return VAETransformer(epochs=epochs, batch_size=100, random_state=seed, **setting)


def in_scale(model, scale: str, images: np.ndarray):
    """A fitted transformer whose features have another scale, which `images` decide."""
    if scale == "own":
        return model
    if scale == "decoded":
        last = FunctionTransformer(model.inverse_transform)
    else:
        last = {"standardised": StandardScaler(), "white": PCA(whiten=True)}[scale]
    last.fit(model.transform(images))
    return Pipeline([("features", model), ("scale", last)])


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


def best_of_24(x, y, x_test, models: list, settings: list[dict], seed: int) -> dict:
    """Cross-validate 24 pipelines on (x, y); the best meets `x_test`.

    Args:
        models: a fitted transformer for each setting. It is used for training, held-out and test
            images alike.
    """
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y))
    dealt, scores = deal(settings, seed), np.zeros((24, FOLDS))
    codes = [model.transform(x) for model in models]
    for which, (number, params) in enumerate(zip(dealt, CLASSIFIERS, strict=True)):
        for fold, (train, held) in enumerate(folds):
            one = classifier(params).fit(codes[number][train], y[train])
            scores[which, fold] = one.score(codes[number][held], y[held])
    best = int(scores.mean(axis=1).argmax())
    final = classifier(CLASSIFIERS[best]).fit(codes[dealt[best]], y)
    return {
        "winner": CLASSIFIERS[best] | settings[dealt[best]],
        "cv": round(float(scores[best].mean()), 4),
        "evaluations": len(CLASSIFIERS),
        "predictions": "".join(map(str, final.predict(models[dealt[best]].transform(x_test)))),
    }


@cache
def digits() -> data.Dataset:
    return data.load("mnist-5k")


@cache
def mnist_test() -> tuple[np.ndarray, np.ndarray]:
    """The 10,000 test images of MNIST and their labels. The shipped digits are none of them."""
    full = data.load("mnist")
    if full.name != "mnist":
        raise FileNotFoundError("data/mnist.npz is missing, see data/README.md")
    return flat(full.x_test), full.y_test


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


@cache
def trained(features: str, setting: str, scale: str, seed: int) -> tuple:
    """A transformer trained on all 4,000 training images, and its CPU seconds. No label is used.

    Args:
        setting: as JSON, to be a key of the cache.
    """
    began, images = time.process_time(), flat(digits().x_train)
    if scale == "own":
        model = transformer(features, json.loads(setting), seed).fit(images)
    else:
        model = in_scale(trained(features, setting, "own", seed)[0], scale, images)
    return model, round(time.process_time() - began, 2)


def fixed_svm(features: str, setting: dict, seed: int) -> dict:
    """What one trained transformer is worth to one fixed SVM, on the validation digits."""
    model, seconds = trained(features, json.dumps(setting), "own", seed)
    y, y_val = digits().y_train, digits().y_val
    codes, seen = (model.transform(flat(x)) for x in (digits().x_train, digits().x_val))
    accuracy = {}
    for count in COUNTS:
        rows = labelled(y, count, seed)
        score = SVC(C=10).fit(codes[rows], y[rows]).score(seen, y_val)
        accuracy[str(count)] = round(float(score), 4)
    return {"fit_seconds": seconds, "accuracy": accuracy}


def fixed(model, counts, seed: int) -> dict:
    """Accuracies of the fixed classifiers on MNIST's test images, from `counts` labelled digits."""
    x, y, (x_test, y_test) = flat(digits().x_train), digits().y_train, mnist_test()
    seen, accuracy = model.transform(x_test), {}
    for name, count in itertools.product(FIXED, counts):
        rows = labelled(y, count, seed)
        one = classifier(FIXED[name]).fit(model.transform(x[rows]), y[rows])
        accuracy.setdefault(name, {})[str(count)] = round(float(one.score(seen, y_test)), 4)
    return {"accuracy": accuracy}


def scales(features: str, scale: str, seed: int) -> dict:
    """Features in one scale, for fixed classifiers; with all labels only where seeds differ."""
    counts = COUNTS if features == "vae" or seed == 0 else COUNTS[:-1]
    return fixed(trained(features, json.dumps(CHOSEN[features]), scale, seed)[0], counts, seed)


def sources(features: str, epochs: int, count: int, seed: int) -> dict:
    """The same from the labelled images alone, which fill the epoch by being repeated."""
    images = flat(digits().x_train)[labelled(digits().y_train, count, seed)]
    model = transformer(features, CHOSEN[features], seed, epochs)
    return fixed(model.fit(np.resize(images, (4000, images.shape[1]))), (count,), seed)


def searches(searched: str, scale: str, count: int, seed: int) -> dict:
    """The search with so many labelled digits, and what its winner says to the test digits."""
    rows, settings = labelled(digits().y_train, count, seed), SETTINGS[searched]
    x, y, x_test = flat(digits().x_train)[rows], digits().y_train[rows], flat(digits().x_test)
    models = [trained(searched, json.dumps(setting), scale, seed)[0] for setting in settings]
    began = time.process_time()  # the training is over
    found = best_of_24(x, y, x_test, models, settings, seed)
    right = np.equal(list(found["predictions"]), digits().y_test.astype(str))
    seconds = round(time.process_time() - began, 2)
    return {"accuracy": float(right.mean()), **found, "cpu_seconds": seconds}


def plans() -> dict:
    """The keys of all runs, for the function that makes them."""
    few = COUNTS[:-1]
    all_labels = {("vae", "own", seed) for seed in range(SEEDS)}
    all_labels |= {("raw", "own", 0), ("pca", "own", 0)}
    return {
        fixed_svm: [
            {"features": features, "setting": setting, "seed": seed}
            for seed, features in itertools.product(range(SEEDS), SETTINGS)
            for setting in SETTINGS[features]
        ],
        scales: [
            {"features": features, "scale": scale, "seed": seed}
            for seed in range(SEEDS_SCALES)
            for features, scale in SCALES
        ],
        searches: [
            {"searched": searched, "scale": scale, "count": count, "seed": seed}
            for seed, (searched, scale) in itertools.product(range(SEEDS), SEARCHED)
            for count in COUNTS
            if count in few or (searched, scale, seed) in all_labels
        ],
        sources: [
            {"features": features, "epochs": epochs, "count": count, "seed": seed}
            for seed in range(SEEDS_SCALES)
            for (features, epochs), count in itertools.product(SOURCES, few)
        ],
    }


def main() -> None:
    record = Record(
        "features",
        "classifiers on pixels, PCA and VAE features of the shipped digits, few of them labelled. "
        "setting: SVC(C=10) on 500 validation digits; scale without count: two fixed classifiers "
        "on the 10,000 test images of MNIST; epochs: the same, features of the labelled images "
        "alone; searched: of 24 pipelines the best in cross-validation, and its predictions of 500 "
        "test digits",
        command="python data/recipes/record_features.py",
        packages=["scikit-learn"],
        counts=COUNTS,
        folds=FOLDS,
        epochs=EPOCHS,
        classifiers=CLASSIFIERS,
        settings=SETTINGS,
        chosen=CHOSEN,
        fixed=FIXED,
        y_test="".join(map(str, digits().y_test)),
    )
    for run, plan in plans().items():
        record.complete(plan, run)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        main()
