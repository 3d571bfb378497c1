"""Checks of the exercises of notebook 32, a VAE over names."""

from helpers import data
from helpers.elbo import gaussian_kl
from helpers.exercises import chosen, exercise, number
from helpers.vae import evaluate, text
import numpy as np


@exercise("32.1")
def what_a_code_saves(answer) -> str | None:
    ideas = {
        np.log(4): "That is the KL of the perfect code. What does each model pay in total?",
        3 * np.log(4): "That is the saving in reconstruction; the code itself costs something too.",
        -2 * np.log(4): "The size is right; by how much is it lower? A positive number.",
        4.0: "That is in bits, and the right number of them. One bit is ln 2 nats.",
    }
    general = "Write reconstruction + KL for both, as in the toy with aa and bb; ln 4, not ln 2."
    return number(answer, 2 * np.log(4), 2, general, ideas)


@exercise("32.2")
def song_lyrics(answer) -> str | None:
    hints = {
        "a": "The loss is that of the whole model. Which of its two terms speaks of the codes?",
        "b": "With 0.04 nats not even two songs can be told apart: e to the 0.04 is 1.04.",
        "c": None,
    }
    return chosen(answer, hints)


@exercise("32.3")
def useful_code(answer) -> str | None:
    if not isinstance(answer, text.TextVAE):
        return f"The answer is a trained helpers.vae.text.TextVAE, not {type(answer).__name__}."
    x = data.load("names").x_val
    nats = -evaluate.elbo(answer, x, samples=10).mean()
    kl = np.mean(gaussian_kl(*answer.encoder(x)))
    if nats > 22:
        return f"-ELBO {nats:.1f} nats: is the model trained?"
    exact = text.exact_share(answer, x)
    if exact < 0.12 and kl < 1:
        return f"The KL is {kl:.2f} nats: still collapsed. A smaller beta at first, or free bits?"
    if exact < 0.12:
        return f"KL {kl:.1f} nats, but {exact:.1%} come back: a code can cost and say little."
    if nats >= 14.9:
        return (
            f"{exact:.1%} come back, but -ELBO is {nats:.2f}: too high. A milder cure, or longer?"
        )
    return None
