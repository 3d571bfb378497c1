"""Checks of the exercises of notebook 21, building a VAE."""

from helpers import data
from helpers.exercises import chosen, exercise, number
from helpers.vae import VAE, evaluate
import numpy as np

MOST_WEIGHTS, MOST_NATS = 160_000, 120


@exercise("21.1")
def variance_of_a_weighted_error(answer) -> str | None:
    general = "Write 500 * mse as the sum of squares divided by 2 * variance."
    ideas = {
        2.048: "Nearly: a Gaussian has half the squared error, divided by its variance.",
        4.096: "The factor of 2 is right, on the wrong side: 500 / 1024 = 1 / (2 * variance).",
        1000 / 1024: "Turn it over: the larger the weight of the error, the smaller the variance.",
        500 / 1024: "That is the weight of one squared error; it is 1 / (2 * variance).",
        1 / 1000: "That would be for a sum of squares; mse is their mean over 1024 pixels.",
        784 / 1000: "That would be right for 28 x 28 pixels; these images have 32 x 32.",
        1.024**0.5: "That is the standard deviation; give the variance.",
    }
    return number(answer, 1.024, 3, general, ideas)


@exercise("21.2")
def diagnosis_of_a_small_kl(answer) -> str | None:
    hints = {
        "a": None,
        "b": "205 nats is the mean image; its reconstructions would have to be that bad elsewhere.",
        "c": "The mean image has a reconstruction loss of about 205 nats, not 104.5.",
    }
    return chosen(answer, hints)


@exercise("21.3")
def beat_the_small_network(answer) -> str | None:
    if not hasattr(answer, "encoder") or not hasattr(answer, "decoder"):
        return f"The answer is a trained VAE or SmallVAE, not {type(answer).__name__}."
    arrays = [*answer.encoder.weights, *answer.decoder.weights]
    weights = sum(int(np.prod(array.shape)) for array in arrays)
    if weights > MOST_WEIGHTS:
        return f"Yours has {weights:,} weights, more than {MOST_WEIGHTS:,}. Where can you save?"
    vae = answer if isinstance(answer, VAE) else VAE(answer.encoder, answer.decoder)
    x = data.binarise(data.load("mnist-5k").x_val, seed=0)
    nats = -evaluate.elbo(vae, x, samples=5).mean()
    if nats < MOST_NATS:
        return None
    return (
        f"Yours is at {nats:.1f} nats/image with {weights:,} weights. Where do they serve best: in "
        "depth, in width, in latents? More epochs help, too."
    )
