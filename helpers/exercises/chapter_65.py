"""Checks of the exercises of notebook 65, are the features worth it."""

import math

from helpers.exercises import call, chosen, exercise, number
import numpy as np


@exercise("65.1")
def loading_where_pca_turns(answer) -> str | None:
    shift, loading = 1.5, 1.5
    within = "The unlabelled data do not know the classes: their distance is variance as well."
    return number(
        answer,
        loading * math.sqrt(shift**2 + 1),
        3,
        "Where the two directions have the same variance: set loading**2 + 1 equal to 8.31.",
        {
            loading: within,
            math.sqrt(loading**2 + 1): within,
            loading**2 * (shift**2 + 1): "That is the square of the loading; take its root.",
            loading**2 * (shift**2 + 1) + 1: "That is the variance of the label's direction.",
            math.sqrt(loading**2 * (shift**2 + 1) + 1): "The noise adds 1 to both directions.",
        },
    )


@exercise("65.2")
def which_is_a_leak(answer) -> str | None:
    return chosen(
        answer,
        {
            "a": "No leak: a Pipeline refits PCA on the training part of every fold.",
            "b": "No leak into the test: unlabelled *training* images, as stated beforehand.",
            "c": None,
            "d": "No leak: test images are only transformed; nothing is learned from them.",
        },
    )


@exercise("65.3")
def linear_vae_features(answer) -> str | None:
    rng = np.random.default_rng(65)
    mixing = np.linalg.qr(rng.normal(size=(6, 6)))[0] * [3.0, 2.0, 1.5, 0.5, 0.5, 0.5]
    x_train, x = (rng.normal(size=(n, 6)) @ mixing.T + 2 for n in (200, 40))
    got = np.asarray(call(answer, x_train.copy(), x.copy(), 3), dtype="float64")
    if got.shape != (len(x), 3):
        return f"Expected shape {(len(x), 3)}, a row for each row of x; got {got.shape}."

    def is_like(wanted: np.ndarray) -> bool:
        return np.allclose(abs(got), abs(wanted), rtol=0.02, atol=0.02)

    scores, values, noise = _pca(x_train, x)
    factor = np.sqrt(values - noise) / values
    if is_like(scores * factor):
        return None
    if is_like(scores):
        return "These are the PCA scores as they are: multiply each by its factor."
    if is_like(scores / np.sqrt(values)):
        return "That is PCA whitened; a linear VAE's factor takes the noise off: lambda - sigma^2."
    if is_like(scores * np.sqrt(values - noise)):
        return "That is how the decoder stretches; divide by lambda as well."
    if is_like(scores * (values - noise) / values):
        return "Take the root of lambda - sigma^2."
    scores, values, noise = _pca(x, x)
    if is_like(scores * np.sqrt(values - noise) / values):
        return "You fitted PCA on x, the new examples: fit it on x_train, and only transform x."
    return "Fit PCA(k) on x_train, transform x, multiply score i by sqrt(lambda_i - s2) / lambda_i."


def _pca(x_train: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Three scores of x, their variances in x_train, and the mean of the variances left out."""
    values, vectors = np.linalg.eigh(np.cov(x_train.T))
    scores = (x - x_train.mean(axis=0)) @ vectors[:, :-4:-1]
    return scores, values[:-4:-1], values[:-3].mean()


@exercise("65.4")
def rows_that_leak(answer) -> str | None:
    rng = np.random.default_rng(43)
    x = rng.random((12, 5)).astype("float32")
    mixed = np.array([[1, 2], [3, 4]], "float32"), np.array([[1, 4], [1, 2], [4, 3]], "float32")
    doubled = x[:4], x[[2, 2, 3, 9]]
    cases = [(x[:8], x[8:], 0), (x[:9], x[8:], 1), (x, x[8:], 4), (x[8:], x[:8], 0)]
    cases += [(x[[0, 3, 5]], x[[5, 3, 1]], 2), (*mixed, 1), (*doubled, 3), (doubled[1], x[:4], 2)]
    got = [float(call(answer, fitted.copy(), held.copy())) for fitted, held, _ in cases]
    target = [float(count) for *_, count in cases]
    if got == target:
        return None
    if got == [float(np.isin(held, fitted).sum()) for fitted, held, _ in cases]:
        return "You counted single pixels; a row leaks when all of its values occur in one row."
    if got == [float(np.isin(held, fitted).all(axis=1).sum()) for fitted, held, _ in cases]:
        return (
            "Both values of [1, 4] occur in [[1, 2], [3, 4]], the row does not: compare whole rows."
        )
    if got == [float(len(_rows(fitted) & _rows(held))) for fitted, held, _ in cases]:
        return "A held-out row that is there twice leaks twice: a set counts it once."
    if got == [float(count > 0) for count in target]:
        return "Return how many held-out rows occur, not whether one does."
    index = next(i for i, (a, b) in enumerate(zip(got, target, strict=True)) if a != b)
    return (
        f"With {len(cases[index][0])} rows fitted and {len(cases[index][1])} held out, "
        f"{target[index]:g} of the held-out rows were fitted; you return {got[index]:g}."
    )


def _rows(x: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in x}
