"""What a trained VAE is worth, in nats per example, on data it was not trained on.

The functions say "image"; a `text.TextVAE` and its strings serve as well.
"""

from helpers.elbo import gaussian_kl, gaussian_log_density, importance_weighted_bound
from helpers.vae.models import VAE, ConditionalVAE, Sampling
from helpers.vae.networks import check_size
from keras import ops
import numpy as np
from scipy import stats
from sklearn.metrics import mutual_info_score


def _encoded(vae: VAE, x: np.ndarray, samples: int, seed: int, batch_size: int):
    """Batch by batch: images, z_mean, z_log_var, and an iterator over draws from q(z | x)."""
    if not isinstance(vae, VAE):
        raise ValueError(f"vae must be a VAE; it comes before x, got {type(vae).__name__}")
    if isinstance(vae, ConditionalVAE):
        raise ValueError("vae must be of one class: vae.given(label), with images of that label")
    check_size("samples", samples)
    batch_size, draw = check_size("batch_size", batch_size), Sampling(seed, dtype="float32")
    x = vae.check_input(x)
    for start in range(0, len(x), batch_size):
        batch = ops.convert_to_tensor(x[start : start + batch_size], dtype="float32")
        code = vae.encoder(batch)
        yield batch, *code, (draw(code) for _ in range(samples))


def elbo(
    vae: VAE, x: np.ndarray, samples: int = 1, seed: int = 0, batch_size: int = 500
) -> np.ndarray:
    """The ELBO of each image, in nats: shape (n,). `-elbo(vae, x).mean()` is the usual figure.

    Beta is 1, whatever it was in training; the KL term is exact, the other a mean over the draws.

    Args:
        vae: a trained model.
        x: images in [0, 1], shape (n, *image_shape). Say how they were binarised.
        samples: draws from q(z | x) per image.
        seed: of the draws.
        batch_size: images at a time.

    Raises:
        ValueError: bad images (see `check_images`), or `samples` or `batch_size` below 1.

    Source: Kingma and Welling 2014, equation 7.
    """
    values = []
    for batch, z_mean, z_log_var, draws in _encoded(vae, x, samples, seed, batch_size):
        likelihood = ops.mean(ops.stack([vae.log_likelihood(batch, z) for z in draws]), axis=0)
        values.append(likelihood - gaussian_kl(z_mean, z_log_var))
    return ops.convert_to_numpy(ops.concatenate(values))


def log_likelihood(
    vae: VAE, x: np.ndarray, samples: int = 100, seed: int = 0, batch_size: int = 500
) -> np.ndarray:
    """A tighter lower bound on log p(x) of each image, by importance sampling from q(z | x).

    Args, result, errors: as in `elbo`. More samples tighten the bound; one gives the ELBO's.

    Source: Burda, Grosse and Salakhutdinov 2015, equation 8.
    """
    values = []
    for batch, z_mean, z_log_var, draws in _encoded(vae, x, samples, seed, batch_size):
        log_weights = []
        for z in draws:
            log_joint = vae.log_likelihood(batch, z) + gaussian_log_density(z, 0.0, 0.0)
            log_weights.append(log_joint - gaussian_log_density(z, z_mean, z_log_var))
        values.append(importance_weighted_bound(ops.stack(log_weights), axis=0))
    return ops.convert_to_numpy(ops.concatenate(values))


def active_units(
    vae: VAE, x: np.ndarray, threshold: float = 0.01, batch_size: int = 500
) -> np.ndarray:
    """Which latents the encoder uses, those whose posterior mean differs from image to image.

    A latent that says the same of every image says nothing, whatever value it says. The answer,
    booleans of shape (latent_dim,), is summed to count the active units.

    Args:
        vae, x, batch_size: as in `elbo`; a few hundred images will do.
        threshold: of the variance of z_mean over the images, in units of the prior's variance.

    Raises:
        ValueError: bad images (see `check_images`), or a threshold that is negative or NaN.

    Source: Burda, Grosse and Salakhutdinov 2015, section 5.2: A_u = Var_x(E_q(u|x)[u]) > 0.01.

    Example:
        >>> active_units(vae, x_val).sum()
        13
    """
    if not threshold >= 0:
        raise ValueError(f"threshold must be a number, 0 or more, got {threshold!r}")
    return posterior_means(vae, x, batch_size).astype("float64").var(axis=0) > threshold


