"""Train one small VAE with several likelihoods of grey pixels, and record bits per dimension.

    python data/recipes/record_likelihoods.py

Needs JAX. Two sets of whole-number pixels, 0 to 255: the 5,000 digits that ship, and patches of
8 x 8 pixels of scikit-learn's two photographs, in grey, which do not overlap. Every setting gets
the same network, data, epochs and seeds; a seed is trained with every likelihood before the next.

Densities learn and are judged on (k + u) / 256 with fresh uniform noise u: minus their mean log is
an upper bound on that of the probability of k (Theis et al. 2016). The cross-entropy learns on
k / 255, as it is used, and is judged with its missing constant, as a continuous Bernoulli.

Writes data/results/likelihoods.json after every training, and goes on where it was stopped. Takes
about twenty minutes on 2 cores.
"""

import base64
from functools import lru_cache, partial
import io
import itertools
import os

os.environ["KERAS_BACKEND"] = "jax"

from helpers import data
from helpers.elbo import (
    bernoulli_log_likelihood,
    bits_per_dimension,
    discretised_logistic_log_prob,
    gaussian_kl,
    gaussian_log_density,
)
import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
from recording import Record
from scipy.special import log_ndtr
from sklearn.datasets import load_sample_images

SEEDS, EPOCHS, BATCH, RATE, DRAWS = 5, 30, 100, 2e-3, 10
HIDDEN, LATENTS = (256, 128), {"digits": 20, "patches": 32}
SETTINGS = (
    "cross-entropy",
    "continuous Bernoulli",
    "Gaussian, variance 1",
    "Gaussian, one learned variance",
    "Gaussian, optimal variance",
    "Gaussian, variance per pixel",
    "logistic, scale per pixel",
    "logistic, mixture of three",
)


