"""How fast the default VAE trains, beside what its matrix products alone would take.

    python tests/benchmarks/training.py [--batch-size 500] [--rounds 5] [--out FILE]
    KERAS_BACKEND=jax python tests/benchmarks/training.py

Prints images per second for contestants that take turns, round by round, since a machine's speed
drifts: the backend's matrix products alone (forward times three: the backward pass has twice the
products), a minimal hand-written loop, `fit`, and, where PyTorch is installed, a hand-written loop
of its own. Compare the ratios within a round; the last column is their median.
"""

import argparse
from collections.abc import Callable
import importlib.util
import json
import os
from pathlib import Path
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from helpers import data, runtime
from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
from helpers.vae import VAE, dense_networks
import keras
import numpy as np

IMAGES, EPOCHS, RATE = 20_000, 3, 1e-3
LAYERS = [weight.shape for part in dense_networks() for weight in part.trainable_weights[::2]]


def matrix_products(h, weights):
    """Those of one forward pass, and nothing else."""
    e1, e2, mean, log_var, d1, d2, d3 = weights
    h = h @ e1 @ e2
    return (h @ mean + h @ log_var) @ d1 @ d2 @ d3


def negative_elbo(encoder, decoder, x, noise):
    z_mean, z_log_var = encoder(x)
    z = z_mean + keras.ops.exp(0.5 * z_log_var) * noise
    nats = gaussian_kl(z_mean, z_log_var) - bernoulli_log_likelihood(x, decoder(z))
    return keras.ops.mean(nats)


def fit(x, size: int, xla: bool) -> Callable:
    vae = VAE(*dense_networks())
    vae.supports_jit = True  # TensorFlow's default on a CPU is XLA off; here both take part
    vae.compile(keras.optimizers.Adam(RATE), jit_compile=xla)
    return lambda: vae.fit(x, batch_size=size, epochs=EPOCHS, verbose=0)


def of_tensorflow(x, size: int) -> dict[str, Callable]:
    import tensorflow as tf

    weights = [tf.random.normal(shape, stddev=0.01) for shape in LAYERS]
    flat = tf.constant(x[:size].reshape(size, -1))

    @tf.function
    def products(steps):
        total = 0.0
        for _ in tf.range(steps):
            # The total keeps a step from being folded into the one before.
            total = 0.0 * matrix_products(flat + total, weights)[0, 0]
        return total

    encoder, decoder = dense_networks()
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer = keras.optimizers.Adam(RATE)
    optimizer.build(variables)
    batches = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x)).batch(size)

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            noise = tf.random.normal((tf.shape(batch)[0], 20))
            loss = negative_elbo(encoder, decoder, batch, noise)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def loop():
        for batch in batches.repeat(EPOCHS):
            loss = step(batch)
        return loss.numpy()

    return {
        "matrix products": lambda: products(3 * EPOCHS * len(x) // size).numpy(),
        "hand-written loop": loop,
        "fit, tf.data, XLA off": fit(batches, None, xla=False),
        "fit, tf.data, XLA on": fit(batches, None, xla=True),
        "fit, array, XLA off": fit(x, size, xla=False),
        "fit, array, XLA on": fit(x, size, xla=True),
    }


def of_jax(x, size: int) -> dict[str, Callable]:
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), len(LAYERS))
    weights = [0.01 * jax.random.normal(k, s) for k, s in zip(keys, LAYERS, strict=True)]
    images = jnp.asarray(x)
    flat, steps = images[:size].reshape(size, -1), len(x) // size

    @jax.jit
    def products(weights, flat):
        def step(total, _):
            return 0.0 * matrix_products(flat + total, weights)[0, 0], None

        return jax.lax.scan(step, 0.0, None, length=3 * EPOCHS * steps)[0]

    encoder, decoder = dense_networks()
    optimizer = keras.optimizers.Adam(RATE)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(variables)
    inner = len(encoder.trainable_variables)

    def loss(trainable, batch, noise):
        parts = (encoder, trainable[:inner]), (decoder, trainable[inner:])
        calls = [lambda v, m=m, w=w: m.stateless_call(w, [], v)[0] for m, w in parts]
        return negative_elbo(*calls, batch, noise)

    @jax.jit
    def epoch(state, images, key):
        order, noise = jax.random.split(key)
        rows = jax.random.permutation(order, len(images))[: steps * size].reshape(steps, size)
        noise = jax.random.normal(noise, (steps, size, 20))

        def step(state, inputs):
            trainable, slots = state
            value, gradients = jax.value_and_grad(loss)(trainable, images[inputs[0]], inputs[1])
            return optimizer.stateless_apply(slots, gradients, trainable), value

        return jax.lax.scan(step, state, (rows, noise))

    state = [v.value for v in variables], [v.value for v in optimizer.variables]

    def loop():
        now = state
        for number in range(EPOCHS):
            now, values = epoch(now, images, jax.random.key(number))
        return values[-1].block_until_ready()

    return {
        "matrix products": lambda: products(weights, flat).block_until_ready(),
        "hand-written loop": loop,
        "fit, array": fit(x, size, xla=True),
    }


