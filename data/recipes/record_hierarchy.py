"""Train VAEs with one, two and four levels of latents, and count the nats of each level.

    python data/recipes/record_hierarchy.py

Needs JAX. Writes data/results/hierarchy.json, a run at a time, and goes on where it was stopped.
Takes about four CPU minutes.

Plainly, q goes bottom-up, from the image to the first level and from each level to the next. The
ladder goes top-down, as p does: below the top, q is the product of p(z_l | z_(l+1)) and of what the
image says (Sonderby et al. 2016).
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

from functools import lru_cache, partial

from helpers import data
import jax
import jax.numpy as jnp
import numpy as np
from record_diffusion import adam_epoch, dense_weights, start
from recording import Record

LEVELS, HIDDEN, INNER = (32, 16, 8, 4), 128, 64
BATCH, EPOCHS, RATE, SEEDS, WARM_UP, FLOOR = 100, 25, 2e-3, 5, 12, 1.0
SETTINGS = {  # levels
    "one level": 1,
    "one level, warm-up": 1,
    "two levels": 2,
    "four levels": 4,
    "four, warm-up": 4,
    "four, free bits": 4,
    "four, ladder and warm-up": 4,
}


def sizes(setting: str) -> dict:
    """Name of a network -> its widths."""
    count, ladder = SETTINGS[setting], "ladder" in setting
    found = {"up1": (784, HIDDEN), "px": (LEVELS[0], HIDDEN, 784), "q1": (HIDDEN, 2 * LEVELS[0])}
    for i in range(2, count + 1):
        below, here = LEVELS[i - 2 : i]
        found[f"p{i - 1}"] = (here, INNER, 2 * below)
        found[f"q{i}"] = (INNER, 2 * here) if ladder else (below, INNER, 2 * here)
        if ladder:
            found[f"up{i}"] = (HIDDEN if i == 2 else INNER, INNER)
    return found


def dense(weights: dict, name: str, h):
    """Dense layers with ReLU between them, and none at the end."""
    count = sum(key.startswith(f"{name}_w") for key in weights)
    for i in range(count):
        h = h @ weights[f"{name}_w{i}"] + weights[f"{name}_b{i}"]
        h = jax.nn.relu(h) if i < count - 1 else h
    return h


def gaussian(weights: dict, name: str, h):
    """Mean and log-variance."""
    mean, log_var = jnp.split(dense(weights, name, h), 2, axis=1)
    return mean, jnp.clip(log_var, -8, 4)


def draw(key, mean, log_var):
    return mean + jnp.exp(log_var / 2) * jax.random.normal(key, mean.shape)


def log_density(z, mean, log_var):
    return -0.5 * jnp.sum((z - mean) ** 2 * jnp.exp(-log_var) + log_var, axis=1)  # but a constant


def product(q, p):
    """The normalised product of two diagonal Gaussians: their precisions add."""
    a, b = jnp.exp(-q[1]), jnp.exp(-p[1])
    return (a * q[0] + b * p[0]) / (a + b), -jnp.log(a + b)


def parts(weights: dict, x, key, setting: str):
    """log p(x | z_1), (n,), and log q - log p of each level, (levels, n), by one draw: nats."""
    count, keys = SETTINGS[setting], jax.random.split(key, 4)
    up = [jax.nn.relu(dense(weights, "up1", x))]
    q, p, z = [None] * count, [None] * count, [None] * count
    if "ladder" in setting:
        for i in range(1, count):
            up.append(jax.nn.relu(dense(weights, f"up{i + 1}", up[-1])))
        for i in reversed(range(count)):
            q[i] = gaussian(weights, f"q{i + 1}", up[i])
            if i < count - 1:
                p[i] = gaussian(weights, f"p{i + 1}", z[i + 1])
                q[i] = product(q[i], p[i])
            z[i] = draw(keys[i], *q[i])
    else:
        for i in range(count):
            q[i] = gaussian(weights, f"q{i + 1}", z[i - 1] if i else up[0])
            z[i] = draw(keys[i], *q[i])
        p[:-1] = [gaussian(weights, f"p{i + 1}", z[i + 1]) for i in range(count - 1)]
    p[-1] = (0.0, jnp.zeros((1, 1)))
    logits = dense(weights, "px", z[0])
    log_p = (x * logits - jax.nn.softplus(logits)).sum(axis=1)
    zeros = jnp.zeros((len(x), 1))
    ratios = [
        log_density(z[i], *q[i]) - log_density(z[i], p[i][0], p[i][1] + zeros) for i in range(count)
    ]
    return log_p, jnp.stack(ratios)


def loss(weights: dict, x, key, beta, setting: str):
    """Mean -ELBO of a batch in nats per image; `beta` weighs what all levels cost."""
    log_p, kl = parts(weights, x, key, setting)
    kl = kl.mean(axis=1)
    if "free bits" in setting:
        kl = jnp.maximum(kl, FLOOR)
    return -log_p.mean() + beta * kl.sum()


@lru_cache
def compiled(setting: str):
    """An epoch of training, and the parts of the bound."""
    return adam_epoch(partial(loss, setting=setting)), jax.jit(partial(parts, setting=setting))


def train(setting: str, seed: int, digits: data.Dataset) -> dict:
    """One training, and the nats of all levels on the 500 held-out test digits."""
    rng = np.random.default_rng((seed, 35))
    state = start(dense_weights(sizes(setting), rng))
    x_train, steps = digits.x_train.reshape(-1, 784), len(digits.x_train) // BATCH
    epoch, measure = compiled(setting)
    for number in range(EPOCHS):
        x = (x_train > rng.random(x_train.shape, "float32"))[rng.permutation(len(x_train))]
        beta = min(1.0, (number + 1) / WARM_UP) if "warm-up" in setting else 1.0
        rates = RATE * (1 + np.cos(np.pi * (number + np.arange(steps) / steps) / EPOCHS)) / 2
        batches = (x.reshape(steps, BATCH, 784), np.full(steps, beta, "float32"))
        key = jax.random.key(1000 * seed + number)
        state, _ = epoch(state, batches, rates.astype("float32"), key)
    x_test = jnp.asarray(data.binarise(digits.x_test, seed=0).reshape(-1, 784))
    draws = [measure(state[1], x_test, jax.random.key(10_000 + i)) for i in range(20)]
    log_p = np.mean([one[0] for one in draws])
    kl = np.mean([one[1] for one in draws], axis=(0, 2))
    return {
        "negative_elbo": round(float(kl.sum() - log_p), 3),
        "distortion": round(float(-log_p), 3),
        "kl_levels": [round(float(one), 3) for one in kl],
    }


if __name__ == "__main__":
    record = Record(
        "hierarchy",
        "VAEs on the 4,000 training digits, binarised at every epoch: levels of "
        f"{', '.join(map(str, LEVELS))} latents from the image upwards (the first one, two or all "
        f"four), hidden layers of {HIDDEN} beside the image and {INNER} above, relu; {EPOCHS} "
        f"epochs, batch {BATCH}, Adam from {RATE} by a cosine, average of the weights; warm-up: "
        f"weight of all KL from 0 to 1 over {WARM_UP} epochs; free bits: no pressure on a level "
        f"below {FLOOR:g} nat; nats per image on the 500 test digits, binarised once, 20 draws",
        command="python data/recipes/record_hierarchy.py",
        packages=("jax",),
    )
    plan = [{"seed": seed, "setting": setting} for seed in range(SEEDS) for setting in SETTINGS]
    record.complete(plan, partial(train, digits=data.load("mnist-5k")))
