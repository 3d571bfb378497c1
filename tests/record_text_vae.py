"""Train the text VAE with every cure of notebook 26 over several seeds, and record what came out.

    python tests/record_text_vae.py              # everything that is still missing
    python tests/record_text_vae.py free         # only the configurations whose name starts so

Writes data/results/text_vae.json after every training, and goes on where it was stopped. Takes
about half an hour on 2 idle cores. Every training has the same budget: as many updates, of the same
batch size, on the same 4,163 names. The test names are scored once, at the end of each training.
"""

import datetime
import json
import platform
import sys
import time

from helpers import data, runtime, text
from helpers.vae import BetaSchedule
import keras
from keras import layers
import numpy as np

RECORD = data.DATA_DIR / "results" / "text_vae.json"
SEEDS, EPOCHS, BATCH_SIZE, LEARNING_RATE = 5, 30, 100, 2e-3
ELBO_SAMPLES, BOUND_SAMPLES = 10, 100

# name -> the cure, its setting in words, and what it changes
CONFIGURATIONS = {
    "no code": ("no code", "", {"kind": "no code"}),
    "no code, dropout": ("no code", "dropout 0.3", {"kind": "no code", "dropout": 0.3}),
    "plain": ("none", "", {}),
    "plain GRU": ("none", "GRU decoder", {"kind": "GRU"}),
    **{
        f"anneal {epochs}": ("annealing", f"β from 0 to 1 in {epochs} epochs", {"warm_up": epochs})
        for epochs in (10, 20, 30)
    },
    **{
        f"hide {share}": ("word dropout", f"{share:.0%} hidden", {"word_dropout": share})
        for share in (0.25, 0.5, 0.75)
    },
    **{
        f"free {nats}": ("free bits", f"{nats} nats a latent", {"free_nats": nats})
        for nats in (0.125, 0.25, 0.5)
    },
    **{
        f"context {context}": ("short context", f"{context} letters seen", {"context": context})
        for context in (4, 2, 1, 0)
    },
    **{
        f"encoder {steps}": (
            "aggressive encoder",
            f"{steps} extra encoder updates",
            {"encoder_steps": steps},
        )
        for steps in (1, 4)
    },
}


def gru_decoder(hidden: int = 128, latent_dim: int = 16, width: int = 11, symbols: int = 27):
    """A recurrent decoder with the code in its first state and beside every symbol."""
    z = keras.Input((latent_dim,), name="z")
    x = keras.Input((width,), dtype="int32", name="string")
    seen = layers.Cropping1D((0, 1))(layers.Embedding(symbols, 16)(x))
    seen = layers.ZeroPadding1D((1, 0))(seen)
    seen = layers.Concatenate()([seen, layers.RepeatVector(width)(z)])
    recurrent = layers.GRU(hidden, return_sequences=True, unroll=True)
    h = recurrent(seen, initial_state=layers.Dense(hidden)(z))
    return keras.Model([z, x], layers.Dense(symbols)(h), name="decoder")


def fit_with_extra_encoder_steps(vae: text.TextVAE, x: np.ndarray, seed: int, steps: int) -> None:
    """He et al. 2019: updates of the encoder alone before each joint update, in the first half.

    Updates of either kind count, so that the budget is that of `fit`.
    """
    lone = text.TextVAE(vae.encoder, vae.decoder, seed=seed + 1000)
    lone.compile(keras.optimizers.Adam(LEARNING_RATE))
    rng, updates = np.random.default_rng(seed), EPOCHS * -(-len(x) // BATCH_SIZE)
    for update in range(updates):
        alone = update < updates // 2 and update % (steps + 1) < steps
        vae.decoder.trainable = not alone
        (lone if alone else vae).train_on_batch(x[rng.choice(len(x), BATCH_SIZE, replace=False)])


def train_without_code(seed: int, names: data.Names, dropout: float = 0.0) -> dict:
    """The decoder alone, with z = 0: an ordinary language model. Its likelihood is exact.

    It keeps the weights of its best epoch on the validation names, to be as good a rival as it can.
    """
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
        callbacks=[keras.callbacks.EarlyStopping(patience=EPOCHS, restore_best_weights=True)],
    )
    scores = {"seed": seed, "kl": 0.0}
    for part, x in (("validation", names.x_val), ("test", names.x_test)):
        nats = -text.string_log_likelihood(x, decoder([zeros[: len(x)], x]))
        scores[f"{part}_negative_elbo"] = scores[f"{part}_bound"] = float(np.mean(nats))
    spelled = text.TextVAE(text.text_encoder(), decoder).spell(zeros[:1])
    return scores | {"exact": float((spelled == names.x_test).all(axis=1).mean())}


