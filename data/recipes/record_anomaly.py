"""Leave out one digit at a time, and record how well a VAE's scores tell it from the others.

    python data/recipes/record_anomaly.py

Ten digits times five seeds. Writes data/results/anomaly_auc.json after every training, and goes on
where it was stopped. Takes about six minutes on 2 quiet cores. Notebook 24 shows the result.
"""

from functools import partial

from helpers import data
from helpers.elbo import gaussian_kl
from helpers.vae import VAE, BinarisedBatches, dense_decoder, dense_encoder, evaluate
import keras
from keras import ops
import numpy as np
from recording import Record
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

SEEDS, EPOCHS, BATCH_SIZE, LEARNING_RATE, LATENTS, SAMPLES = 5, 15, 200, 4e-3, 20, 5
NEIGHBOURS = 5


def train(x: np.ndarray, seed: int) -> VAE:
    """The network of notebook 24, on images without one class."""
    keras.utils.set_random_seed(seed)
    encoder = dense_encoder(hidden=(256, 128), latent_dim=LATENTS)
    vae = VAE(encoder, dense_decoder(hidden=(128, 256), latent_dim=LATENTS), seed=seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    vae.fit(BinarisedBatches(x, BATCH_SIZE, seed), epochs=EPOCHS, verbose=0)
    return vae


def make_scores(vae: VAE, x_train: np.ndarray):
    """A function from binary images to anomaly scores, each of them high for the unusual."""
    frequency = x_train.mean(axis=0).clip(0.001, 0.999)
    seen = data.binarise(x_train, seed=5)
    typical = np.median(-evaluate.elbo(vae, seen, SAMPLES))
    codes = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(ops.convert_to_numpy(vae.encoder(seen)[0]))

    def scores(x: np.ndarray) -> dict[str, np.ndarray]:
        z_mean, z_log_var = vae.encoder(x)
        kl = ops.convert_to_numpy(gaussian_kl(z_mean, z_log_var))
        cost = -evaluate.elbo(vae, x, SAMPLES)
        coins = -(x * np.log(frequency) + (1 - x) * np.log(1 - frequency)).sum(axis=(1, 2))
        return {
            "cost": cost,
            "reconstruction": cost - kl,
            "KL": kl,
            "ratio": cost - coins,
            "two-sided": np.abs(cost - typical),
            "code distance": codes.kneighbors(ops.convert_to_numpy(z_mean))[0].mean(axis=1),
            "ink": x.sum(axis=(1, 2)),
        }

    return scores


def areas(normal: dict, anomaly: dict) -> dict[str, float]:
    """The area under the ROC curve of each score."""

    def area(name: str) -> float:
        label = np.repeat([0, 1], [len(normal[name]), len(anomaly[name])])
        return roc_auc_score(label, np.concatenate([normal[name], anomaly[name]]))

    return {name: round(float(area(name)), 4) for name in normal}


def run(digit: int, seed: int, digits: data.Dataset) -> dict:
    """Train without `digit`; areas on validation images, and on the test images."""
    seen = digits.x_train[digits.y_train != digit]
    scores = make_scores(train(seen, seed), seen)
    normal = data.binarise(digits.x_val[digits.y_val != digit], seed=0)
    left_out = np.concatenate(
        [digits.x_train[digits.y_train == digit], digits.x_val[digits.y_val == digit]]
    )
    test, left_out_test = (
        data.binarise(digits.x_test[where], seed=2)
        for where in (digits.y_test != digit, digits.y_test == digit)
    )
    usual = scores(normal)
    return {
        "validation": areas(usual, scores(data.binarise(left_out, seed=1))),
        "upside down": areas(usual, scores(np.flip(normal, axis=(1, 2)).copy())),
        "test": areas(scores(test), scores(left_out_test)),
    }


if __name__ == "__main__":
    record = Record(
        "anomaly_auc",
        f"area under the ROC curve; dense VAE 784-256-128-{LATENTS}, {EPOCHS} epochs, "
        f"batch {BATCH_SIZE}, Adam {LEARNING_RATE}, trained on the 4,000 digits without one class "
        "(binarised at every epoch); normal: validation (or test) images of the other classes; "
        "anomalies: training and validation (or test) images of the class left out",
        command="python data/recipes/record_anomaly.py",
    )
    plan = [{"digit": digit, "seed": seed} for seed in range(SEEDS) for digit in range(10)]
    record.complete(plan, partial(run, digits=data.load("mnist-5k")))