def posterior_means(vae: VAE, x: np.ndarray, batch_size: int = 500) -> np.ndarray:
    """The mean code of each image: float32, shape (n, latent_dim). Args, errors: as in `elbo`."""
    batches = _encoded(vae, x, 1, 0, batch_size)
    return np.concatenate([ops.convert_to_numpy(z_mean) for _, z_mean, *_ in batches])


def _joint_information(column: np.ndarray, level: np.ndarray, bins: int) -> float:
    """Mutual information, in nats, of numbers in bins with levels 0, 1, ..., as counted."""
    edges = np.arange(level.max() + 2) - 0.5
    joint = np.histogram2d(column, level, bins=[bins, edges])[0]
    return mutual_info_score(None, None, contingency=joint)


def mutual_information(z: np.ndarray, factors: np.ndarray, bins: int = 20) -> np.ndarray:
    """Nats of mutual information of each latent with each factor: shape (latent_dim, factors).

    Each latent is cut into `bins` intervals of equal width. What is counted so is biased upwards,
    by about (bins - 1)(levels - 1) / 2n nats for n images.

    Args:
        z: codes, shape (n, latent_dim): posterior means, usually.
        factors: levels of the factors, shape (n, factors), such as `data.sprites()` returns.
        bins: intervals per latent, between its smallest and its largest value.

    Raises:
        ValueError: shapes that do not fit, z that is not finite, or fewer than 2 bins.

    Source: Chen et al. 2018, section 4; equal bins as in Locatello et al. 2019 (arXiv 1811.12359).
    """
    z, factors = np.asarray(z, dtype="float64"), np.asarray(factors)
    if z.ndim != 2 or factors.ndim != 2 or len(z) != len(factors) or len(z) == 0:
        raise ValueError(
            "z and factors must have shapes (n, latent_dim) and (n, factors), "
            f"got {z.shape} and {factors.shape}"
        )
    if not np.isfinite(z).all():
        raise ValueError("z must hold finite numbers, got NaN or infinity")
    if factors.dtype.kind == "f" and not (factors == np.round(factors)).all():
        raise ValueError("factors must be levels, whole numbers, got continuous values")
    if bins < 2:
        raise ValueError(f"bins must be at least 2, got {bins}")
    levels = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    return np.array([[_joint_information(code, level, bins) for level in levels] for code in z.T])


def mutual_information_gap(z: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """The mutual information gap (MIG): does one latent, and only one, know each factor?

    For each factor, the gap between the two latents that know most of it, as a share of the
    factor's entropy; then the mean over the factors. 1: one latent knows all of a factor, and no
    other knows anything. 0: always two know as much.

    Args, errors: as in `mutual_information`; also a ValueError for fewer than 2 latents, or for a
    factor that never changes.

    Source: Chen et al. 2018 (arXiv 1802.04942), equation 6.

    Example:
        >>> images, factors = data.sprites()
        >>> mutual_information_gap(factors, factors)  # the factors themselves as a code: about 1.0
    """
    ordered = np.sort(mutual_information(z, factors, bins), axis=0)
    if len(ordered) < 2:
        raise ValueError(f"z must hold at least 2 latents, got {len(ordered)}")
    columns = np.asarray(factors).T
    entropy = np.array([stats.entropy(np.unique(c, return_counts=True)[1]) for c in columns])
    if not (entropy > 0).all():
        raise ValueError(f"factors must each take 2 levels or more, got entropies {entropy}")
    return float(((ordered[-1] - ordered[-2]) / entropy).mean())