def train(seed: int, names: data.Names, **change) -> dict:
    """One training; its scores in nats per name, and the share of names that come back exactly."""
    keras.utils.set_random_seed(seed)
    kind = change.pop("kind", "convolution")
    if kind == "no code":
        return train_without_code(seed, names, **change)
    warm_up, steps = change.pop("warm_up", 0), change.pop("encoder_steps", 0)
    context = change.pop("context", names.width)
    decoder = gru_decoder() if kind == "GRU" else text.text_decoder(context=context)
    vae = text.TextVAE(text.text_encoder(), decoder, seed=seed, **change)
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    if steps:
        fit_with_extra_encoder_steps(vae, names.x_train, seed, steps)
    else:
        schedule = BetaSchedule(lambda epoch: min(1.0, (epoch + 1) / warm_up) if warm_up else 1.0)
        vae.fit(
            names.x_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0, callbacks=[schedule]
        )
    scores = {"seed": seed}
    for part, x in (("validation", names.x_val), ("test", names.x_test)):
        scores[f"{part}_negative_elbo"] = float(-text.elbo(vae, x, ELBO_SAMPLES).mean())
        scores[f"{part}_bound"] = float(-text.log_likelihood(vae, x, BOUND_SAMPLES).mean())
    z_mean, z_log_var = vae.encoder(names.x_test)
    scores["kl"] = float(np.mean(text.gaussian_kl(z_mean, z_log_var)))
    return scores | {"exact": text.exact_share(vae, names.x_test)}


def provenance() -> dict:
    return {
        "command": "python tests/record_text_vae.py",
        "what": f"text VAE, 16 latents, {EPOCHS} epochs of batch {BATCH_SIZE}, Adam "
        f"{LEARNING_RATE}, 4,163 names; -ELBO ({ELBO_SAMPLES} samples) and importance-weighted "
        f"bound ({BOUND_SAMPLES} samples) of 500 validation and 500 test names, nats/name; KL and "
        "share of names spelled exactly from their mean code on the test names",
        "versions": f"Python {platform.python_version()}, Keras {keras.__version__} on "
        f"{keras.backend.backend()}",
        "hardware": f"{platform.machine()}, {runtime.cpu_count()} CPU cores",
        "date": datetime.date.today().isoformat(),
    }


if __name__ == "__main__":
    names = data.load("names")
    runs = json.loads(RECORD.read_text())["runs"] if RECORD.exists() else []
    done = {(run["name"], run["seed"]) for run in runs}
    for seed in range(SEEDS):
        for name, (cure, setting, change) in CONFIGURATIONS.items():
            if (name, seed) in done or not name.startswith(tuple(sys.argv[1:]) or ""):
                continue
            start = time.process_time()
            scores = {key: round(value, 4) for key, value in train(seed, names, **change).items()}
            seconds = round(time.process_time() - start, 1)
            run = {"name": name, "cure": cure, "setting": setting, "cpu_seconds": seconds} | scores
            print(run, flush=True)
            runs.append(run)
            RECORD.write_text(
                json.dumps(provenance() | {"runs": runs}, indent=1, ensure_ascii=False) + "\n",
                encoding="utf-8",
            )
