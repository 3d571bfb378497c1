"""Train one small VAE at several beta and seeds, and record rate, distortion and use of latents.

    python data/recipes/record_beta_sweep.py

Writes data/results/beta_sweep.json after every training, and goes on where it was stopped. Takes
about a quarter of an hour on 2 cores. A seed is trained with every beta before the next one.
"""

from functools import partial

from helpers import data
from helpers.elbo import gaussian_kl_per_latent
from helpers.vae import VAE, BinarisedBatches, dense_decoder, dense_encoder, evaluate
import keras
from keras import ops
import numpy as np
from recording import Record

BETAS, SEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0), 5
HIDDEN, LATENTS, EPOCHS, BATCH_SIZE, LEARNING_RATE, SAMPLES = 128, 16, 25, 100, 3e-3, 10


def train(beta: float, seed: int, digits: data.Dataset) -> VAE:
    keras.utils.set_random_seed(seed)
    encoder = dense_encoder(hidden=(HIDDEN,), latent_dim=LATENTS)
    vae = VAE(encoder, dense_decoder(hidden=(HIDDEN,), latent_dim=LATENTS), beta=beta, seed=seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    batches = BinarisedBatches(digits.x_train, BATCH_SIZE, seed)
    vae.fit(batches, epochs=EPOCHS, verbose=0)
    return vae


def measure(vae: VAE, x: np.ndarray, seed: int) -> dict:
    """Rate and distortion in nats/image, and how each latent is used by the images."""
    z_mean, z_log_var = vae.encoder(x)
    kl = ops.convert_to_numpy(gaussian_kl_per_latent(z_mean, z_log_var))
    z_mean, z_log_var = ops.convert_to_numpy(z_mean), ops.convert_to_numpy(z_log_var)
    noise = np.random.default_rng(seed).standard_normal(z_mean.shape)
    z = z_mean + np.exp(z_log_var / 2) * noise
    rate = float(kl.sum(axis=1).mean())
    columns = {
        "rate_per_latent": kl.mean(axis=0),  # nats
        "on_share": (kl > 0.1).mean(axis=0),  # of images that spend over 0.1 nat on the latent
        "near_zero_share": (np.abs(z) < 0.1).mean(axis=0),  # of drawn codes
        "mean_near_zero_share": (np.abs(z_mean) < 0.1).mean(axis=0),  # of posterior means
    }
    return {
        "rate": round(rate, 3),
        "distortion": round(float(-evaluate.elbo(vae, x, SAMPLES).mean()) - rate, 3),
        "active": evaluate.active_units(vae, x).tolist(),
        "codes_of_40_images": z_mean[:40].round(2).tolist() if seed == 0 else [],
    } | {name: [round(float(value), 4) for value in column] for name, column in columns.items()}


def run(seed: int, beta: float, digits: data.Dataset) -> dict:
    return measure(train(beta, seed, digits), data.binarise(digits.x_val, seed=0), seed)


if __name__ == "__main__":
    record = Record(
        "beta_sweep",
        f"dense VAE 784-{HIDDEN}-{LATENTS}, relu, {EPOCHS} epochs, batch {BATCH_SIZE}, "
        f"Adam {LEARNING_RATE}, 4,000 digits binarised at every epoch; figures of 500 validation "
        f"digits binarised once (seed 0), {SAMPLES} samples for the distortion, nats/image",
        command="python data/recipes/record_beta_sweep.py",
    )
    plan = [{"seed": seed, "beta": beta} for seed in range(SEEDS) for beta in BETAS]
    record.complete(plan, partial(run, digits=data.load("mnist-5k")))
