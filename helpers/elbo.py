"""The mathematics of the evidence lower bound (ELBO), on Keras tensors or NumPy arrays.

One scale everywhere: nats per example. Unless a function says otherwise it sums over all axes but
the first, so its result has shape (batch,); whoever trains takes the mean over the batch last.
"""

import math
import numbers

from helpers.runtime import keras
from keras import ops
import numpy as np


def _sum_per_example(x):
    """Sum over every axis but the first: (batch, ...) -> (batch,)."""
    return ops.sum(x, axis=tuple(range(1, len(x.shape))))


def _float(x):
    """Lists and whole numbers as floats; what has floats, and Keras's own tensors, as they are."""
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    return x if "float" in keras.backend.standardize_dtype(x.dtype) else ops.cast(x, "float32")


def _pair(**tensors) -> list:
    """Two tensors as floats, of one shape of two axes or more: (batch, ...).

    A size that is unknown while a model is traced fits any other.
    """
    values, names = [_float(value) for value in tensors.values()], " and ".join(tensors)
    a, b = (tuple(value.shape) for value in values)
    if len(a) != len(b) or not all(None in (m, n) or m == n for m, n in zip(a, b, strict=True)):
        raise ValueError(f"{names} must have the same shape, got {a} and {b}")
    if len(a) < 2:
        raise ValueError(f"{names} must have a batch axis and more, got shape {a}")
    return values


def gaussian_kl(z_mean, z_log_var):
    """KL divergence of the diagonal Gaussian N(z_mean, exp(z_log_var)) from N(0, I), in nats.

    Args:
        z_mean: means, shape (batch, latent_dim). The result, summed over the latents, has (batch,).
        z_log_var: natural logarithms of the variances, same shape.

    Raises:
        ValueError: the two shapes differ, or have a single axis.

    Source: Kingma and Welling 2014, appendix B:
        KL = -1/2 sum_j (1 + log s_j^2 - m_j^2 - s_j^2).

    Example:
        >>> float(gaussian_kl(np.ones((1, 4)), np.zeros((1, 4)))[0])  # four latents at mean 1
        2.0
    """
    z_mean, z_log_var = _pair(z_mean=z_mean, z_log_var=z_log_var)
    return -0.5 * _sum_per_example(1.0 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))


def gaussian_kl_per_latent(z_mean, z_log_var):
    """The terms of the sum in `gaussian_kl`: nats per example and latent, (batch, latent_dim).

    Args, errors, source: as in `gaussian_kl`; the latents are independent in both distributions.
    """
    z_mean, z_log_var = _pair(z_mean=z_mean, z_log_var=z_log_var)
    return -0.5 * (1.0 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))


def free_bits(kl_per_latent, free_nats: float):
    """KL with a floor under every latent: the first `free_nats` of each cost nothing extra.

    The floor is under the **mean over the batch**: an image may use less where others use more.

    Args:
        kl_per_latent: nats, shape (batch, latent_dim), from `gaussian_kl_per_latent`.
        free_nats: the floor, in nats per latent, 0 or more.

    Returns:
        Nats per image, a scalar: the sum over latents of max(mean over the batch, free_nats).

    Raises:
        ValueError: the floor is negative or not finite, or the shape is not (batch, latent_dim).

    Source: Kingma et al. 2016 (arXiv 1606.04934), appendix C.8, one latent per group.

    Example:
        >>> free_bits(np.array([[0.0, 3.0], [1.0, 3.0]]), 0.5)  # 0.5 (the mean of 0 and 1) + 3
        3.5
    """
    if not (isinstance(free_nats, numbers.Real) and 0 <= free_nats < math.inf):
        raise ValueError(f"free_nats must be a finite number, 0 or more, got {free_nats!r}")
    shape = tuple(kl_per_latent.shape)
    if len(shape) != 2:
        raise ValueError(f"kl_per_latent must have shape (batch, latent_dim), got {shape}")
    return ops.sum(ops.maximum(ops.mean(kl_per_latent, axis=0), free_nats))


