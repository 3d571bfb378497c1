"""Train VAEs on sprites for several beta and seeds, and record what their latents know.

    python data/recipes/record_disentanglement.py

Writes data/results/disentanglement.json after every training, and goes on where it was stopped.
Takes about twenty minutes on 2 busy cores. A seed is trained with every beta before the next one.
"""

import base64

from helpers import data, widgets
from helpers.vae import VAE, dense_decoder, dense_encoder, evaluate
import keras
from keras import ops
import numpy as np
from recording import Record

BETAS, SEEDS = (1.0, 2.0, 4.0, 8.0, 16.0), 5
LATENTS, EPOCHS, BATCH_SIZE, LEARNING_RATE = 6, 40, 128, 2e-3
RANGE = np.linspace(-2, 2, 9, dtype="float32")


def train(beta: float, seed: int, images: np.ndarray) -> VAE:
    keras.utils.set_random_seed(seed)
    networks = (
        dense_encoder((24, 24), (256, 128), LATENTS),
        dense_decoder((24, 24), (128, 256), LATENTS),
    )
    vae = VAE(*networks, beta=beta, seed=seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    vae.fit(images, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    return vae


def measure(vae: VAE, images: np.ndarray, factors: np.ndarray) -> dict:
    """Rate and distortion in nats/image, active units, and what each latent knows, in nats."""
    z_mean, z_log_var = (ops.convert_to_numpy(part) for part in vae.encoder(images))
    variance = np.exp(z_log_var)
    rate = 0.5 * (np.square(z_mean) + variance - 1 - z_log_var).mean(axis=0)
    minus_elbo = -evaluate.elbo(vae, images).mean()
    return {
        "distortion": round(float(minus_elbo - rate.sum()), 3),
        "rate_per_latent": [round(float(value), 3) for value in rate],
        "active": evaluate.active_units(vae, images).tolist(),
        "mutual_information": evaluate.mutual_information(z_mean, factors).round(4).tolist(),
        "mig": round(evaluate.mutual_information_gap(z_mean, factors), 4),
    }


def traversal(vae: VAE, image: np.ndarray) -> str:
    """A picture, as base64 PNG: from the code of one image, each row moves one latent."""
    start = ops.convert_to_numpy(vae.encoder(image[None])[0])[0]
    codes = np.tile(start, (LATENTS, len(RANGE), 1))
    for latent in range(LATENTS):
        codes[latent, :, latent] = RANGE
    shown = vae.decode(codes.reshape(-1, LATENTS)).reshape(LATENTS, len(RANGE), 24, 24)
    framed = np.pad(shown, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0.25)
    mosaic = np.concatenate([np.concatenate(list(row), axis=1) for row in framed])
    return base64.b64encode(widgets.png(mosaic)).decode()


def run(seed: int, beta: float) -> dict:
    images, factors = data.sprites()
    vae = train(beta, seed, images)
    measured = measure(vae, images, factors)
    if seed == 0:
        example = images[(factors == (0, 2, 1, 4, 3)).all(axis=1)][0]
        measured["traversal"] = traversal(vae, example)
    return measured


if __name__ == "__main__":
    record = Record(
        "disentanglement",
        f"dense VAE 576-256-128-{LATENTS}, relu, {EPOCHS} epochs, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, on all 3,072 sprites; every figure is on those same images, in nats; "
        "mutual information of posterior means with the factors, 20 bins per latent",
        command="python data/recipes/record_disentanglement.py",
        factors=list(data.SPRITE_FACTORS),
    )
    record.complete([{"seed": seed, "beta": beta} for seed in range(SEEDS) for beta in BETAS], run)
