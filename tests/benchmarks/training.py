"""How fast the default VAE trains, beside what its matrix products alone would take.

    python tests/benchmarks/training.py [--batch-size 500] [--rounds 5]

Prints images per second on TensorFlow for contestants that take turns, round by round, since a
machine's speed drifts: the matrix products alone (forward times three: the backward pass has twice
the products), a minimal hand-written loop, and `fit`, fed by the same `tf.data` pipeline as that
loop or by a NumPy array, with XLA off and on. Compare the ratios within a round; the last column is
their median.
"""

import argparse
import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"

from helpers import data, runtime
from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
from helpers.vae import VAE, dense_decoder, dense_encoder
import keras
import numpy as np
import tensorflow as tf

IMAGES, EPOCHS = 20_000, 3


def matrix_products(x, batch_size):
    """A function that does the default network's matrix products, forward, and nothing else."""
    sizes = [(784, 512), (512, 256), (256, 40), (20, 256), (256, 512), (512, 784)]
    weights = [tf.random.normal(size, stddev=0.01) for size in sizes]
    batch = tf.constant(x[:batch_size].reshape(batch_size, 784))

    @tf.function
    def run(steps):
        total = 0.0
        for _ in tf.range(steps):
            h = batch + total  # keeps a step from being folded into the one before
            for weight in weights:
                h = h[:, : weight.shape[0]] @ weight
            total = 0.0 * h[0, 0]
        return total

    return lambda: run(3 * EPOCHS * IMAGES // batch_size).numpy()


def pipeline(x, batch_size):
    return tf.data.Dataset.from_tensor_slices(x).shuffle(IMAGES).batch(batch_size)


def hand_written(x, batch_size):
    """The same model and loss in a plain TensorFlow loop with Adam."""
    vae = VAE(dense_encoder(), dense_decoder())
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(vae.trainable_variables)
    batches = pipeline(x, batch_size).repeat(EPOCHS)

    @tf.function
    def step(batch):
        with tf.GradientTape() as tape:
            z_mean, z_log_var = vae.encoder(batch)
            z = z_mean + tf.exp(0.5 * z_log_var) * tf.random.normal(tf.shape(z_mean))
            nats = gaussian_kl(z_mean, z_log_var) - bernoulli_log_likelihood(batch, vae.decoder(z))
            loss = tf.reduce_mean(nats)
        gradients = tape.gradient(loss, vae.trainable_variables)
        optimizer.apply(gradients, vae.trainable_variables)
        return loss

    def run():
        for batch in batches:
            loss = step(batch)
        return loss.numpy()

    return run


def fit(images, batch_size, xla):
    vae = VAE(dense_encoder(), dense_decoder())
    vae.supports_jit = True  # the default on a CPU is XLA off; here both take part
    vae.compile(keras.optimizers.Adam(1e-3), jit_compile=xla)
    return lambda: vae.fit(images, batch_size=batch_size, epochs=EPOCHS, verbose=0)


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    runtime.start(seed=0)
    grey = data.load("mnist-5k").x_train
    x = np.concatenate([data.binarise(grey, seed) for seed in range(IMAGES // len(grey))])
    size, batches = options.batch_size, pipeline(x, options.batch_size)
    contestants = {
        "matrix products": matrix_products(x, size),
        "hand-written loop": hand_written(x, size),
        "fit, tf.data, XLA off": fit(batches, None, xla=False),
        "fit, tf.data, XLA on": fit(batches, None, xla=True),
        "fit, array, XLA off": fit(x, size, xla=False),
        "fit, array, XLA on": fit(x, size, xla=True),
    }
    first = {name: seconds(run) for name, run in contestants.items()}
    rounds = np.array(
        [[seconds(run) for run in contestants.values()] for _ in range(options.rounds)]
    )
    ratios = np.median(rounds[:, :1] / rounds, axis=0)
    print(f"{IMAGES} images, batch {size}, {options.rounds} rounds of {EPOCHS} epochs, medians")
    print(f"{'':22} {'first round':>12} {'images/s':>9} {'share of the limit':>19}")
    for (name, start), times, ratio in zip(first.items(), rounds.T, ratios, strict=True):
        speed = EPOCHS * IMAGES / np.median(times)
        print(f"{name:22} {start:10.1f} s {speed:9.0f} {ratio:19.2f}")
    for name, off, on in (("tf.data", 2, 3), ("array", 4, 5)):
        pace = np.median(np.minimum(rounds[:, off], rounds[:, on]) / rounds[:, off])
        print(f"XLA off, {name}: {pace:.2f} of the pace of the faster of off and on")
