"""Train VAEs on sprites for several beta and seeds, and record what their codes know, and where.

    python data/recipes/record_disentanglement.py

Writes data/results/disentanglement.json after every training, and goes on where it was stopped.
Takes about twenty minutes on 2 busy cores. A seed is trained with every beta before the next one.
"""

from helpers import data
from helpers.vae import VAE, dense_decoder, dense_encoder, evaluate
import keras
from keras import ops
import numpy as np
from recording import Record
from scipy.special import logsumexp

BETAS, SEEDS = (1.0, 2.0, 4.0, 8.0, 16.0), 5
LATENTS, EPOCHS, BATCH_SIZE, LEARNING_RATE = 6, 40, 128, 2e-3
DRAWS, TURNS = 4, 30


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


def log_densities(z: np.ndarray, mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    """log q(z | x) of every code under every image's posterior, nats: shape (codes, images)."""
    precision = np.exp(-log_var)
    constant = (np.square(mean) * precision + log_var + np.log(2 * np.pi)).sum(axis=1)
    return -0.5 * (np.square(z) @ precision.T - 2 * z @ (mean * precision).T + constant)


def knowledge(mean: np.ndarray, log_var: np.ndarray, factors: np.ndarray, seed: int) -> dict:
    """What the code tells of the image and its factors, from draws; the images are all there are.

    q_bar(z) is the mean of the q(z | x) of all images, and P(image | z) = q(z | x) / sum q(z | x).
    """
    rng, rows, count = np.random.default_rng(seed), np.arange(len(mean)), len(mean)
    told, image, nats, hits, alone = [], [], [], [], []
    levels = [np.eye(column.max() + 1)[column] for column in factors.T]
    for _ in range(DRAWS):
        z = mean + np.exp(log_var / 2) * rng.standard_normal(mean.shape)
        log_q = log_densities(z, mean, log_var)
        posterior = np.exp(log_q - logsumexp(log_q, axis=1, keepdims=True))
        image.append(posterior[rows, rows].mean())
        told.append(np.log(count * posterior[rows, rows]).mean())
        of_levels = [posterior @ level for level in levels]
        pairs = list(zip(of_levels, levels, strict=True))
        nats.append([np.log(len(p.T) * (p * level).sum(axis=1)).mean() for p, level in pairs])
        hits.append([(p * level).sum(axis=1).mean() for p, level in pairs])
        table = []
        for j in range(LATENTS):
            one = np.exp(log_densities(z[:, j : j + 1], mean[:, j : j + 1], log_var[:, j : j + 1]))
            shares = [one @ level / one.sum(axis=1, keepdims=True) for level in levels]
            pairs = zip(shares, levels, strict=True)
            table.append([np.log(len(p.T) * (p * level).sum(axis=1)).mean() for p, level in pairs])
        alone.append(table)
    return {
        "information": round(float(np.mean(told)), 3),
        "probability_of_the_image": round(float(np.mean(image)), 3),
        "factor_information": np.mean(nats, axis=0).round(4).tolist(),
        "factor_probability": np.mean(hits, axis=0).round(4).tolist(),
        "exact_mutual_information": np.mean(alone, axis=0).round(4).tolist(),
    }


def turned_gaps(z: np.ndarray, factors: np.ndarray) -> list[float]:
    """The gap after random rotations of the code, the same ones for every model."""
    rng = np.random.default_rng(0)
    rotations = [np.linalg.qr(rng.standard_normal((z.shape[1],) * 2))[0] for _ in range(TURNS)]
    return [round(evaluate.mutual_information_gap(z @ turn, factors), 4) for turn in rotations]


def measure(vae: VAE, images: np.ndarray, factors: np.ndarray, seed: int) -> dict:
    """Rate and distortion in nats/image, active units, and what each latent knows, in nats."""
    code = [ops.convert_to_numpy(part).astype("float64") for part in vae.encoder(images)]
    z_mean, z_log_var = code
    rate = 0.5 * (np.square(z_mean) + np.exp(z_log_var) - 1 - z_log_var).mean(axis=0)
    minus_elbo = -evaluate.elbo(vae, images).mean()
    return {
        "distortion": round(float(minus_elbo - rate.sum()), 3),
        "rate_per_latent": [round(float(value), 3) for value in rate],
        "active": evaluate.active_units(vae, images).tolist(),
        **knowledge(z_mean, z_log_var, factors, seed),
        "mutual_information": evaluate.mutual_information(z_mean, factors).round(4).tolist(),
        "mig": round(evaluate.mutual_information_gap(z_mean, factors), 4),
        "mig_turned": turned_gaps(z_mean, factors),
    }


def run(seed: int, beta: float) -> dict:
    images, factors = data.sprites()
    vae = train(beta, seed, images)
    return measure(vae, images, factors, seed)


if __name__ == "__main__":
    record = Record(
        "disentanglement",
        f"dense VAE 576-256-128-{LATENTS}, relu, {EPOCHS} epochs, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, on all 3,072 sprites; every figure is on those same images, in nats; "
        "mutual_information and mig: of posterior means with the factors, 20 bins per latent; "
        f"mig_turned: after {TURNS} random rotations of the means; exact_mutual_information: of "
        f"single latents, and information, of the whole code with the image, from {DRAWS} draws "
        "per image, q_bar being the mixture of all posteriors",
        command="python data/recipes/record_disentanglement.py",
        factors=list(data.SPRITE_FACTORS),
    )
    record.complete([{"seed": seed, "beta": beta} for seed in range(SEEDS) for beta in BETAS], run)