def of_torch(x, size: int) -> dict[str, Callable]:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, relu

    device = "cuda" if torch.cuda.is_available() else "cpu"
    layers = [torch.nn.Linear(*shape).to(device) for shape in LAYERS]
    e1, e2, mean, log_var, d1, d2, d3 = layers
    parameters = [p for layer in layers for p in layer.parameters()]
    optimizer = torch.optim.Adam(parameters, RATE, foreach=True)
    images = torch.tensor(x.reshape(len(x), -1), device=device)

    def loop():
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(x), device=device).split(size):
                batch = images[rows]
                h = relu(e2(relu(e1(batch))))
                m, v = mean(h), log_var(h)
                logits = d3(relu(d2(relu(d1(m + torch.exp(0.5 * v) * torch.randn_like(m))))))
                cost = binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(1)
                kl = -0.5 * (1 + v - m.square() - v.exp()).sum(1)
                loss = (cost + kl).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return loss.item()

    return {"PyTorch, hand-written": loop}


def seconds(function: Callable) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=IMAGES, help="fewer, for a trial")
    parser.add_argument("--out", type=Path, help="also write the figures to this JSON file")
    options = parser.parse_args()
    runtime.start(seed=0)
    grey = data.load("mnist-5k").x_train
    copies = range(-(-options.images // len(grey)))
    x = np.concatenate([data.binarise(grey, seed) for seed in copies])[: options.images]
    backends = {"tensorflow": of_tensorflow, "jax": of_jax}
    contestants = backends[keras.backend.backend()](x, options.batch_size)
    if importlib.util.find_spec("torch"):
        contestants |= of_torch(x, options.batch_size)
    first = [seconds(run) for run in contestants.values()]
    rounds = np.array(
        [[seconds(run) for run in contestants.values()] for _ in range(options.rounds)]
    )
    speeds = EPOCHS * len(x) / np.median(rounds, axis=0)
    shares = np.median(rounds[:, :1] / rounds, axis=0)
    print(
        f"{len(x)} images, batch {options.batch_size}, {options.rounds} rounds of {EPOCHS} epochs"
    )
    print(f"{'medians':22} {'first round':>12} {'images/s':>9} {'share of the limit':>19}")
    for name, start, speed, share in zip(contestants, first, speeds, shares, strict=True):
        print(f"{name:22} {start:10.1f} s {speed:9.0f} {share:19.2f}")
    if options.out:
        figures = zip(contestants, speeds.round().tolist(), shares.round(3).tolist(), strict=True)
        made = {"batch_size": options.batch_size, "images": len(x), "rounds": options.rounds}
        options.out.write_text(json.dumps(made | {"speeds and shares": list(figures)}) + "\n")
