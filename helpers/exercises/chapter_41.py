"""Checks of the exercises of notebook 41, evaluation."""

from helpers.exercises import call, chosen, exercise, number
import numpy as np


@exercise("41.1")
def test_examples(answer) -> str | None:
    ideas = {
        0.95
        * 0.05
        / 0.01**2: "That gives a standard deviation of one point; half of it takes four times as "
        "many.",
        0.5
        * 0.5
        / 0.005**2: "That is for p = 0.5, the worst case; a good model's score scatters less.",
        np.sqrt(0.95 * 0.05) / 0.005: "Square it: m stands under the root.",
        0.95 * 0.05 / (0.005 / 1.96) ** 2: "That is for a 95 % interval of half a point to either "
        "side; asked is the standard deviation.",
    }
    general = "Solve sqrt(p (1 - p) / m) = 0.005 for m, with p = 0.95."
    return number(answer, 1900, 3, general, ideas)


def _fold_scores(distances: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> float:
    blocked = np.where(folds[:, None] == folds, np.inf, distances)
    correct = labels[blocked.argmin(axis=1)] == labels
    return float(np.mean([correct[folds == fold].mean() for fold in np.unique(folds)]))


def _nearest(distances, labels, train, test) -> float:
    """Accuracy on the rows `test` of one nearest neighbour among the rows `train`."""
    nearest = train[distances[np.ix_(test, train)].argmin(axis=1)]
    return float((labels[nearest] == labels[test]).mean())


def _tests(distances: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> dict[str | None, float]:
    """The right answer (under None), and what wrong ideas would return, with their hints."""
    rows, train, test = np.arange(len(labels)), *(np.flatnonzero(m) for m in (folds, folds == 0))
    inner = [_fold_scores(d[np.ix_(train, train)], labels[train], folds[train]) for d in distances]
    everywhere = [_fold_scores(each, labels, folds) for each in distances]
    in_drawer = [_nearest(each, labels, train, test) for each in distances]
    winner, peeked = distances[np.argmax(inner)], distances[np.argmax(everywhere)]
    apart = winner + np.diag(np.full(len(rows), np.inf))
    inside = _fold_scores(winner, labels, folds)
    outer = [
        _nearest(distances[best], labels, np.flatnonzero(folds != f), np.flatnonzero(folds == f))
        for f, best in ((f, _search_without(distances, labels, folds, f)) for f in np.unique(folds))
    ]
    return {
        None: _nearest(winner, labels, train, test),
        "That is the score that chose the winner; return its score on fold 0.": max(inner),
        "The search has seen fold 0: search on the other folds only.": _nearest(
            peeked, labels, train, test
        ),
        "The drawer chose the winner: search on the other folds only.": max(in_drawer),
        "The test rows are in the training part and find themselves: train on the other folds.": (
            _nearest(winner, labels, rows, test)
        ),
        "The test rows find each other: take the nearest row among the other folds.": (
            _nearest(apart, labels, rows, test)
        ),
        "That is the winner's cross-validated score on all folds; asked is fold 0 alone.": inside,
        "That is nested evaluation; here one drawer is enough, fold 0.": float(np.mean(outer)),
    }


def _search_without(distances, labels, folds, fold) -> int:
    kept = np.flatnonzero(folds != fold)
    inner = [d[np.ix_(kept, kept)] for d in distances]
    return int(np.argmax([_fold_scores(each, labels[kept], folds[kept]) for each in inner]))


@exercise("41.2")
def fresh_test(answer) -> str | None:
    rng, given, known = np.random.default_rng(41), [], []
    for _ in range(12):
        views = rng.standard_normal((15, 60, 3))
        distances = ((views[:, :, None] - views[:, None]) ** 2).sum(axis=-1)
        labels, folds = rng.integers(0, 2, 60), rng.permutation(np.arange(60) % 5)
        known.append(_tests(distances, labels, folds))
        got = np.asarray(
            call(answer, distances.copy(), labels.copy(), folds.copy()), dtype="float64"
        )
        if got.shape != ():
            return f"Return one number, the accuracy on fold 0; yours has shape {got.shape}."
        given.append(float(got))
    for hint in known[0]:
        if np.allclose(given, [case[hint] for case in known]):
            return hint
    return "Rows with folds != 0 search and train; rows with folds == 0 are only tested."


@exercise("41.3")
def candidates_below(answer) -> str | None:
    if isinstance(answer, (str, bytes)) or float(answer) != int(answer):
        return "A whole number of candidates."
    right = 7  # the expected best of 7 is 54.8 %, of 8 it is 55.03 %
    if int(answer) == right:
        return None
    if int(answer) == right + 1:
        return "One too many: with that number the expected best is already 55 % or more."
    if int(answer) < right:
        return "You may try more than that; go on until expected_best(c, 200) reaches 0.55."
    return "Too many: the expected best of that number is 55 % or more."


@exercise("41.4")
def honest_report(answer) -> str | None:
    hints = {
        "a": None,
        "b": "An interval does not know that 50 candidates were tried on the same test set.",
        "c": "Each of the 20 is a maximum over 50; the mean of maxima is still too high.",
        "d": "Each score is held out, but the best of 50 was chosen by them: the winner's curse.",
    }
    return chosen(answer, hints)
