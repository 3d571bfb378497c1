"""Checks of the exercises of notebook 41, evaluation."""

from helpers.exercises import call, chosen, exercise, is_close
import numpy as np


@exercise("41.1")
def test_examples(answer) -> str | None:
    if is_close(answer, 0.95 * 0.05 / 0.005**2, 1):
        return None
    if is_close(answer, 0.95 * 0.05 / 0.01**2, 1):
        return "That gives a standard deviation of one point; half of it takes four times as many."
    if is_close(answer, 0.5 * 0.5 / 0.005**2, 1):
        return "That is for p = 0.5, the worst case; a good model's score scatters less."
    if is_close(answer, np.sqrt(0.95 * 0.05) / 0.005, 1):
        return "Square it: m stands under the root."
    return "Solve sqrt(p (1 - p) / m) = 0.005 for m, with p = 0.95."


def _parts(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hit = np.diag(confusion)
    return hit, confusion.sum(axis=0), confusion.sum(axis=1)


def _each(confusion: np.ndarray) -> np.ndarray:
    hit, answered, real = _parts(confusion)
    return np.divide(2 * hit, answered + real, out=np.zeros(len(hit)), where=answered + real > 0)


@exercise("41.2")
def macro_f1(answer) -> str | None:
    confusion = np.array([[50, 9, 1], [4, 20, 6], [8, 0, 2]])
    hit, answered, real = _parts(confusion)
    with np.errstate(all="ignore"):
        got = np.asarray(call(answer, confusion.copy()), dtype="float64")
        empty = np.pad(confusion, (0, 1))  # a fourth class that never occurs
        got_empty = np.asarray(call(answer, empty.copy()), dtype="float64")
    if got.shape != ():
        return f"One number for the whole matrix, not an array of shape {got.shape}."
    precision, recall = (hit / answered).mean(), (hit / real).mean()
    wrong = {
        hit.sum() / confusion.sum(): "That is micro-F1, which is the accuracy.",
        _each(confusion) @ real / real.sum(): "That is weighted by class size; macro is the plain "
        "mean of the classes.",
        _each(confusion) @ answered / answered.sum(): "That is weighted by the answers; macro is "
        "the plain mean of the classes.",
        2 * precision * recall / (precision + recall): "First F1 of each class, then the mean; you "
        "averaged precision and recall first.",
        recall: "That is the mean recall, the balanced accuracy.",
        precision: "That is the mean precision.",
        _each(confusion)[1]: "That is the F1 of class 1 alone, average='binary'.",
    }
    if np.isclose(got, _each(confusion).mean()):
        if np.isclose(got_empty, _each(empty).mean()):
            return None
        return "Right where every class occurs; one that never occurs must count as 0, not 0/0."
    for value, hint in wrong.items():
        if np.isclose(got, value):
            return hint
    return "F1 of class k is 2 TP / (2 TP + FP + FN): twice the diagonal over row sum + column sum."


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
def triplets(answer) -> str | None:
    same_fold = 59 / 299 * 58 / 298  # both copies in the fold of the test row
    if is_close(answer, 1 - 0.5 * same_fold, 0.0006):
        return None
    if is_close(answer, 1 - same_fold, 0.0006):
        return "Without a copy in the training part it is still a coin: right half the time."
    if is_close(answer, 1 - 0.5 * 59 / 299, 0.0006):
        return "That is for twins: here both other copies must be in the same fold to lose."
    if is_close(answer, 1 - 0.5 * 0.2 * 0.2, 0.0003):
        return "Close: the row itself takes a place of its fold, so 59 of 299, then 58 of 298."
    if is_close(answer, 100 * (1 - 0.5 * same_fold), 0.06):
        return "As a share between 0 and 1, please."
    return "When do both other copies fall into the same fold of 60? Only then is it a coin."


@exercise("41.5")
def honest_report(answer) -> str | None:
    hints = {
        "a": "Each score is held out, but the best of 50 was chosen by them: the winner's curse.",
        "b": "An interval does not know that 50 candidates were tried on the same test set.",
        "c": None,
        "d": "Each best_score_ is a maximum over 50; the mean of maxima is still too high.",
    }
    return chosen(answer, hints)