def photograph_patches(size: int = 8, block: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Patches of two photographs in grey, bytes of shape (n, size, size): training and test.

    Whole blocks of block x block pixels go to one part, every fifth to the test.
    """
    parts = ([], [])
    for number, image in enumerate(load_sample_images().images):
        grey = np.asarray(Image.fromarray(image).convert("L"))
        rows, columns = grey.shape[0] // block, grey.shape[1] // block
        for place in range(rows * columns):
            top, left = block * (place // columns), block * (place % columns)
            tile = grey[top : top + block, left : left + block]
            tile = tile.reshape(block // size, size, block // size, size).swapaxes(1, 2)
            parts[(place + place // columns + number) % 5 == 0].append(tile.reshape(-1, size, size))
    return np.concatenate(parts[0]), np.concatenate(parts[1])


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Whole-number pixels as floats, shape (n, pixels): training and test."""
    if name == "patches":
        parts = photograph_patches()
    else:
        digits = data.load("mnist-5k")
        parts = np.round(255 * digits.x_train), np.round(255 * digits.x_test)
    return tuple(part.reshape(len(part), -1).astype("float32") for part in parts)


def seen(setting: str, k: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pixels as the model sees them, in training and in the test: with noise for a density."""
    if setting == "cross-entropy" or setting.startswith("logistic"):
        return k / np.float32(255)
    return (k + rng.random(k.shape, dtype="float32")) / np.float32(256)


def continuous_bernoulli_constant(logits):
    """log C of the density C * l^x * (1 - l)^(1 - x) on [0, 1], shape of the logits, in nats."""
    near = jnp.abs(logits) < 0.05
    safe = jnp.abs(jnp.where(near, 1.0, logits))
    constant = jnp.log(safe / jnp.tanh(safe / 2))
    return jnp.where(near, jnp.log(2.0) + logits**2 / 12, constant)


def log_likelihood(setting: str, x, out, extra):
    """Nats per image, (batch,): a density on [0, 1], a probability, or the bare cross-entropy.

    `out` holds what the decoder says, a number or two per pixel; `extra` the one learned number.
    """
    first, second = out[:, : x.shape[1]], out[:, x.shape[1] :]
    kind, _, scale = setting.partition(", ")
    if kind == "cross-entropy":
        return bernoulli_log_likelihood(x, first)
    if kind == "continuous Bernoulli":
        return bernoulli_log_likelihood(x, first) + continuous_bernoulli_constant(first).sum(axis=1)
    if scale == "one learned variance":
        spread = 10 * extra - 2.0  # Adam moves a single number slowly
    elif scale == "optimal variance":
        spread = jnp.log(jnp.mean((x - first) ** 2)) if extra is None else extra
    else:
        spread = second if "per pixel" in scale else 0.0  # the variance is 1
    if scale == "mixture of three":
        return mixture_log_likelihood(x, out)
    if kind == "logistic":
        return discretised_logistic_log_prob(x, first, spread)
    return gaussian_log_density(x, first, spread)


def mixture_log_likelihood(x, out):
    """Three logistics a pixel: `out` has logits of weights, means and log-scales, (batch, 9 n)."""
    weight, mean, log_scale = jnp.reshape(out, (len(x), 3, 3, -1)).swapaxes(0, 1)
    every = jnp.broadcast_to(x[:, None], mean.shape)
    single = [values.reshape(-1, 1) for values in (every, mean, log_scale)]
    parts = discretised_logistic_log_prob(*single).reshape(mean.shape)
    return jax.nn.logsumexp(jax.nn.log_softmax(weight, axis=1) + parts, axis=1).sum(axis=1)


def network(layers, h):
    """Dense layers with relu between them."""
    for weights, bias in layers[:-1]:
        h = jax.nn.relu(h @ weights + bias)
    return h @ layers[-1][0] + layers[-1][1]


def first_weights(setting: str, pixels: int, latents: int, rng: np.random.Generator) -> dict:
    outputs = pixels * (9 if "mixture" in setting else 2 if "per pixel" in setting else 1)

    def layers(sizes):
        pairs = itertools.pairwise(sizes)
        return [
            (rng.standard_normal((a, b), dtype="float32") / np.sqrt(a), np.zeros(b, "float32"))
            for a, b in pairs
        ]

    encoder = layers((pixels, *HIDDEN, 2 * latents))
    decoder = layers((latents, *HIDDEN[::-1], outputs))
    if "mixture" in setting:  # three different means, or they would never part
        decoder[-1][1].reshape(3, 3, pixels)[1] = np.float32([[0.0], [0.5], [1.0]])
        decoder[-1][1].reshape(3, 3, pixels)[2] = -2.0
    return {"encoder": encoder, "decoder": decoder, "extra": np.float32(0)}


def parts_of_bound(setting: str, params: dict, x, noise, extra):
    """log p(x | z) for a z drawn with this noise, the KL, and the decoder's output."""
    z_mean, z_log_var = jnp.split(network(params["encoder"], x - 0.5), 2, axis=1)
    out = network(params["decoder"], z_mean + jnp.exp(0.5 * z_log_var) * noise)
    return log_likelihood(setting, x, out, extra), gaussian_kl(z_mean, z_log_var), out


@lru_cache
def epoch_function(setting: str, rate: float, steps: int):
    """One compiled epoch: ((params, moments, steps done), x, noise) -> the same, mean loss."""

    def loss(params, x, noise):
        extra = None if setting.endswith("optimal variance") else params["extra"]
        log_p, kl, _ = parts_of_bound(setting, params, x, noise, extra)
        return jnp.mean(kl - log_p) / x.shape[1]

    def step(state, batch):
        params, first, second, done = state
        value, grads = jax.value_and_grad(loss)(params, *batch)
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
        done = done + 1
        now = rate * 0.5 * (1 + jnp.cos(jnp.pi * done / steps))  # Adam, down to zero
        scale = now * jnp.sqrt(1 - 0.999**done) / (1 - 0.9**done)
        params = jax.tree.map(
            lambda p, m, v: p - scale * m / (jnp.sqrt(v) + 1e-8), params, first, second
        )
        return (params, first, second, done), value

    return jax.jit(lambda state, x, noise: jax.lax.scan(step, state, (x, noise)))


def train(setting: str, k: np.ndarray, latents: int, seed: int, epochs: int = EPOCHS) -> dict:
    """Weights of a VAE of whole-number pixels k, shape (n, pixels)."""
    rng = np.random.default_rng(seed)
    params = first_weights(setting, k.shape[1], latents, rng)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state, per_epoch = (params, zeros, zeros, 0.0), len(k) // BATCH
    epoch = epoch_function(setting, RATE, epochs * per_epoch)
    for _ in range(epochs):
        order = rng.permutation(len(k))[: per_epoch * BATCH]
        x = seen(setting, k[order], rng).reshape(per_epoch, BATCH, -1)
        noise = rng.standard_normal((per_epoch, BATCH, latents), dtype="float32")
        state, _ = epoch(state, x, noise)
    return state[0]


@lru_cache
def judged_as(setting: str):
    """The compiled parts of the bound, under the likelihood that a setting is judged by."""
    judge = "continuous Bernoulli" if setting == "cross-entropy" else setting
    return jax.jit(partial(parts_of_bound, judge))


def cell_nats(k: np.ndarray, mean: np.ndarray, log_var) -> np.ndarray:
    """-log P(k) of a Gaussian on [0, 1] cut into 256 cells, the outer two open: (batch,)."""
    sd = np.exp(0.5 * np.asarray(log_var, dtype="float64"))
    low = np.where(k == 0, -np.inf, (k / 256 - mean) / sd)
    high = np.where(k == 255, np.inf, ((k + 1) / 256 - mean) / sd)
    flip = low > 0  # to the left tail, where a difference keeps its digits
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.where(np.isinf(low), 0.0, np.exp(log_ndtr(low) - log_ndtr(high)))
    return -(log_ndtr(high) + np.log1p(-below)).sum(axis=1)


def judge(setting: str, params: dict, k: np.ndarray, seed: int, extra=None, draws=DRAWS) -> dict:
    """What a trained VAE is worth on k, in bits per dimension; with one draw without cells."""
    rng, pixels = np.random.default_rng(seed), k.shape[1]
    latents = params["decoder"][0][0].shape[0]
    extra = params["extra"] if extra is None else extra
    nats, rates, errors, cells = [], [], [], []
    for draw in range(draws):
        x = seen("a density" if setting == "cross-entropy" else setting, k, rng)
        noise = rng.standard_normal((len(k), latents), dtype="float32")
        log_p, kl, out = (np.asarray(v) for v in judged_as(setting)(params, x, noise, extra))
        nats.append(kl - log_p)
        rates.append(kl)
        if setting.startswith("Gaussian"):
            errors.append(((x - out[:, :pixels]) ** 2).mean(dtype="float64"))
            if 0 < draw <= 2:
                spread = spread_of(setting, out, pixels, extra)
                mean = out[:, :pixels].astype("float64")
                cells.append(kl + cell_nats(k, mean, spread))
    levels = 1 if setting.startswith("logistic") else 256
    per_image = np.mean(nats, axis=0)
    found = {
        "bits": bits_per_dimension(per_image.mean(), pixels, levels),
        "bits_median": bits_per_dimension(np.median(per_image), pixels, levels),
        "rate": np.mean(rates),
    }
    if errors:
        found["mse"] = np.mean(errors)
    if cells:
        found["bits_cells"] = bits_per_dimension(np.mean(cells), pixels)
    return {name: float(value) for name, value in found.items()}


def spread_of(setting: str, out, pixels: int, extra):
    """Log-variance (Gaussian) or log-scale (logistic) of the pixels."""
    if "per pixel" in setting:
        return out[:, pixels:].astype("float64")
    if "one learned" in setting:
        return 10 * float(extra) - 2.0
    return float(extra) if "optimal" in setting else 0.0


def strip(images: np.ndarray) -> str:
    """Images of bytes in a row, shape (n, height, width), as a PNG file in base64."""
    target = io.BytesIO()
    Image.fromarray(np.concatenate(images, axis=1)).save(target, format="png", optimize=True)
    return base64.b64encode(target.getvalue()).decode("ascii")


def pictures(setting: str, params: dict, k: np.ndarray, extra) -> dict:
    """Outputs for six images, and six new ones: decoded means, and pixels drawn around them."""
    rng, pixels = np.random.default_rng(0), k.shape[1]
    side, latents = round(pixels**0.5), params["decoder"][0][0].shape[0]
    code = np.asarray(network(params["encoder"], seen(setting, k[:6], rng) - 0.5))[:, :latents]
    new = rng.standard_normal((6, latents), dtype="float32")
    found = {}
    for name, z in (("outputs", code), ("new", new)):
        out = np.asarray(network(params["decoder"], z)).astype("float64")
        first = out[:, :pixels]
        u = rng.uniform(1e-9, 1 - 1e-9, first.shape)
        if setting in ("cross-entropy", "continuous Bernoulli"):
            safe = np.where(np.abs(first) < 1e-3, 1e-3, first)
            drawn = np.log1p(u * np.expm1(safe)) / safe
            mean = 1 / (1 - np.exp(-safe)) - 1 / safe
        else:
            mean, spread = first, None
            if "mixture" in setting:
                weight, mean, spread = out.reshape(6, 3, 3, -1).swapaxes(0, 1)
                share = np.exp(weight) / np.exp(weight).sum(axis=1, keepdims=True)
                chosen = (rng.random((6, 1, pixels)) > share.cumsum(axis=1)[:, :2]).sum(axis=1)
                pick = partial(np.take_along_axis, indices=chosen[:, None], axis=1)
                first, spread = pick(mean)[:, 0], pick(spread)[:, 0]
                mean = (share * np.clip(mean, 0, 1)).sum(axis=1)
            else:
                spread = spread_of(setting, out, pixels, extra)
            logistic = np.exp(spread) * np.log(u / (1 - u))
            gauss = np.exp(0.5 * np.asarray(spread)) * rng.standard_normal(first.shape)
            drawn = first + (logistic if setting.startswith("logistic") else gauss)
        for what, values in ((name, mean), (f"{name}_drawn", drawn)):
            if what != "outputs_drawn":
                values = 255 * values + 0.5 if setting.startswith("logistic") else 256 * values
                grey = np.clip(np.floor(values), 0, 255).astype("uint8")
                found[what] = strip(grey.reshape(6, side, side))
    return found


def run(seed: int, data_set: str, setting: str) -> dict:
    k, k_test = load(data_set)
    params = train(setting, k, LATENTS[data_set], seed)
    extra, result = params["extra"], {}
    if setting == "Gaussian, variance 1":
        optimal = np.float32(np.log(judge(setting, params, k, seed, draws=1)["mse"]))
        after = judge("Gaussian, optimal variance", params, k_test, seed, optimal)
        result = {"optimal_afterwards": after["bits"], "variance_afterwards": np.exp(optimal)}
    if "optimal" in setting:
        extra = np.float32(np.log(judge(setting, params, k, seed, np.float32(0), 1)["mse"]))
    result |= judge(setting, params, k_test, seed, extra)
    result["bits_training"] = judge(setting, params, k[:1000], seed, extra, draws=1)["bits"]
    if "one learned" in setting or "optimal" in setting:
        result["spread"] = np.exp(spread_of(setting, None, 0, extra))
    if setting == "cross-entropy":
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((len(k_test), LATENTS[data_set]), dtype="float32")
        bare = parts_of_bound(setting, params, seen(setting, k_test, rng), noise, 0.0)
        result["nats_without_constant"] = np.mean(bare[1] - bare[0])
    result = {name: round(float(value), 5) for name, value in result.items()}
    return result | (pictures(setting, params, k_test, extra) if seed == 0 else {})


if __name__ == "__main__":
    record = Record(
        "likelihoods",
        f"VAE with dense encoder {HIDDEN} and its mirror image, relu, 20 latents for 4,000 digits "
        f"of 784 pixels, 32 for patches of 64; {EPOCHS} epochs, batch {BATCH}, Adam {RATE} falling "
        f"to 0 by a cosine; held-out -ELBO of 500 test digits, or of the patches of every fifth "
        f"block of 64 x 64 pixels, {DRAWS} draws each, in bits per dimension of the whole-number "
        "pixels; bits_cells: the same with a Gaussian's exact probability of each cell",
        command="python data/recipes/record_likelihoods.py",
        packages=("jax", "scikit-learn", "pillow"),
    )
    plan = [
        {"seed": seed, "data_set": name, "setting": setting}
        for seed in range(SEEDS)
        for name in ("digits", "patches")
        for setting in SETTINGS
    ]
    record.complete(plan, run)
