"""How well conditional VAEs obey, against the number of latents, beta and the number of images.

    python data/recipes/record_condition.py

Writes data/results/condition.json after every training, and goes on where it was stopped. Takes
about half an hour on 2 cores; full MNIST is left out where it is not on this machine.
"""

import itertools
import json

from helpers import data, runtime
from helpers.vae import (
    BinarisedBatches,
    ConditionalVAE,
    conditional_decoder,
    conditional_encoder,
    evaluate,
)
import keras
import numpy as np
from recording import save
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

RECORD = data.DATA_DIR / "results" / "condition.json"
HIDDEN, BATCH_SIZE, LEARNING_RATE, SEEDS = (256,), 100, 5e-3, 5
SETTINGS = [  # data set, epochs, latents, beta
    *(("mnist-5k", 30, latents, 1.0) for latents in (2, 4, 8, 16)),
    *(("mnist-5k", 30, 16, beta) for beta in (2.0, 4.0, 8.0)),
    *(("mnist", 10, latents, 1.0) for latents in (2, 16)),
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


def provenance(judge: Pipeline, small: data.Dataset) -> dict:
    return {
        "command": "python data/recipes/record_condition.py",
        "what": f"conditional dense VAEs, hidden {HIDDEN}, batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, images binarised at every epoch; -ELBO of 500 shipped test digits given "
        "their labels, binarised once (seed 0), 5 samples, nats/image; obedience: share "
        "of 1,000 images (pixel probabilities, 100 of each digit) judged to be the digit asked for",
        "judge": "PCA(40), SVC(C=10, gamma=0.04); trained on 4,000 grey digits of mnist-5k",
        "judge_test_accuracy": float(judge.score(flat(small.x_test), small.y_test)),
    } | runtime.circumstances()


if __name__ == "__main__":
    small = data.load("mnist-5k")
    judge = make_pipeline(PCA(40, random_state=0), SVC(C=10, gamma=0.04)).fit(
        flat(small.x_train), small.y_train
    )
    x_test = data.binarise(small.x_test, seed=0)
    runs = json.loads(RECORD.read_text())["runs"] if RECORD.exists() else []
    done = [(*run["setting"], run["seed"]) for run in runs]
    for setting, seed in itertools.product(SETTINGS, range(SEEDS)):
        name, epochs, latents, beta = setting
        digits = small if name == "mnist-5k" else data.load(name)
        if (*setting, seed) in done or digits.name != name:
            continue
        vae = train(digits, epochs, latents, beta, seed)
        score = {"setting": setting, "seed": seed}
        score["test_negative_elbo"] = round(held_out(vae, x_test, small.y_test), 2)
        runs.append(score | {"obedience": obedience(vae, judge, small, seed)})
        print(runs[-1], flush=True)
        save(RECORD, provenance(judge, small) | {"runs": runs}, indent=1)
