"""Checks of the exercises of notebook 21, building a VAE."""

from helpers import data
from helpers.exercises import call, chosen, exercise, is_close
from helpers.vae import VAE, evaluate
import numpy as np


@exercise("21.1")
def nats_of_a_mean_loss(answer) -> str | None:
    if is_close(answer, 0.21 * 1024, 0.1):
        return None
    if is_close(answer, 0.21 * 784, 0.1):
        return "That would be right for 28 x 28 pixels; these images have 32 x 32."
    if is_close(answer, 0.21 / 1024, 1e-5):
        return "Undo the mean: the sum over pixels is larger than their mean, not smaller."
    return "A mean over pixels is the sum divided by the number of pixels."


@exercise("21.2")
def kl_in_numpy(answer) -> str | None:
    rng = np.random.default_rng(0)
    z_mean, z_log_var = rng.normal(size=(4, 7)), rng.normal(size=(4, 7))
    got = np.asarray(call(answer, z_mean, z_log_var))
    variance = np.exp(z_log_var)
    expected = (0.5 * (variance + z_mean**2 - 1 - z_log_var)).sum(axis=1)
    if got.shape != (4,):
        return f"Four images need four numbers, shape (4,); yours has shape {got.shape}."
    if np.allclose(got, expected):
        return None
    if np.allclose(got, -expected):
        return "The sign is flipped: a KL divergence is never negative."
    if np.allclose(got, expected / 7):
        return "Sum over the latents; you took their mean, which divides beta by their number."
    if np.allclose(got, 2 * expected):
        return "A factor of 1/2 is missing."
    if np.allclose(got, (0.5 * (z_log_var**2 + z_mean**2 - 1 - np.log(z_log_var**2))).sum(axis=1)):
        return "You took z_log_var for a standard deviation; the variance is exp(z_log_var)."
    return "Try q = prior (zeros, zeros), which must give 0, and a mean of 1, which costs 1/2 each."


@exercise("21.3")
def beta_of_a_weighted_error(answer) -> str | None:
    if is_close(answer, 1.024, 0.005):
        return None
    if is_close(answer, 2.048, 0.005):
        return "Nearly: a Gaussian of variance 1 has half the squared error, so it counts twice."
    if is_close(answer, 4.096, 0.005):
        return "The factor of 2 is right, on the wrong side: a squared error counts twice, a = 2."
    if is_close(answer, 500, 1):
        return "The mean divides the sum by 1024 pixels: the weight of the sum is 500/1024."
    if is_close(answer, 1 / 1.024, 0.005):
        return "Turn it over: beta is the weight of the KL divided by that of the reconstruction."
    return "Write the loss as a * (half the sum of squares) + b * KL; beta is b / a."


@exercise("21.4")
def diagnosis_of_a_flat_loss(answer) -> str | None:
    hints = {
        "a": "Compare with the ruler: what does the mean image cost?",
        "b": None,
        "c": "An overfitted model has a small training loss; 205 is large. Look at the KL.",
    }
    return chosen(answer, hints)


@exercise("21.5")
def beat_the_small_network(answer) -> str | None:
    if not isinstance(answer, VAE):
        return f"The answer is a trained helpers.vae.VAE, not {type(answer).__name__}."
    x = data.binarise(data.load("mnist-5k").x_val, seed=0)
    nats = -evaluate.elbo(answer, x, samples=5).mean()
    if nats < 135:
        return None
    return f"Yours is at {nats:.1f} nats/image. More width, more epochs or a larger learning rate?"
