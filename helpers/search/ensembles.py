"""What a search has paid for, kept and put together: the predictions and models of every fold."""

from pathlib import Path

import joblib
import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing


class KeepPredictions:
    """A scorer, for any search class, that keeps each fold's model and what it predicts there.

    It scores minus the log loss in nats, or for a regressor minus the squared error.

    Args:
        folder: where; all processes of a search must reach it.

    Example:
        >>> search = GridSearchCV(model, grid, scoring=(keep := KeepPredictions("kept"))).fit(X, y)
        >>> predictions, models = keep.of(search, X, y)
        >>> weights = ensemble_selection(predictions)
    """

    def __init__(self, folder) -> None:
        self.folder = Path(folder)

    def __call__(self, estimator, X, y) -> float:
        predicted = predictions_of(estimator, X, y)
        self.folder.mkdir(parents=True, exist_ok=True)
        joblib.dump((predicted, estimator), self._file(estimator, X, y))
        return -(nats(predicted) if is_classifier(estimator) else np.mean((predicted - y) ** 2))

    def _file(self, estimator, X, y) -> Path:
        return self.folder / f"{joblib.hash([clone(estimator), X, y])}.kept"

    def of(self, search, X, y) -> tuple[np.ndarray, list]:
        """Out-of-fold predictions, shape (candidates, rows), and models, [candidate][fold].

        The candidates are those of `cv_results_`; where a fit has failed, they are NaN and None.
        """
        folds = check_cv(search.cv, y, classifier=is_classifier(search.estimator)).split(X, y)
        parts = [(held, _safe_indexing(X, held), _safe_indexing(y, held)) for _, held in folds]
        tried = search.cv_results_["params"]
        predictions, models = np.full((len(tried), len(y)), np.nan), [[] for _ in tried]
        for row, of_folds, params in zip(predictions, models, tried, strict=True):
            candidate = clone(search.estimator).set_params(**clone(params, safe=False))
            for held, *part in parts:
                file = self._file(candidate, *part)
                row[held], model = joblib.load(file) if file.exists() else (np.nan, None)
                of_folds.append(model)
        return predictions, models


def predictions_of(estimator, X, y) -> np.ndarray:
    """The probability of each row's class, 0 if never seen; of a regressor, the prediction."""
    if not is_classifier(estimator):
        return np.asarray(estimator.predict(X))
    seen = np.column_stack([estimator.predict_proba(X), np.zeros(len(y))])
    place = {name: column for column, name in enumerate(estimator.classes_)}
    return seen[np.arange(len(y)), [place.get(name, -1) for name in y]]


def nats(probability: np.ndarray) -> np.ndarray:
    """Log loss of the probabilities of what came, mean over the last axis."""
    return -np.log(np.maximum(probability, np.finfo("float32").eps)).mean(axis=-1)


def ensemble_selection(
    predictions, loss=nats, rounds: int = 50, bags: int = 1, share: float = 0.5, seed: int = 0
) -> np.ndarray:
    """Weights, by adding one candidate after the other, with replacement, where it helps most.

    Args:
        predictions: shape (candidates, rows), out of fold. A candidate with NaN has no weight.
        loss: of averaged predictions, shape (..., rows), to losses of shape (...).
        rounds: additions.
        bags: repetitions, each on a random `share` of the candidates if more than 1; their mean.

    Raises:
        ValueError: no candidate has all its predictions.

    Source: Caruana, Niculescu-Mizil, Crew and Ksikes 2004.
    """
    whole = np.flatnonzero(np.isfinite(predictions).all(axis=1))
    if len(whole) == 0:
        raise ValueError("predictions must hold a candidate without NaN, got none")
    rng, counts = np.random.default_rng(seed), np.zeros(len(predictions))
    size = int(np.ceil(share * len(whole))) if bags > 1 else len(whole)
    for _ in range(bags):
        pool, total = rng.choice(whole, size, replace=False), 0.0
        for count in range(1, rounds + 1):
            best = pool[np.argmin(loss((total + predictions[pool]) / count))]
            total = total + predictions[best]
            counts[best] += 1
    return counts / counts.sum()