def bernoulli_log_likelihood(x, logits):
    """Log-probability of the pixels x under independent Bernoulli variables, in nats.

    Working on logits avoids the logarithm of a rounded-off sigmoid: log p = x * l - log(1 + e^l).
    For grey x in (0, 1) it is the negative cross-entropy, which is no log-probability.

    Args:
        x: pixels in [0, 1], shape (batch, ...). The result, summed over the pixels, has (batch,).
        logits: log-odds that a pixel is 1, same shape.

    Raises:
        ValueError: the two shapes differ, or an array has pixels outside [0, 1] (in a tensor that
            is not looked for, since a model is traced without its data).

    Source: Kingma and Welling 2014, appendix C.1, rewritten for logits.

    Example:
        >>> bernoulli_log_likelihood(np.ones((1, 2)), np.zeros((1, 2)))  # two fair coins: -2 ln 2
    """
    x, logits = _pair(x=x, logits=logits)
    if isinstance(x, np.ndarray) and x.size and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"x must have pixels in [0, 1], got {x.min():g} to {x.max():g}")
    return _sum_per_example(x * logits - ops.softplus(logits))


def gaussian_log_density(z, mean, log_var):
    """Log-density of z under the diagonal Gaussian N(mean, exp(log_var)), in nats.

    Args:
        z: values, shape (batch, dim). The result, summed over the dimensions, has (batch,).
        mean, log_var: what broadcasts against z as in NumPy: 0.0 for the standard normal, one
            number per dimension, or the shape of z (one row per example).

    Source: Bishop 2006, equation 2.43, for a diagonal covariance.

    Example:
        >>> gaussian_log_density(np.zeros((1, 2)), 0.0, 0.0)  # -ln(2 pi) = -1.8379
    """
    z = _float(z)
    squared = ops.square(z - mean) * ops.exp(-ops.convert_to_tensor(log_var, dtype=z.dtype))
    return _sum_per_example(-0.5 * (math.log(2.0 * math.pi) + log_var + squared))


def discretised_logistic_log_prob(x, mean, log_scale, levels: int = 256):
    """Log-probability of whole-number pixels under a logistic cut into cells, in nats.

    The cells around the first and the last level reach to infinity: the probabilities sum to 1.

    Args:
        x: pixels k / (levels - 1), shape (batch, ...). The result, summed over them, has (batch,).
        mean, log_scale: of the logistic, on the scale of x; what broadcasts against x.

    Source: Salimans et al. 2017, equation 2, by s(a) - s(b) = s(a) s(-b) (1 - e^(b - a)).
    """
    x, half = _float(x), 0.5 / (levels - 1)
    precision = ops.exp(-ops.convert_to_tensor(log_scale, dtype=x.dtype))
    above, below = (x + half - mean) * precision, (x - half - mean) * precision
    upper = ops.where(x > 1 - half, 0.0, ops.log_sigmoid(above))
    lower = ops.where(x < half, 0.0, ops.log_sigmoid(-below))
    inside = (x > half) & (x < 1 - half)
    width = ops.where(inside, ops.log(-ops.expm1(-2 * half * precision)), 0.0)
    return _sum_per_example(upper + lower + width)


def bits_per_dimension(nats, dimensions: int, levels: int = 1):
    """Bits per dimension of -log p in nats per example: nats / (dimensions * ln 2).

    Of a *density* of pixels spread evenly over `levels` cells of [0, 1], give their number: each
    cell is 1 / levels wide, log2(levels) bits (Theis et al. 2016).
    """
    return nats / (dimensions * math.log(2.0)) + math.log2(levels)


def importance_weighted_bound(log_weights, axis: int = 0):
    """The importance-weighted bound on log p(x): log of the mean weight, not the mean of the logs.

    With one sample it is the ELBO; with more it rises towards log p(x). In nats per example.

    Args:
        log_weights: log p(x, z) - log q(z | x) of each sample, for instance (samples, batch).
        axis: of the samples. The result has the shape of `log_weights` without it.

    Raises:
        ValueError: `axis` is not an axis of `log_weights`, or its length is 0 or unknown.

    Source: Burda, Grosse and Salakhutdinov 2015, equation 8.

    Example:
        >>> importance_weighted_bound(np.log([[1.0], [3.0]]))  # ln 2
    """
    log_weights = _float(log_weights)
    shape = tuple(log_weights.shape)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis must be one of the {len(shape)} axes of log_weights, got {axis}")
    if not shape[axis]:
        raise ValueError(f"log_weights must hold a known number of samples, got shape {shape}")
    return ops.logsumexp(log_weights, axis=axis) - math.log(shape[axis])
