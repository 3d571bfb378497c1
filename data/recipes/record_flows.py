"""Record what a richer q is worth: a bend whose evidence is known, and VAEs on digits.

    python data/recipes/record_flows.py bend
    python data/recipes/record_flows.py digits

`bend`: two latents, x | z ~ N(z1^2 - z2, 0.25); a Gaussian base and 0 to 8 planar steps, fitted to
one x by reverse KL, which is then computed by quadrature; five seeds. `digits` needs
data/mnist.npz: all of MNIST but the course's 1,000 held-out digits, binarised afresh every epoch;
784-200-200-10; q is mean field, has a full covariance, or is an inverse autoregressive flow. Those
of one seed share the first weights of decoder and trunk, the order of the images and the noise.
Then both of two decoders are frozen, and each family is fitted to them anew; and Gaussians are
fitted to single digits, without any encoder.

Needs JAX. Writes data/results/flows.json, one run at a time; started again it goes on.
"""

import functools
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

from helpers import data
from helpers.vae import dense_decoder
from helpers.vae.flows import AutoregressiveFlow
import jax
import jax.numpy as jnp
import keras
from keras import layers, ops
from make_weights import training_images
import numpy as np
from record_iwae import binarise_bytes, epoch_batches
from recording import Record
from scipy.special import logsumexp

LATENTS, EPOCHS, REFIT_EPOCHS, BATCH, RATE = 10, 5, 1, 100, 2e-3
SAMPLES, LOCAL_DIGITS, LOCAL_STEPS = 250, 50, 250
FAMILIES = ("mean field", "full covariance", "flow")
STEPS, READINGS, SEEDS = (0, 1, 2, 4, 8), (0, 1, 2, 3, 4), 5
WHAT = (
    "part bend: KL(q || p) in nats, by quadrature, of planar flows fitted to the posterior of one "
    "reading x, five seeds, and the weights of the seed in the middle; part digits: nats per image "
    "of 500 held-out digits, binarised once: -ELBO and -log p(x) (importance-weighted bound), own: "
    "trained together; frozen: q fitted anew to a decoder that stays; local: 50 of the digits, "
    "each with a Gaussian of its own"
)
LOG_2PI = float(np.log(2 * np.pi))


def log_normal(z):
    """Log-density of the standard normal, summed over the last axis."""
    return -0.5 * (z**2 + LOG_2PI).sum(-1)


def begin(variables) -> tuple:
    """What Adam remembers before the first step: variables, both averages, steps to come."""
    zeros = jax.tree.map(jnp.zeros_like, variables)
    return variables, zeros, zeros, 1


def adam(state, gradient, rates, inputs):
    """Steps of Adam; gradient(variables, one of the inputs). Compiled by whoever calls it."""

    def step(state, now):
        variables, m, v, number = state
        rate, one = now
        loss, grads = gradient(variables, one)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, grads)
        rate = rate * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        variables = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), variables, m, v
        )
        return (variables, m, v, number + 1), loss

    return jax.lax.scan(step, state, (rates, inputs))


# The bend -----------------------------------------------------------------------------------------


def log_joint(z, x):
    """log p(x, z) of points z (..., 2) and one reading."""
    error = x - (z[..., 0] ** 2 - z[..., 1])
    return log_normal(z) - 0.5 * (LOG_2PI + jnp.log(0.25) + error**2 / 0.25)


def planar(flow, noise):
    """Points and log q of noise (..., 2): a Gaussian base, then steps z + u tanh(w z + b)."""
    z = flow["mean"] + jnp.exp(flow["log_scale"]) * noise
    log_q = log_normal(noise) - flow["log_scale"].sum()
    for w, u, b in zip(flow["w"], flow["u"], flow["b"], strict=True):
        u = u + (jax.nn.softplus(w @ u) - 1 - w @ u) * w / (w @ w)  # so that w u > -1
        bent = jnp.tanh(z @ w + b)
        log_q = log_q - jnp.log1p((w @ u) * (1 - bent**2))
        z = z + bent[..., None] * u
    return z, log_q


def plane(half: float, points: int):
    axis = np.linspace(-half, half, points)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1), (axis[1] - axis[0]) ** 2


