"""What a trained VAE is worth, in nats per image, on images it was not trained on."""

from helpers.data import check_images
from helpers.elbo import (
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_density,
    importance_weighted_bound,
)
from helpers.vae import VAE
import keras
from keras import ops
import numpy as np


def _batches(vae: VAE, x: np.ndarray, samples: int, batch_size: int):
    if samples < 1 or batch_size < 1:
        raise ValueError(
            f"samples and batch_size must be at least 1, got {samples} and {batch_size}"
        )
    check_images(x, vae.image_shape)
    for start in range(0, len(x), batch_size):
        batch = ops.convert_to_tensor(x[start : start + batch_size], dtype="float32")
        yield batch, *vae.encoder(batch)


def _draw(z_mean, z_log_var, seed: keras.random.SeedGenerator):
    return z_mean + ops.exp(0.5 * z_log_var) * keras.random.normal(ops.shape(z_mean), seed=seed)


def elbo(
    vae: VAE, x: np.ndarray, samples: int = 1, seed: int = 0, batch_size: int = 500
) -> np.ndarray:
    """The ELBO of each image (beta = 1, whatever the model was trained with).

    The KL term is exact; the reconstruction term is a mean over draws from q(z | x).

    Args:
        vae: a trained model.
        x: images in [0, 1], shape (n, *image_shape). Say how they were binarised.
        samples: draws per image.
        seed: of the draws.
        batch_size: images at a time.

    Returns:
        Nats per image, shape (n,). `-elbo(vae, x).mean()` is the usual figure.

    Raises:
        ValueError: bad images (see `check_images`), or `samples` or `batch_size` below 1.

    Source: Kingma and Welling 2014, equation 7.
    """
    noise, values = keras.random.SeedGenerator(seed), []
    for batch, z_mean, z_log_var in _batches(vae, x, samples, batch_size):
        draws = [
            bernoulli_log_likelihood(batch, vae.decoder(_draw(z_mean, z_log_var, noise)))
            for _ in range(samples)
        ]
        values.append(ops.mean(ops.stack(draws), axis=0) - gaussian_kl(z_mean, z_log_var))
    return ops.convert_to_numpy(ops.concatenate(values))


def log_likelihood(
    vae: VAE, x: np.ndarray, samples: int = 100, seed: int = 0, batch_size: int = 500
) -> np.ndarray:
    """A tighter lower bound on log p(x) of each image, by importance sampling from q(z | x).

    Args, errors: as in `elbo`; more samples tighten the bound (one sample gives the ELBO's).

    Returns:
        Nats per image, shape (n,).

    Source: Burda, Grosse and Salakhutdinov 2015, equation 8.
    """
    noise, values = keras.random.SeedGenerator(seed), []
    for batch, z_mean, z_log_var in _batches(vae, x, samples, batch_size):
        log_weights = []
        for _ in range(samples):
            z = _draw(z_mean, z_log_var, noise)
            log_joint = bernoulli_log_likelihood(batch, vae.decoder(z)) + gaussian_log_density(
                z, 0.0, 0.0
            )
            log_weights.append(log_joint - gaussian_log_density(z, z_mean, z_log_var))
        values.append(importance_weighted_bound(ops.stack(log_weights), axis=0))
    return ops.convert_to_numpy(ops.concatenate(values))
