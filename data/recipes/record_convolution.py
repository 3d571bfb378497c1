"""Convolutional against dense VAEs on the shipped digits: equal parameters, and equal time.

    python data/recipes/record_convolution.py

Writes data/results/convolution.json after every seed, and goes on where it was stopped. Takes about
a quarter of an hour of CPU time. The networks of one seed take turns: the one that has had the
least CPU time trains the next epoch, so that whatever else the machine is doing slows all alike.

One seed beside the others chooses each network's learning rate by its validation score.
"""

from functools import partial
import time

from helpers import data
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
from recording import Record

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


def race(rates: dict, seed: int, digits: data.Dataset) -> dict:
    """Train the networks in turns until each has had its seconds; name -> curve."""
    trainees = {name: Trainee(name, rate, seed, digits) for name, rate in rates.items()}
    while True:
        last = min(trainees.values(), key=lambda trainee: trainee.seconds)
        if last.seconds >= SECONDS:
            return {name: trainee.curve for name, trainee in trainees.items()}
        last.epoch()


def tune(rate: float, digits: data.Dataset) -> dict:
    """The best validation score of each network at one learning rate, within the time."""
    curves = race(dict.fromkeys(NETWORKS, rate), TUNING_SEED, digits)
    best = {name: min(validation for _, validation, _ in curve) for name, curve in curves.items()}
    return {"best_validation": best}


def compete(seed: int, rates: dict, digits: data.Dataset) -> dict:
    return {"rates": rates, "curves": race(rates, seed, digits)}


if __name__ == "__main__":
    digits = data.load("mnist-5k")
    pairs = {name: make() for name, make in NETWORKS.items()}
    record = Record(
        "convolution",
        f"4 VAEs with 20 latents on 4,000 digits binarised at every epoch, batch "
        f"{BATCH_SIZE}, Adam, {SECONDS:.0f} CPU seconds of training each; curves of [CPU seconds, "
        "-ELBO of 500 validation digits, of 500 test digits] after each epoch, binarised once "
        "(seed 0), 2 samples, nats/image",
        command="python data/recipes/record_convolution.py",
        parameters={name: sum(p.count_params() for p in pair) for name, pair in pairs.items()},
    )
    record.complete([{"rate": rate} for rate in RATES], partial(tune, digits=digits))
    tuned = {run["rate"]: run["best_validation"] for run in record.runs if "rate" in run}
    rates = {name: min(RATES, key=lambda rate: tuned[rate][name]) for name in NETWORKS}
    plan = [{"seed": seed} for seed in range(SEEDS)]
    record.complete(plan, partial(compete, rates=rates, digits=digits))
