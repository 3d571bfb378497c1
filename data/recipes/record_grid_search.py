"""What the article's grid gains over the defaults, over twelve draws of the data.

    python data/recipes/record_grid_search.py

Every run draws its own 160 of scikit-learn's digits, folds and seed of the forest, searches the
source article's 144 random forests by 5-fold cross-validation, and scores what was chosen on the
other 1,637 digits. Only candidates that differ are computed, and a forest of 10, 50 or 100 trees is
the beginning of that of 200. Written to data/results/grid_search.json after every run; a
recording that was stopped goes on. Takes about eight minutes of one core.
"""

import functools

import numpy as np
from recording import Record
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, train_test_split

RUNS, IMAGES, FOLDS, SEEDS = 12, 160, 5, 4
TREES = (10, 50, 100, 200)
SHAPES = [
    {"max_depth": depth, "min_samples_leaf": leaf, "min_samples_split": split}
    for depth in (None, 10)  # 20 and 30 are None: no tree is so deep
    for leaf, splits in ((1, (2, 5, 10)), (2, (2, 5, 10)), (4, (2, 10)))
    for split in splits  # with leaf 4, 5 is 2
]
FEATURES = (4, 8, 16)  # of 64 pixels; the default is 8


def by_size(X, y, X_new, y_new, seed, **params) -> tuple[list[float], int]:
    """Accuracy of the first 10, 50, 100 and 200 trees of one forest, and its depth."""
    forest = RandomForestClassifier(max(TREES), random_state=seed, **params).fit(X, y)
    X_new = X_new.astype("float32")
    votes = np.cumsum([tree.tree_.predict(X_new) for tree in forest.estimators_], axis=0)
    guesses = [forest.classes_[votes[count - 1].argmax(axis=1)] for count in TREES]
    depth = max(tree.get_depth() for tree in forest.estimators_)
    return [float((guess == y_new).mean()) for guess in guesses], depth


def one_run(run: int) -> dict:
    X, y = load_digits(return_X_y=True)
    X, X_rest, y, y_rest = train_test_split(X, y, train_size=IMAGES, random_state=run, stratify=y)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=run).split(X, y))

    def validated(**params) -> tuple[np.ndarray, int]:
        """Accuracy of each size on each fold, shape (4, 5), and the depth."""
        scores = [by_size(X[t], y[t], X[v], y[v], run, **params) for t, v in folds]
        return np.array([accuracies for accuracies, _ in scores]).T, max(d for _, d in scores)

    @functools.cache
    def on_unseen(seed: int, **params) -> list[float]:
        return by_size(X, y, X_rest, y_rest, seed, **params)[0]

    def unseen(size: int, **params) -> list[float]:
        """On the digits that took no part, with four other seeds of the forest."""
        seeds = range(1000 + run * SEEDS, 1000 + (run + 1) * SEEDS)
        scores = [on_unseen(seed, **params)[TREES.index(size)] for seed in seeds]
        return np.round(scores, 5).tolist()

    free = [validated(**shape) for shape in SHAPES[:8]]
    assert max(depth for _, depth in free) < 20
    scores = [s for s, _ in free]
    for shape, (same, depth) in zip(SHAPES[8:], free, strict=True):
        scores.append(same if depth <= 10 else validated(**shape)[0])
    scores = np.array(scores)  # (16 shapes, 4 sizes, 5 folds)
    means = scores.mean(axis=2)
    shape, size = np.unravel_index(means.argmax(), means.shape)
    error = scores[shape, size].std(ddof=1) / np.sqrt(FOLDS)
    within = np.argwhere(means >= means.max() - error)
    cheap = min(within.tolist(), key=lambda place: (place[1], -means[tuple(place)]))
    tuned = {
        count: (scores[0] if count == 8 else validated(max_features=count)[0])[-1].mean()
        for count in FEATURES
    }
    features = max(tuned, key=tuned.get)
    chosen = {
        "winner": (TREES[size], SHAPES[shape]),
        "cheapest within one standard error": (TREES[cheap[1]], SHAPES[cheap[0]]),
        "defaults": (100, {}),
        "defaults, 200 trees": (200, {}),
        "best of three max_features, 200 trees": (200, {"max_features": features}),
    }
    scale = np.round(scores.mean(axis=2), 5).tolist()
    return {"validated": scale, "within": len(within)} | {
        name: {"n_estimators": count} | params | {"unseen": unseen(count, **params)}
        for name, (count, params) in chosen.items()
    }


if __name__ == "__main__":
    record = Record(
        "grid_search",
        f"the article's grid of forests on {IMAGES} digits per run, by {FOLDS}-fold accuracy: mean "
        "of each of 16 shapes x 4 numbers of trees, how many of these 64 are within one standard "
        "error of the best, and accuracy of what was chosen on the other 1,637 digits with "
        f"{SEEDS} other seeds of the forest",
        command="python data/recipes/record_grid_search.py",
        packages=["scikit-learn"],
        shapes=SHAPES,
        trees=TREES,
        features=FEATURES,
    )
    record.complete([{"run": run} for run in range(RUNS)], one_run)
