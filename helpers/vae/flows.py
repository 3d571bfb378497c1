"""Masked autoregressive networks (MADE), and the normalising flows that are made of them."""

from itertools import pairwise

from helpers.runtime import keras
from helpers.vae.networks import check_size, check_sizes
from keras import layers, ops
import numpy as np


class MaskedDense(layers.Dense):
    """A dense layer whose kernel is multiplied by `mask`: zeros and ones, (inputs, units)."""

    def __init__(self, mask: np.ndarray, **settings) -> None:
        super().__init__(mask.shape[1], **settings)
        self.mask = mask.astype("float32")

    def call(self, x):
        return self.activation(ops.matmul(x, self.kernel * self.mask) + self.bias)


class AutoregressiveFlow(layers.Layer):
    """Steps y = exp(log_scale) * x + shift; both of y[i] see x[:i] and the context, and no more.

    Called on x (batch, dim), and on a context (batch, context) if there is one, it gives y and
    log_det = log |det dy/dx|, nats, (batch,): log q(y) = log p(x) - log_det if x is noise and y a
    code, log p(x) = log p(y) + log_det if x is data and y noise. At first the identity; |log_scale|
    < 2; each step ends by turning the order of the dimensions. Raises ValueError for sizes below 1.
    Sources: Germain et al. 2015 (masks), Kingma et al. 2016, Papamakarios et al. 2017.
    """

    def __init__(self, dim, steps: int = 2, hidden=(64,), context: int = 0, activation="elu"):
        super().__init__()
        dim, self.networks = check_size("dim", dim), []
        units = [np.r_[np.zeros(context), np.arange(1, dim + 1)]]  # a unit of number n sees x[:n]
        units += [np.arange(width) % dim for width in (*check_sizes("hidden", hidden), 2 * dim)]
        *masks, last = [before[:, None] <= after for before, after in pairwise(units)]
        for _ in range(check_size("steps", steps)):
            network = [MaskedDense(mask, activation=activation) for mask in masks]
            network += [MaskedDense(last, kernel_initializer="zeros")]
            self.networks.append(keras.Sequential([keras.Input((context + dim,)), *network]))

    def terms(self, network, x, context=None):
        """The shift and log_scale of one step, each (batch, dim)."""
        out = network(x if context is None else ops.concatenate([context, x], axis=1))
        return out[:, : x.shape[1]], 2 * ops.tanh(out[:, x.shape[1] :] / 2)

    def call(self, x, context=None):
        log_det = 0.0
        for network in self.networks:
            shift, log_scale = self.terms(network, x, context)
            x = ops.flip(ops.exp(log_scale) * x + shift, axis=1)
            log_det = log_det + ops.sum(log_scale, axis=1)
        return x, log_det

    def inverse(self, y, context=None):
        """The x of a y: as many passes through each step as there are dimensions."""
        for network in reversed(self.networks):
            y, x = ops.flip(y, axis=1), ops.zeros_like(y)
            for _ in range(y.shape[1]):
                shift, log_scale = self.terms(network, x, context)
                x = (y - shift) * ops.exp(-log_scale)
            y = x
        return y