@functools.cache
def fitter(steps: int):
    """Compiled: (keys, x) -> one fitted flow per key."""

    def start(key):
        keys = jax.random.split(key, 3)
        return {
            "mean": 0.1 * jax.random.normal(keys[0], (2,)),
            "log_scale": jnp.zeros(2),
            "w": jax.random.normal(keys[1], (steps, 2)),
            "u": 0.1 * jax.random.normal(keys[2], (steps, 2)),
            "b": jnp.zeros(steps),
        }

    def fit(key, x):
        def loss(flow, key):
            z, log_q = planar(flow, jax.random.normal(key, (200, 2)))
            return (log_q - log_joint(z, x)).mean()

        rates = 0.01 * jnp.minimum(1, 2 * (1 - jnp.arange(4000) / 4000))
        keys = jax.random.split(key, 4000)
        return adam(begin(start(key)), jax.value_and_grad(loss), rates, keys)[0][0]

    return jax.jit(jax.vmap(fit, (0, None)))


def log_evidence(x: float) -> float:
    """log p(x), by a sum over z1: given z1, x is normal with mean z1^2 and variance 1.25."""
    z = np.linspace(-9, 9, 4001)
    density = np.exp(-0.5 * z**2 - 0.5 * (x - z**2) ** 2 / 1.25) / (2 * np.pi * np.sqrt(1.25))
    return float(np.log(density.sum() * (z[1] - z[0])))


