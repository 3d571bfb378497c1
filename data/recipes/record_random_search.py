"""Grid, random search, Latin hypercube, Sobol and bad scales at equal budgets, over many seeds.

    python data/recipes/record_random_search.py

A live, continuous space of three parameters: PCA before a support vector machine, on scikit-learn's
digits. Every seed has its own 300 images, its own folds and designs; the winner is scored on
the other 1,497 images, beside the defaults of PCA and support vector machine. Written to
data/results/random_search.json after every seed; a run that was stopped goes on where it was. Takes
about five minutes of one core.
"""

import numpy as np
from recording import Record
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

SEEDS, IMAGES, FOLDS = 60, 300, 3
SPACE = {
    "pca__n_components": stats.randint(2, 61),
    "svc__C": stats.loguniform(1e-2, 1e3),
    "svc__gamma": stats.loguniform(1e-6, 1e-1),
}
UNIFORM = SPACE | {
    "svc__C": stats.uniform(1e-2, 1e3 - 1e-2),
    "svc__gamma": stats.uniform(1e-6, 1e-1 - 1e-6),
}


def designs(rng: np.random.Generator) -> dict[str, tuple[dict, np.ndarray]]:
    """name -> (space, points of the unit cube, shape (budget, 3)).

    The grids have one random offset per axis, between 0 and 1 cell: nobody knew where to put them.
    Sobol's first 8 points are balanced, its first 27 only nearly.
    """

    def grid(side: int) -> np.ndarray:
        axes = (np.arange(side) + rng.random((3, 1))) / side
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)

    return {
        "grid, 2 x 2 x 2": (SPACE, grid(2)),
        "grid, 3 x 3 x 3": (SPACE, grid(3)),
        "random": (SPACE, rng.random((27, 3))),
        "Latin hypercube": (SPACE, stats.qmc.LatinHypercube(3, rng=rng).random(27)),
        "random, uniform scales": (UNIFORM, rng.random((27, 3))),
        "Sobol": (SPACE, stats.qmc.Sobol(3, rng=rng).random_base2(5)[:27]),
    }


def to_params(space: dict, point: np.ndarray) -> dict:
    """A point of the unit cube -> parameters, through the quantiles of the distributions."""
    values = {name: float(law.ppf(u)) for (name, law), u in zip(space.items(), point, strict=True)}
    return values | {"pca__n_components": int(values["pca__n_components"])}


def one_seed(seed: int) -> dict:
    X, y = load_digits(return_X_y=True)
    X, X_rest, y, y_rest = train_test_split(X, y, train_size=IMAGES, random_state=seed, stratify=y)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    result = {}
    for name, (space, points) in designs(np.random.default_rng(seed)).items():
        params = [to_params(space, point) for point in points]
        scores = []
        for values in params:
            model = make_pipeline(PCA(random_state=0), SVC()).set_params(**values)
            scores.append(round(float(cross_val_score(model, X, y, cv=folds).mean()), 4))
        result[name] = {"scores": scores}
        for budget in (8, 27):
            if budget <= len(scores):
                best = params[int(np.argmax(scores[:budget]))]
                model = make_pipeline(PCA(random_state=0), SVC()).set_params(**best).fit(X, y)
                result[name][f"held_out_{budget}"] = round(float(model.score(X_rest, y_rest)), 4)
                result[name][f"best_{budget}"] = best
    defaults = make_pipeline(PCA(random_state=0), SVC()).fit(X, y)
    return result | {"defaults": {"held_out": round(float(defaults.score(X_rest, y_rest)), 4)}}


if __name__ == "__main__":
    record = Record(
        "random_search",
        f"PCA and SVC on digits; per seed {IMAGES} images with {FOLDS}-fold accuracy, the "
        "winner on the other 1,497; n_components 2 to 60, C 0.01 to 1000, gamma 1e-6 to 0.1 on "
        "logarithmic scales, but for the design with uniform scales; defaults: all components",
        command="python data/recipes/record_random_search.py",
        packages=["scikit-learn"],
    )
    with threadpool_limits(1):  # the arrays are small: threads would only wait for each other
        record.complete([{"seed": seed} for seed in range(SEEDS)], one_seed)
