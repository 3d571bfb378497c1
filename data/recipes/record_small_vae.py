"""Train the small VAE of chapter 21 with many seeds, and record how far its -ELBO moves, and why.

    python data/recipes/record_small_vae.py

Three plans: the seed decides everything (as in the chapter, 20 trainings), the first weights alone,
or the order of the images and all noise alone (10 each). Writes data/results/small_vae_seeds.json
after every training, and goes on where it was stopped. Takes about five minutes on 2 cores.
"""

from functools import partial

from helpers import data
from helpers.vae import VAE, BinarisedBatches, dense_networks, evaluate
import keras
import numpy as np
from recording import Record

EPOCHS, BATCH_SIZE, LEARNING_RATE, SAMPLES = 16, 100, 3e-3, 10
VARIES = {"everything": 20, "first weights": 10, "order and noise": 10}  # trainings of each


def train(varies: str, seed: int, digits: data.Dataset) -> dict:
    """One training; its scores in nats per image, and the latents with a KL above 0.1 nats."""
    weights = 0 if varies == "order and noise" else seed
    rest = 0 if varies == "first weights" else seed
    keras.utils.set_random_seed(weights)
    vae = VAE(*dense_networks(hidden=(64, 128), latent_dim=100), seed=rest)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    vae.fit(BinarisedBatches(digits.x_train, BATCH_SIZE, rest), epochs=EPOCHS, verbose=0)
    codes = vae.predict(x_val := data.binarise(digits.x_val, seed=0), batch_size=500, verbose=0)
    z_mean, z_log_var = (codes[name].astype("float64") for name in ("z_mean", "z_log_var"))
    kl = 0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var).mean(axis=0)
    scores = {"rate": float(kl.sum())}
    for part, x in (("validation", x_val), ("test", data.binarise(digits.x_test, seed=1))):
        scores[f"{part}_negative_elbo"] = float(-evaluate.elbo(vae, x, SAMPLES).mean())
    scores = {name: round(value, 3) for name, value in scores.items()}
    return scores | {"active": int((kl > 0.1).sum())}


if __name__ == "__main__":
    record = Record(
        "small_vae_seeds",
        f"dense VAE 784-64-128-100, relu, {EPOCHS} epochs, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, 4,000 digits binarised at every epoch; -ELBO of 500 validation digits "
        f"(binarised once, seed 0) and 500 test digits (seed 1), {SAMPLES} samples; rate of the "
        "validation digits; nats/image; active: latents whose mean KL there is above 0.1 nats",
        command="python data/recipes/record_small_vae.py",
    )
    plan = [{"varies": varies, "seed": seed} for varies, n in VARIES.items() for seed in range(n)]
    record.complete(plan, partial(train, digits=data.load("mnist-5k")))