def bend(x: int, steps: int) -> dict:
    flows = fitter(steps)(jax.random.split(jax.random.key(100 * x + steps), SEEDS), float(x))
    with jax.enable_x64(True):
        noise, area = plane(6.5, 521)
        weight = jnp.exp(log_normal(jnp.asarray(noise))) * area
        kls = []
        for seed in range(SEEDS):
            flow = {name: jnp.asarray(value[seed], "float64") for name, value in flows.items()}
            z, log_q = planar(flow, jnp.asarray(noise))
            kls.append(float((weight * (log_q - log_joint(z, x))).sum() + log_evidence(x)))
    middle = int(np.argsort(kls)[SEEDS // 2])
    kept = {name: np.round(value[middle], 4).tolist() for name, value in flows.items()}
    kls = np.round(kls, 4).tolist()
    return {"log_evidence": round(log_evidence(x), 5), "kl": kls, "flow": kept}


# The digits ---------------------------------------------------------------------------------------


class Posterior(layers.Layer):
    """q(z | x) of one family: (images, noise (batch, samples, latents)) -> z and log q."""

    def __init__(self, family: str) -> None:
        super().__init__()
        self.trunk = keras.Sequential([layers.Dense(200, activation="relu") for _ in range(2)])
        self.heads = [layers.Dense(LATENTS) for _ in range(2)]
        self.family, self.below = family, np.tril_indices(LATENTS, -1)
        if family == "full covariance":
            self.lower = layers.Dense(len(self.below[0]), kernel_initializer="zeros")
        if family == "flow":
            self.told = layers.Dense(32)
            self.flow = AutoregressiveFlow(LATENTS, steps=4, hidden=(96,), context=32)

    def call(self, x, noise):
        h, samples = self.trunk(x), noise.shape[1]
        mean, log_scale = (head(h)[:, None] for head in self.heads)
        log_q = log_normal(noise) - ops.sum(log_scale, axis=2)
        z = ops.exp(log_scale) * noise
        if self.family == "full covariance":
            lower = jnp.zeros((x.shape[0], LATENTS, LATENTS)).at[:, *self.below].set(self.lower(h))
            z = z + noise @ jnp.swapaxes(lower, 1, 2)
        z = z + mean
        if self.family == "flow":
            told = ops.repeat(self.told(h), samples, axis=0)
            z, log_det = self.flow(ops.reshape(z, (-1, LATENTS)), told)
            z = ops.reshape(z, noise.shape)
            log_q = log_q - ops.reshape(log_det, log_q.shape)
        return z, log_q


@functools.cache
def networks(family: str):
    """The posterior of a family, and the decoder. Their weights travel apart from them."""
    posterior, decoder = Posterior(family), dense_decoder((784,), (200, 200), LATENTS)
    posterior(np.zeros((1, 784), "float32"), np.zeros((1, 1, LATENTS), "float32"))
    return posterior, decoder


def first_weights(family: str, seed: int):
    """Those of q and of the decoder. All families of one seed share trunk, heads and decoder."""
    keras.utils.set_random_seed(seed)
    rng, parts = np.random.default_rng(seed), []
    for network in networks(family)[::-1]:  # in Keras's order, decoder first: Glorot, as Keras's
        values = []
        for variable in network.trainable_variables:
            limit = np.sqrt(6 / sum(variable.shape)) if len(variable.shape) == 2 else 0
            kept = not np.asarray(variable.value).any()  # what starts at zero stays there
            drawn = rng.uniform(-limit, limit, variable.shape).astype("float32")
            values.append(jnp.zeros(variable.shape) if kept else jnp.asarray(drawn))
        parts.append(values)
    return parts[1], parts[0]


def log_likelihood(weights, x, z):
    """log p(x | z) of z (batch, samples, latents): (batch, samples)."""
    decoder = networks(FAMILIES[0])[1]
    logits, _ = decoder.stateless_call(weights, [], z.reshape(-1, LATENTS))
    logits = logits.reshape(*z.shape[:2], 784)
    return (logits * x[:, None]).sum(-1) - jax.nn.softplus(logits).sum(-1)


def log_weights(family: str, weights, x, noise):
    """log p(x, z) - log q(z | x): (batch, samples)."""
    (z, log_q), _ = networks(family)[0].stateless_call(weights[0], [], x, noise)
    return log_likelihood(weights[1], x, z) + log_normal(z) - log_q


@functools.cache
def epoch_function(family: str, frozen: bool):
    """Compiled: (state, what stays, rates, (batches, keys)) -> state, losses."""

    @jax.jit
    def epoch(state, stays, rates, inputs):
        def loss(variables, now):
            noise = jax.random.normal(now[1], (BATCH, 1, LATENTS))
            return -log_weights(
                family, (*variables, *stays), now[0].astype("float32"), noise
            ).mean()

        return adam(state, jax.value_and_grad(loss), rates, inputs)

    return epoch


def train(family: str, weights, grey, seed: int, epochs: int, frozen: bool):
    """Raise the ELBO, by q and decoder or by q alone; the rate falls to zero in a straight line."""
    moves, stays = (weights[:1], weights[1:]) if frozen else (weights, ())
    state = begin(moves)
    for number in range(epochs):
        batches = epoch_batches(grey, BATCH, seed, number)
        steps = len(batches)
        rates = RATE * (1 - (number + np.arange(steps) / steps) / epochs)
        keys = jax.random.split(jax.random.key(1000 * seed + number), steps)
        inputs = batches, keys
        state, losses = epoch_function(family, frozen)(state, stays, jnp.float32(rates), inputs)
    return (*state[0], *stays), float(losses.mean())


@functools.cache
def weigh_function(family: str):
    """Compiled: (weights, images, key) -> 50 log weights of each image."""

    @jax.jit
    def weigh(weights, x, key):
        return log_weights(family, weights, x, jax.random.normal(key, (len(x), 50, LATENTS)))

    return weigh


def nats(logs: np.ndarray) -> dict:
    bound = logsumexp(logs.astype("float64"), axis=1) - np.log(logs.shape[1])
    return {"negative_elbo": -logs.mean(), "negative_log_likelihood": -bound.mean()}


def worth(family: str, weights, x) -> dict:
    """-ELBO and -log p(x) in nats per image, from the same draws."""
    keys = jax.random.split(jax.random.key(7), SAMPLES // 50)
    weigh, parts = weigh_function(family), x.reshape(-1, 50, 784)
    return nats(np.concatenate([np.hstack([weigh(weights, p, k) for k in keys]) for p in parts]))


@functools.cache
def local_function(full: bool):
    """Compiled: (first q, decoder's weights, images) -> log weights of the best Gaussians."""
    below = np.tril(np.ones((LATENTS, LATENTS), "float32"), -1) * full

    def weigh(q, weights, x, key, samples):
        noise = jax.random.normal(key, (len(x), samples, LATENTS))
        z = q["mean"][:, None] + jnp.exp(q["log_scale"])[:, None] * noise
        z = z + noise @ jnp.swapaxes(q["lower"] * below, 1, 2)
        log_q = log_normal(noise) - q["log_scale"].sum(-1)[:, None]
        return log_likelihood(weights, x, z) + log_normal(z) - log_q

    @jax.jit
    def fit(q, weights, x):
        rates = 0.05 * (1 - jnp.arange(LOCAL_STEPS) / LOCAL_STEPS)
        keys = jax.random.split(jax.random.key(2), LOCAL_STEPS)
        loss = lambda q, key: -weigh(q, weights, x, key, 5).mean(1).sum()  # noqa: E731
        q = adam(begin(q), jax.value_and_grad(loss), rates, keys)[0][0]
        keys = jax.random.split(jax.random.key(3), SAMPLES // 50)
        return jax.lax.map(lambda key: weigh(q, weights, x, key, 50), keys)

    return fit


def local(family: str, weights, x, full: bool) -> dict:
    """The best Gaussian of each image: -ELBO, and -log p(x) with it as the proposal."""
    draws = jax.random.normal(jax.random.key(1), (len(x), 50, LATENTS))
    (z, _), _ = networks(family)[0].stateless_call(weights[0], [], x, draws)
    q = {"mean": z.mean(1), "log_scale": jnp.log(z.std(1))}
    q["lower"] = jnp.zeros((len(x), LATENTS, LATENTS))
    return nats(np.hstack(local_function(full)(q, weights[1], x)))


def rounded(figures: dict) -> dict:
    return {name: round(float(value), 4) for name, value in figures.items()}


def digits(seed: int) -> dict:
    grey = np.rint(training_images(None)[0] * 255).astype("uint8").reshape(-1, 784)
    held = np.rint(data.load("mnist-5k").x_test * 255).astype("uint8").reshape(-1, 784)
    x = binarise_bytes(held, np.random.default_rng(0)).astype("float32")
    result, trained = {"own": {}, "local": {}, "frozen": {}}, {}
    few = x[:LOCAL_DIGITS]
    for family in FAMILIES:
        weights = first_weights(family, seed)
        weights, loss = train(family, weights, grey, seed, EPOCHS, frozen=False)
        trained[family] = weights
        result["own"][family] = rounded({"training_loss": loss} | worth(family, weights, x))
        result["local"][family] = {"encoder": rounded(worth(family, weights, few))} | {
            name: rounded(local(family, weights, few, name == "full covariance"))
            for name in FAMILIES[:2]
        }
        print(seed, family, result["own"][family], result["local"][family], flush=True)
    for origin in ("mean field", "flow"):
        posterior, decoder = trained[origin]
        for family in FAMILIES:
            # trunk and heads go on from where that decoder's own encoder ended: 8 variables
            weights = [*posterior[:8], *first_weights(family, seed)[0][8:]], decoder
            weights, _ = train(family, weights, grey, seed + 50, REFIT_EPOCHS, frozen=True)
            result["frozen"].setdefault(origin, {})[family] = rounded(worth(family, weights, x))
            print(seed, origin, family, result["frozen"][origin][family], flush=True)
    return result


def main(part: str) -> None:
    settings = {
        "latents": LATENTS,
        "epochs": EPOCHS,
        "refit_epochs": REFIT_EPOCHS,
        "samples": SAMPLES,
        "local_digits": LOCAL_DIGITS,
    }
    command = f"python data/recipes/record_flows.py {part}"
    record = Record("flows", WHAT, command=command, packages=("jax", "numpy"), **settings)
    if part == "bend":
        plan = [{"part": "bend", "x": x, "steps": steps} for x in READINGS for steps in STEPS]
        record.complete(plan, lambda part, x, steps: bend(x, steps))
    else:
        plan = [{"part": "digits", "seed": seed} for seed in range(SEEDS)]
        record.complete(plan, lambda part, seed: digits(seed))


if __name__ == "__main__":
    main(*sys.argv[1:])
