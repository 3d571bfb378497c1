"""Make a VAE collapse to its prior, and compare three cures on several seeds.

    python data/recipes/record_collapse.py

Writes data/results/collapse.json after every training, and goes on where it was stopped. Takes
about ten minutes on 2 cores. Every setting gets the same data, epochs, seeds and optimizer.
"""

from functools import partial

from helpers import data
from helpers.vae import VAE, BetaSchedule, BinarisedBatches, dense_decoder, dense_encoder, evaluate
import keras
import numpy as np
from recording import Record

SEEDS, EPOCHS, BATCH_SIZE, LEARNING_RATE, SAMPLES = 5, 16, 100, 1e-3, 10
DEEP, SHALLOW, LATENTS = (128,) * 5, (128,), 20
WARM_UP, FLOOR = 8, 0.25  # epochs until beta is 1; nats per latent
SETTINGS = ("deep decoder", "annealing", "free bits", "weaker decoder")


def build(setting: str, frequency: np.ndarray, seed: int) -> VAE:
    """The VAE of one setting, its output bias at the log-odds of every pixel."""
    encoder = dense_encoder(hidden=(256, 128), latent_dim=LATENTS)
    decoder = dense_decoder(
        hidden=SHALLOW if setting == "weaker decoder" else DEEP, latent_dim=LATENTS
    )
    decoder.get_layer("logits").bias.assign(np.log(frequency / (1 - frequency)).ravel())
    if setting == "free bits":
        return VAE(encoder, decoder, free_nats=FLOOR, seed=seed)
    return VAE(encoder, decoder, seed=seed)


def train(setting: str, seed: int, digits: data.Dataset) -> dict:
    """One training; its scores in nats per image."""
    keras.utils.set_random_seed(seed)
    vae = build(setting, digits.x_train.mean(axis=0).clip(0.001, 0.999), seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    warm_up = BetaSchedule(lambda epoch: min(1.0, epoch / WARM_UP))
    history = vae.fit(
        BinarisedBatches(digits.x_train, BATCH_SIZE, seed),
        epochs=EPOCHS,
        verbose=0,
        callbacks=[warm_up] if setting == "annealing" else [],
    ).history
    x_test = data.binarise(digits.x_test, seed=0)
    nats = -evaluate.elbo(vae, x_test, SAMPLES)
    return {
        "kl_by_epoch": [round(value, 3) for value in history["kl_loss"]],
        "test_negative_elbo": round(float(nats.mean()), 3),
        "active_units": int(evaluate.active_units(vae, x_test).sum()),
    }


if __name__ == "__main__":
    record = Record(
        "collapse",
        f"VAE with encoder 784-256-128-{LATENTS}, relu; deep decoder: five hidden layers "
        f"of 128, weaker decoder: one; output bias at the pixels' log-odds; annealing: beta from 0 "
        f"to 1 over {WARM_UP} epochs; free bits: {FLOOR} nats per latent on the batch mean; "
        f"{EPOCHS} epochs, batch {BATCH_SIZE}, Adam {LEARNING_RATE}, 4,000 digits binarised at "
        "every epoch; -ELBO (beta = 1) and active units of 500 test digits binarised once "
        f"(seed 0), {SAMPLES} samples, nats/image",
        command="python data/recipes/record_collapse.py",
    )
    plan = [{"seed": seed, "setting": setting} for seed in range(SEEDS) for setting in SETTINGS]
    record.complete(plan, partial(train, digits=data.load("mnist-5k")))
