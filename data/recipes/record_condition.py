"""How well conditional VAEs obey, against the number of latents and beta.

    python data/recipes/record_condition.py

Writes data/results/condition.json after every training, and goes on where it was stopped. Takes
about ten minutes of CPU time.
"""

from functools import partial

from helpers import data
from helpers.vae import BinarisedBatches, ConditionalVAE, conditional_networks, evaluate
import keras
import numpy as np
from recording import Record
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

HIDDEN, BATCH_SIZE, LEARNING_RATE, EPOCHS, SEEDS = (256,), 100, 5e-3, 30, 5
SETTINGS = [  # latents, beta
    *((latents, 1.0) for latents in (2, 4, 8, 16)),
    *((16, beta) for beta in (2.0, 4.0, 8.0)),
]
LABELS = np.repeat(np.arange(10), 100)


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def train(digits: data.Dataset, latents: int, beta: float, seed: int) -> ConditionalVAE:
    keras.utils.set_random_seed(seed)
    networks = conditional_networks(hidden=HIDDEN, latent_dim=latents)
    vae = ConditionalVAE(*networks, beta=beta, seed=seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    batches = BinarisedBatches(digits.x_train, BATCH_SIZE, seed, y=digits.y_train)
    vae.fit(batches, epochs=EPOCHS, verbose=0)
    return vae


def held_out(vae: ConditionalVAE, x: np.ndarray, y: np.ndarray) -> float:
    """-ELBO of binarised images given their labels, nats per image."""
    nats = [-evaluate.elbo(vae.given(k), x[y == k], samples=5) for k in range(vae.classes)]
    return float(np.concatenate(nats).mean())


def obedience(vae: ConditionalVAE, judge: Pipeline, digits: data.Dataset, seed: int) -> dict:
    """Share of 1,000 images judged to be what was asked for, with z from three sources."""
    rows = np.concatenate([np.flatnonzero(digits.y_train == k)[:100] for k in range(10)])
    x = data.binarise(digits.x_train[rows], seed)
    own = vae.predict((x, digits.y_train[rows]), verbose=0)["z"]
    images = {
        "prior": vae.sample(LABELS, seed),
        "codes of the same class": vae.decode(own, LABELS),
        "codes of another class": vae.decode(np.roll(own, 100, axis=0), LABELS),
    }
    return {name: float((judge.predict(flat(x)) == LABELS).mean()) for name, x in images.items()}


def run(latents: int, beta: float, seed: int, judge: Pipeline) -> dict:
    digits = data.load("mnist-5k")
    vae = train(digits, latents, beta, seed)
    x_train, x_val = (data.binarise(x, seed=0) for x in (digits.x_train, digits.x_val))
    code, held = (
        vae.predict(pair, verbose=0)["z_mean"]
        for pair in ((x_train, digits.y_train), (x_val, digits.y_val))
    )
    nearest = KNeighborsClassifier(25).fit(code, digits.y_train)
    return {
        "negative_elbo": round(held_out(vae, x_val, digits.y_val), 2),
        "obedience": obedience(vae, judge, digits, seed),
        "label_from_code": nearest.score(held, digits.y_val),
        "active": int((held.var(axis=0) > 0.01).sum()),
    }


if __name__ == "__main__":
    digits = data.load("mnist-5k")
    judge = make_pipeline(PCA(40, random_state=0), SVC(C=10, gamma=0.04))
    judge.fit(flat(digits.x_train), digits.y_train)
    record = Record(
        "condition",
        f"conditional dense VAEs, hidden {HIDDEN}, {EPOCHS} epochs, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, 4,000 digits binarised at every epoch; figures of 500 validation digits "
        "binarised once (seed 0): -ELBO given their labels, 5 samples, nats/image; share whose "
        "label the 25 nearest training codes find from z_mean; latents whose z_mean has a variance "
        "above 0.01; obedience: share of 1,000 images (pixel probabilities, 100 of each digit) "
        "judged to be the digit asked for",
        command="python data/recipes/record_condition.py",
        judge="PCA(40), SVC(C=10, gamma=0.04); trained on 4,000 grey digits of mnist-5k",
        judge_validation_accuracy=judge.score(flat(digits.x_val), digits.y_val),
    )
    plan = [
        {"latents": latents, "beta": beta, "seed": seed}
        for latents, beta in SETTINGS
        for seed in range(SEEDS)
    ]
    record.complete(plan, partial(run, judge=judge))
