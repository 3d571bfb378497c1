"""Convolutional against dense VAEs on the shipped digits: equal parameters, and equal time.

    python data/recipes/record_convolution.py

Writes data/results/convolution.json after every seed, and goes on where it was stopped. Takes about
a quarter of an hour of CPU time. The networks of one seed take turns: the one that has had the
least CPU time trains the next epoch, so that whatever else the machine is doing slows all alike.

One seed beside the others chooses each network's learning rate by its validation score.
"""

import json
import time

from helpers import data, runtime
from helpers.vae import (
    VAE,
    BinarisedBatches,
    conv_decoder,
    conv_encoder,
    dense_decoder,
    dense_encoder,
    evaluate,
)
import keras
from recording import save

RECORD = data.DATA_DIR / "results" / "convolution.json"
SEEDS, BATCH_SIZE, SECONDS, RATES, TUNING_SEED = 5, 100, 20.0, (1e-3, 3e-3, 1e-2), 100
NETWORKS = {
    "convolutional": lambda: (conv_encoder(), conv_decoder()),
    "dense, 1 layer": lambda: (dense_encoder(hidden=(66,)), dense_decoder(hidden=(66,))),
    "dense, 2 layers": lambda: (dense_encoder(hidden=(64, 48)), dense_decoder(hidden=(48, 64))),
    "dense, large": lambda: (dense_encoder(), dense_decoder()),
}


class Trainee:
    """One network in training, with its curve of CPU seconds and held-out nats per image."""

    def __init__(self, name: str, rate: float, seed: int, digits: data.Dataset) -> None:
        keras.utils.set_random_seed(seed)
        self.vae = VAE(*NETWORKS[name](), seed=seed)
        self.vae.compile(keras.optimizers.Adam(rate))
        self.batches = BinarisedBatches(digits.x_train, BATCH_SIZE, seed)
        self.held_out = [data.binarise(x, seed=0) for x in (digits.x_val, digits.x_test)]
        self.vae.fit(BinarisedBatches(digits.x_train[:100], 100, 0), verbose=0)  # compiles
        self.seconds, self.curve = 0.0, []

    def epoch(self) -> None:
        start = time.process_time()
        self.vae.fit(self.batches, verbose=0)
        self.seconds += time.process_time() - start
        scores = [float(-evaluate.elbo(self.vae, x, samples=2).mean()) for x in self.held_out]
        self.curve.append([round(value, 2) for value in (self.seconds, *scores)])


def race(names, rates: dict, seed: int, digits: data.Dataset, seconds: float) -> dict:
    """Train the networks in turns until each has had its seconds; name -> curve."""
    trainees = {name: Trainee(name, rates[name], seed, digits) for name in names}
    while True:
        last = min(trainees.values(), key=lambda trainee: trainee.seconds)
        if last.seconds >= seconds:
            return {name: trainee.curve for name, trainee in trainees.items()}
        last.epoch()


def tune(digits: data.Dataset, rate: float) -> dict:
    """The best validation score of each network at one learning rate, within the time."""
    curves = race(NETWORKS, dict.fromkeys(NETWORKS, rate), TUNING_SEED, digits, SECONDS)
    return {name: min(validation for _, validation, _ in curve) for name, curve in curves.items()}


def provenance() -> dict:
    return {
        "command": "python data/recipes/record_convolution.py",
        "what": f"4 VAEs with 20 latents on 4,000 digits binarised at every epoch, batch "
        f"{BATCH_SIZE}, Adam, {SECONDS:.0f} CPU seconds of training each; curves of [CPU seconds, "
        "-ELBO of 500 validation digits, of 500 test digits] after each epoch, binarised once "
        "(seed 0), 2 samples, nats/image",
    } | runtime.circumstances()


if __name__ == "__main__":
    digits = data.load("mnist-5k")
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"runs": []}
    record |= provenance()
    tuning = record.setdefault("tuning", {})
    for rate in RATES:
        if str(rate) not in tuning:
            tuning[str(rate)] = tune(digits, rate)
            print(f"tuning: rate {rate}: {tuning[str(rate)]}", flush=True)
            save(RECORD, record)
    record["rates"] = {
        name: min(RATES, key=lambda rate: tuning[str(rate)][name]) for name in NETWORKS
    }
    pairs = {name: make() for name, make in NETWORKS.items()}
    record["parameters"] = {
        name: sum(part.count_params() for part in pair) for name, pair in pairs.items()
    }
    for seed in range(len(record["runs"]), SEEDS):
        curves = race(NETWORKS, record["rates"], seed, digits, SECONDS)
        record["runs"].append({"seed": seed, "curves": curves})
        print(seed, {name: curve[-1] for name, curve in curves.items()}, flush=True)
        save(RECORD, record)
