"""Train the text VAE with every cure of notebook 32 over several seeds, and record what came out.

    python data/recipes/record_text_vae.py

Writes data/results/text_vae.json after every training, and goes on where it was stopped. Takes
a quarter of an hour on one idle core. Every training has the same budget: as many updates, of the
same batch size, on the same 4,163 names. Two rivals come in pairs, with a code and without: as they
are after the last epoch, and with dropout and the best epoch on the validation names. The test
names are scored once, at the end.
"""

from functools import partial

from helpers import data
from helpers.elbo import gaussian_kl
from helpers.vae import BetaSchedule, evaluate, text
import keras
import numpy as np
from recording import Record

SEEDS, EPOCHS, BATCH_SIZE, LEARNING_RATE = 5, 30, 100, 2e-3
ELBO_SAMPLES, BOUND_SAMPLES = 10, 100

# name -> the cure, its setting in words, and what it changes
CONFIGURATIONS = {
    "no code": ("no code", "dropout 0.3", {"dropout": 0.3, "is_best": True}),
    "no code, last": ("no code", "last epoch", {"dropout": 0.0, "is_best": False}),
    "plain": ("none", "", {}),
    "plain, best": ("none", "dropout 0.3", {"dropout": 0.3, "is_best": True}),
    "anneal 20": ("annealing", "β from 0 to 1 in 20 epochs", {"warm_up": 20}),
    "anneal 30": ("annealing", "β from 0 to 1 in 30 epochs", {"warm_up": 30}),
    "free 0.25": ("free bits", "0.25 nats a latent", {"free_nats": 0.25}),
    "free 0.5": ("free bits", "0.5 nats a latent", {"free_nats": 0.5}),
    "hide 0.5": ("word dropout", "half of the letters hidden", {"word_dropout": 0.5}),
    "context 1": ("short context", "one letter seen", {"context": 1}),
}


def stopping(is_best: bool) -> list[keras.callbacks.Callback]:
    """Nothing, or what keeps the weights of the best epoch on the validation names."""
    early = keras.callbacks.EarlyStopping(patience=EPOCHS, restore_best_weights=True)
    return [early] if is_best else []


def train_without_code(names: data.Names, dropout: float, is_best: bool) -> dict:
    """The decoder alone, with z = 0: an ordinary language model. Its likelihood is exact."""
    decoder = text.text_decoder(dropout=dropout)
    decoder.compile(
        keras.optimizers.Adam(LEARNING_RATE),
        loss=lambda x, logits: -text.string_log_likelihood(x, logits),
    )
    zeros = np.zeros((len(names.x_train), 16), "float32")
    decoder.fit(
        [zeros, names.x_train],
        names.x_train,
        BATCH_SIZE,
        EPOCHS,
        verbose=0,
        validation_data=([zeros[: len(names.x_val)], names.x_val], names.x_val),
        callbacks=stopping(is_best),
    )
    x = names.x_test
    nats = float(-np.mean(text.string_log_likelihood(x, decoder([zeros[: len(x)], x]))))
    written = text.TextVAE(text.text_encoder(), decoder).decode(zeros[:1])
    exact = float((written == x).all(axis=1).mean())
    return {"kl": 0.0, "test_negative_elbo": nats, "test_bound": nats, "exact": exact}


def train(seed: int, name: str, names: data.Names, change: dict) -> dict:
    """One training; its scores in nats per name, and the share of names that come back exactly."""
    keras.utils.set_random_seed(seed)
    if name.startswith("no code"):
        return train_without_code(names, **change)
    own = {key: change[key] for key in ("free_nats", "word_dropout") if key in change}
    decoder = text.text_decoder(
        context=change.get("context", names.width), dropout=change.get("dropout", 0.0)
    )
    vae = text.TextVAE(text.text_encoder(), decoder, seed=seed, **own)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    warm_up = change.get("warm_up", 0)
    schedule = BetaSchedule(lambda epoch: min(1.0, (epoch + 1) / warm_up) if warm_up else 1.0)
    vae.fit(
        names.x_train,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=0,
        validation_data=(names.x_val,),
        callbacks=[schedule, *stopping(change.get("is_best", False))],
    )
    x = names.x_test
    return {
        "kl": float(np.mean(gaussian_kl(*vae.encoder(x)))),
        "test_negative_elbo": float(-evaluate.elbo(vae, x, ELBO_SAMPLES).mean()),
        "test_bound": float(-evaluate.log_likelihood(vae, x, BOUND_SAMPLES).mean()),
        "exact": text.exact_share(vae, x),
    }


def run(seed: int, name: str, names: data.Names) -> dict:
    cure, setting, change = CONFIGURATIONS[name]
    scores = {key: round(value, 4) for key, value in train(seed, name, names, change).items()}
    return {"cure": cure, "setting": setting} | scores


if __name__ == "__main__":
    record = Record(
        "text_vae",
        f"text VAE, 16 latents, {EPOCHS} epochs of batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, 4,163 names; of 500 test names: KL, -ELBO ({ELBO_SAMPLES} samples) and "
        f"importance-weighted bound ({BOUND_SAMPLES} samples), nats/name, and the share that comes "
        "back letter by letter from its mean code",
        command="python data/recipes/record_text_vae.py",
    )
    plan = [{"seed": seed, "name": name} for seed in range(SEEDS) for name in CONFIGURATIONS]
    record.complete(plan, partial(run, names=data.load("names")))
