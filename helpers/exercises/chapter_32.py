"""Checks of the exercises of notebook 32, a VAE over names."""

from helpers import data
from helpers.elbo import gaussian_kl
from helpers.exercises import call, chosen, exercise, is_close
from helpers.vae import evaluate, text
import numpy as np


@exercise("32.1")
def what_a_code_saves(answer) -> str | None:
    if is_close(answer, 2 * np.log(4), 0.005):
        return None
    if is_close(answer, np.log(4), 0.005):
        return "That is the KL of the perfect code. What does each model pay in total?"
    if is_close(answer, 3 * np.log(4), 0.005):
        return "That is the saving in reconstruction; the code itself costs something too."
    if is_close(answer, -2 * np.log(4), 0.005):
        return "The size is right; the question asks by how much it is lower, a positive number."
    if is_close(answer, 4, 0.005):
        return "That is in bits, and the right number of them. One bit is ln 2 nats."
    return "Write reconstruction + KL for both, as in the toy with aa and bb; here ln 4, not ln 2."


def _nats(x: np.ndarray, log_p: np.ndarray) -> np.ndarray:
    """The same by a loop over symbols, for comparison."""
    totals = []
    for row, table in zip(x, log_p, strict=True):
        total = 0.0
        for symbol, place in zip(row, table, strict=True):
            total += place[symbol]
            if symbol == 0:
                break
        totals.append(total)
    return np.array(totals)


@exercise("32.2")
def likelihood_in_numpy(answer) -> str | None:
    rng = np.random.default_rng(0)
    for x, symbols in (
        (np.array([[1, 2, 0, 0], [2, 1, 1, 2], [0, 0, 0, 0], [1, 0, 0, 0]]), 3),
        (text.all_strings(3, 4), 4),
    ):
        scores = rng.normal(size=(*x.shape, symbols))
        log_p = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        got, expected = np.asarray(call(answer, x.copy(), log_p.copy())), _nats(x, log_p)
        if got.shape != expected.shape:
            return f"{len(x)} strings need {len(x)} numbers; yours has shape {got.shape}."
        if np.allclose(got, expected):
            continue
        picked = np.take_along_axis(log_p, x[..., None], axis=-1)[..., 0]
        if np.allclose(got, -expected):
            return "The sign is flipped: a log-likelihood is never above 0."
        if np.allclose(got, picked.sum(axis=1)):
            return "You also count the places after the end, where there is nothing left to say."
        if np.allclose(got, (picked * (x > 0)).sum(axis=1)):
            return "The end itself counts: where a string stops is information too."
        if np.allclose(got, expected / x.shape[1]):
            return "Sum over the places; you took their mean."
        return "Try a string of all places full, an empty one, and one in between by hand."
    return None


@exercise("32.3")
def song_lyrics(answer) -> str | None:
    hints = {
        "a": "The loss is that of the whole model. Which of its two terms speaks of the codes?",
        "b": None,
        "c": "With 0.04 nats not even two songs can be told apart: e to the 0.04 is 1.04.",
    }
    return chosen(answer, hints)


@exercise("32.4")
def buy_a_code(answer) -> str | None:
    if not isinstance(answer, text.TextVAE):
        return f"The answer is a trained helpers.vae.text.TextVAE, not {type(answer).__name__}."
    x = data.load("names").x_val
    nats = -evaluate.elbo(answer, x, samples=10).mean()
    kl = np.mean(gaussian_kl(*answer.encoder(x)))
    if nats > 22:
        return f"-ELBO {nats:.1f} nats: is the model trained?"
    if kl < 1:
        return f"The KL is {kl:.2f} nats: still collapsed. A cheaper code, or a weaker decoder?"
    if nats >= 14.9:
        return f"KL {kl:.1f} nats, but -ELBO {nats:.2f}: that is too dear. A milder cure?"
    return None
