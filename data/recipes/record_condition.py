"""How well conditional VAEs obey, against the number of latents, beta and the number of images.

    python data/recipes/record_condition.py

Writes data/results/condition.json after every training, and goes on where it was stopped. Takes
about half an hour on 2 cores. All of MNIST comes last, and has to be on this machine by then.
"""

from functools import partial

from helpers import data
from helpers.vae import (
    BinarisedBatches,
    ConditionalVAE,
    conditional_decoder,
    conditional_encoder,
    evaluate,
)
import keras
import numpy as np
from recording import Record
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

HIDDEN, BATCH_SIZE, LEARNING_RATE = (256,), 100, 5e-3
SETTINGS = [  # data set, epochs, latents, beta, seeds
    *(("mnist-5k", 30, latents, 1.0, 5) for latents in (2, 4, 8, 16)),
    *(("mnist-5k", 30, 16, beta, 5) for beta in (2.0, 4.0, 8.0)),
    ("mnist", 10, 2, 1.0, 2),
]
LABELS = np.repeat(np.arange(10), 100)


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def train(digits: data.Dataset, epochs: int, latents: int, beta: float, seed: int):
    keras.utils.set_random_seed(seed)
    encoder = conditional_encoder(hidden=HIDDEN, latent_dim=latents)
    decoder = conditional_decoder(hidden=HIDDEN, latent_dim=latents)
    vae = ConditionalVAE(encoder, decoder, beta=beta, seed=seed)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    batches = BinarisedBatches(digits.x_train, BATCH_SIZE, seed, y=digits.y_train)
    vae.fit(batches, epochs=epochs, verbose=0)
    return vae


def held_out(vae: ConditionalVAE, x: np.ndarray, y: np.ndarray) -> float:
    """-ELBO of binarised images given their labels, nats per image."""
    nats = [-evaluate.elbo(vae.given(k), x[y == k], samples=5) for k in range(vae.classes)]
    return float(np.concatenate(nats).mean())


def obedience(vae: ConditionalVAE, judge: Pipeline, small: data.Dataset, seed: int) -> dict:
    """Share of 1,000 images judged to be what was asked for, with z from three sources."""
    rows = np.concatenate([np.flatnonzero(small.y_train == k)[:100] for k in range(10)])
    x = data.binarise(small.x_train[rows], seed)
    own = vae.predict((x, small.y_train[rows]), verbose=0)["z"]
    images = {
        "prior": vae.sample(LABELS, seed),
        "codes of the same class": vae.decode(own, LABELS),
        "codes of another class": vae.decode(np.roll(own, 100, axis=0), LABELS),
    }
    return {name: float((judge.predict(flat(x)) == LABELS).mean()) for name, x in images.items()}


def run(name: str, epochs: int, latents: int, beta: float, seed: int, judge: Pipeline) -> dict:
    small, digits = data.load("mnist-5k"), data.load(name)
    if digits.name != name:
        raise FileNotFoundError(f"{name} is not here; helpers.data.load fetches it when asked to")
    vae = train(digits, epochs, latents, beta, seed)
    nats = held_out(vae, data.binarise(small.x_test, seed=0), small.y_test)
    return {
        "test_negative_elbo": round(nats, 2),
        "obedience": obedience(vae, judge, small, seed),
    }


if __name__ == "__main__":
    small = data.load("mnist-5k")
    judge = make_pipeline(PCA(40, random_state=0), SVC(C=10, gamma=0.04))
    judge.fit(flat(small.x_train), small.y_train)
    record = Record(
        "condition",
        f"conditional dense VAEs, hidden {HIDDEN}, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, images binarised at every epoch; -ELBO of 500 shipped test digits given "
        "their labels, binarised once (seed 0), 5 samples, nats/image; obedience: share "
        "of 1,000 images (pixel probabilities, 100 of each digit) judged to be the digit asked for",
        command="python data/recipes/record_condition.py",
        judge="PCA(40), SVC(C=10, gamma=0.04); trained on 4,000 grey digits of mnist-5k",
        judge_test_accuracy=judge.score(flat(small.x_test), small.y_test),
    )
    plan = [
        {"name": name, "epochs": epochs, "latents": latents, "beta": beta, "seed": seed}
        for name, epochs, latents, beta, seeds in SETTINGS
        for seed in range(seeds)
    ]
    record.complete(plan, partial(run, judge=judge))
