"""Train the default dense VAE with 20 seeds on the shipped digits, and record what came out.

    python data/recipes/record_default_vae.py

Writes data/results/default_vae_seeds.json after every seed, and goes on where it was stopped. Takes
about seven minutes on 2 cores. Exits with an error if a seed collapsed or strayed from the median.
"""

from functools import partial

from helpers import data
from helpers.vae import VAE, BinarisedBatches, dense_decoder, dense_encoder, evaluate
import keras
import numpy as np
from recording import Record

SEEDS, EPOCHS, BATCH_SIZE, LEARNING_RATE, SAMPLES = 20, 30, 100, 2e-3, 10


def train(seed: int, digits: data.Dataset) -> dict:
    """One training; its scores in nats per image."""
    keras.utils.set_random_seed(seed)
    vae = VAE(dense_encoder(), dense_decoder(), seed=seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    batches = BinarisedBatches(digits.x_train, BATCH_SIZE, seed)
    history = vae.fit(batches, epochs=EPOCHS, verbose=0).history
    scores = {"kl_loss": history["kl_loss"][-1]}
    for part, x in (("validation", digits.x_val), ("test", digits.x_test)):
        nats = -evaluate.elbo(vae, data.binarise(x, seed=0), SAMPLES)
        scores[f"{part}_negative_elbo"] = float(nats.mean())
    return {name: round(value, 3) for name, value in scores.items()}


if __name__ == "__main__":
    record = Record(
        "default_vae_seeds",
        f"dense VAE 784-512-256-20, relu, {EPOCHS} epochs, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, 4,000 digits binarised at every epoch; -ELBO of 500 validation and 500 "
        f"test digits binarised once (seed 0), {SAMPLES} samples, nats/image",
        command="python data/recipes/record_default_vae.py",
    )
    plan = [{"seed": seed} for seed in range(SEEDS)]
    record.complete(plan, partial(train, digits=data.load("mnist-5k")))
    held_out = np.array([run["test_negative_elbo"] for run in record.runs])
    assert min(run["kl_loss"] for run in record.runs) > 5, "a seed collapsed to the prior"
    assert np.abs(held_out - np.median(held_out)).max() < 3, "a seed strayed from the median"
