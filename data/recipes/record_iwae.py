"""Train Burda et al.'s one-layer models on all of MNIST, and record what they reach in nats.

    python data/recipes/record_iwae.py vae 1 --epochs 600 --decay 1
    python data/recipes/record_iwae.py iwae 5 --epochs 3140 --decay 1
    python data/recipes/record_iwae.py iwae 50 --epochs 60 --data mnist-5k --seed 2

Needs data/mnist.npz (or the Keras cache) and JAX. Encoder and decoder 784-200-200-50 with tanh,
Bernoulli pixels, trained on all 60,000 images, binarised afresh every epoch; -log p(x) of all
10,000 test images by 5,000 importance samples. With --data mnist-5k the same network learns from
the 4,000 training digits that ship, judged on their 500 test digits with 1,000 samples.

The learning rate is constant, and falls to zero in a straight line over the last part of the
epochs, so that --epochs can still be changed before that part begins; --decay 1 lets it fall from
the start. What is evaluated is the exponential average of the weights. Nothing is chosen on test
images: --choose trains on the training part alone and reports on the validation part. --start goes
on from the checkpoint of an earlier, finished training: its weights and what Adam remembers, with
the rate that is given now.

Writes data/results/iwae.json as it goes, and a checkpoint to cache/ every few epochs. Started again
with the same arguments it goes on where it was, and ends where it would have without the stop.
"""

import argparse
import json
import os
from pathlib import Path
import time

os.environ["KERAS_BACKEND"] = "jax"

from helpers import data
from helpers.elbo import (
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_density,
    importance_weighted_bound,
)
from helpers.vae import VAE, dense_decoder, dense_encoder, evaluate
import jax
import jax.numpy as jnp
import keras
from keras import ops
import numpy as np
from recording import Record

CACHE = data.DATA_DIR.parent / "cache"
KEY = ("data", "objective", "k", "epochs", "batch", "rate", "decay", "ema", "seed", "start")


class IWAE(VAE):
    """A VAE that draws several codes per image, and says what both objectives need of them."""

    def __init__(self, encoder, decoder, samples: int, seed: int) -> None:
        super().__init__(encoder, decoder, seed=seed)
        self.samples = samples

    def call(self, x) -> dict:
        z_mean, z_log_var = self.encoder(x)
        # Every image k times in a row: the decoder sees a batch of (batch * samples).
        mean, log_var = (ops.repeat(value, self.samples, axis=0) for value in (z_mean, z_log_var))
        z, x = self.sampling([mean, log_var]), ops.repeat(x, self.samples, axis=0)
        log_likelihoods = bernoulli_log_likelihood(x, self.decoder(z))
        log_ratios = gaussian_log_density(z, mean, log_var) - gaussian_log_density(z, 0.0, 0.0)
        return {
            "z_mean": z_mean,
            "z_log_var": z_log_var,
            "log_likelihoods": ops.reshape(log_likelihoods, (-1, self.samples)),
            "log_weights": ops.reshape(log_likelihoods - log_ratios, (-1, self.samples)),
        }


def build(samples: int, seed: int) -> IWAE:
    """The published network: two hidden layers of 200 tanh units on each side, 50 latents."""
    keras.utils.set_random_seed(seed)
    sizes = {"image_shape": (784,), "hidden": (200, 200), "latent_dim": 50, "activation": "tanh"}
    return IWAE(dense_encoder(**sizes), dense_decoder(**sizes), samples=samples, seed=seed)


def loss_function(model: IWAE, objective: str):
    """Nats per image, and the fixed variables after the call (the noise moves on)."""

    def loss(trainable, fixed, x):
        out, fixed = model.stateless_call(trainable, fixed, x)
        if objective == "iwae":
            bound = importance_weighted_bound(out["log_weights"], axis=1)
        else:
            kl = gaussian_kl(out["z_mean"], out["z_log_var"])
            bound = ops.mean(out["log_likelihoods"], axis=1) - kl
        return -ops.mean(bound), fixed

    return loss


def epoch_function(model: IWAE, optimizer, objective: str, ema: float, batch: int, unroll: int):
    """One compiled epoch: (state, grey bytes, learning rates, key) -> (state, mean loss)."""
    gradient = jax.value_and_grad(loss_function(model, objective), has_aux=True)

    def step(state, inputs):
        x, rate = inputs
        trainable, fixed, slots, average = state
        (loss, fixed), grads = gradient(trainable, fixed, x.astype("float32"))
        slots[1] = rate  # the optimizer's learning rate is its second variable
        trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
        # Early on, a short memory; the average forgets the first weights.
        keep = jnp.minimum(ema, (1.0 + slots[0]) / (10.0 + slots[0]))
        average = [keep * a + (1.0 - keep) * w for a, w in zip(average, trainable, strict=True)]
        return (trainable, fixed, list(slots), average), loss

    @jax.jit
    def epoch(state, grey, rates, key):
        batches = shuffled_batches(grey, len(rates), batch, key)
        state, losses = jax.lax.scan(step, state, (batches, rates), unroll=unroll)
        return state, losses.mean()

    return epoch


def shuffled_batches(grey, steps: int, batch: int, key):
    """All images in a new order with new noise, made on the device: a host would be too slow."""
    key_of_order, key_of_noise = jax.random.split(key)
    rows = jax.random.permutation(key_of_order, len(grey))[: steps * batch]
    images = jax.random.uniform(key_of_noise, (len(rows), 784)) < grey[rows] / 255.0
    return images.reshape(steps, batch, 784)


def binarise_bytes(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`data.binarise` for bytes: only pixels that are neither black nor white need luck."""
    images = grey == 255
    open_pixels = np.nonzero((grey > 0) & (grey < 255))
    chance = grey[open_pixels].astype("float32") / np.float32(255)
    images[open_pixels] = rng.random(len(chance), dtype="float32") < chance
    return images


def epoch_batches(grey: np.ndarray, batch: int, seed: int, epoch: int) -> np.ndarray:
    """`shuffled_batches` in NumPy, for recipes on a CPU: (steps, batch, 784) of booleans."""
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(grey))[: len(grey) // batch * batch]
    return binarise_bytes(grey[order], rng).reshape(-1, batch, 784)


def learning_rates(args, epoch: int, steps: int) -> np.ndarray:
    """Constant, then a straight line to zero over the last `decay` of all steps."""
    done = (epoch + np.arange(steps) / steps) / args.epochs
    return (args.rate * np.minimum(1.0, (1.0 - done) / args.decay)).astype("float32")


def log_likelihood_function(model: IWAE, samples: int, at_once: int):
    """Compiled `evaluate.log_likelihood` of a batch: (weights, x, key) -> nats per image."""
    split = len(model.encoder.trainable_variables)

    @jax.jit
    def log_likelihood(trainable, x, key):
        (z_mean, z_log_var), _ = model.encoder.stateless_call(trainable[:split], [], x)
        mean, log_var = (jnp.repeat(value, at_once, axis=0) for value in (z_mean, z_log_var))
        images = jnp.repeat(x, at_once, axis=0)

        def some(_, key):
            z = mean + jnp.exp(0.5 * log_var) * jax.random.normal(key, mean.shape)
            logits, _ = model.decoder.stateless_call(trainable[split:], [], z)
            likelihood = (images * logits - ops.softplus(logits)).sum(axis=1)
            ratio = gaussian_log_density(z, mean, log_var) - gaussian_log_density(z, 0.0, 0.0)
            return None, (likelihood - ratio).reshape(len(x), at_once)

        _, log_weights = jax.lax.scan(some, None, jax.random.split(key, samples // at_once))
        return importance_weighted_bound(jnp.moveaxis(log_weights, 0, 1).reshape(len(x), -1), 1)

    return log_likelihood


def negative_elbo(model: IWAE, weights, grey: np.ndarray, seed: int) -> float:
    """-ELBO of the same binarised images, nats per image, 20 samples each."""
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    x = binarise_bytes(grey, np.random.default_rng(seed)).astype("float32")
    return float(-evaluate.elbo(model, x, samples=20, seed=seed).mean())


def save_state(path: Path, state, **more) -> None:
    """All or nothing: a kill while writing leaves the old checkpoint."""
    parts = {f"{i}_{j}": np.asarray(v) for i, part in enumerate(state) for j, v in enumerate(part)}
    path.parent.mkdir(exist_ok=True)
    with open(path.with_suffix(".part"), "wb") as file:
        np.savez(file, more=json.dumps(more), **parts)
    path.with_suffix(".part").replace(path)


def load_state(path: Path, like) -> tuple:
    with np.load(path, allow_pickle=False) as saved:
        state = tuple(
            [jnp.asarray(saved[f"{i}_{j}"]) for j in range(len(part))]
            for i, part in enumerate(like)
        )
        return state, json.loads(str(saved["more"]))


def train(args, grey: np.ndarray, report) -> tuple:
    """Train to the end, from the checkpoint if there is one: (model, state)."""
    model = build(args.k, args.seed)
    optimizer = keras.optimizers.Adam(args.rate, epsilon=1e-7)
    optimizer.build(model.trainable_variables)
    start = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]
    state = (start, fixed, [v.value for v in optimizer.variables], list(start))
    progress = {"epoch": 0, "seconds": 0.0, "cpu_seconds": 0.0, "curve": []}
    path = CACHE / f"{args.name}.npz"
    if args.start and not path.exists():
        state, earlier = load_state(CACHE / f"{args.start}.npz", state)
        progress["before"] = earlier["epoch"] + earlier.get("before", 0)
    if path.exists():
        state, progress = load_state(path, state)
        print(f"going on after epoch {progress['epoch']}", flush=True)
        report(progress)  # or a stop during the evaluation would lose what training recorded
    if progress["epoch"] < args.epochs:
        for stale in CACHE.glob(f"{args.name}_*.npy"):  # evaluated with the weights before these
            stale.unlink()
    run = epoch_function(model, optimizer, args.objective, args.ema, args.batch, args.unroll)
    images, steps = jnp.asarray(grey), len(grey) // args.batch
    clock, cpu = time.perf_counter(), time.process_time()
    while progress["epoch"] < args.epochs:
        rates = learning_rates(args, progress["epoch"], steps)
        key = jax.random.fold_in(jax.random.key(args.seed), progress["epoch"])
        state, loss = run(state, images, rates, key)
        progress["epoch"] += 1
        if progress["epoch"] % args.every == 0 or progress["epoch"] == args.epochs:
            progress["curve"].append([progress["epoch"], round(float(loss), 3)])
            progress["seconds"] += time.perf_counter() - clock
            progress["cpu_seconds"] += time.process_time() - cpu
            clock, cpu = time.perf_counter(), time.process_time()
            save_state(path, state, **progress)
            report(progress)
    return model, state


def evaluate_all(args, model, weights, grey, name: str, samples: int, report) -> np.ndarray:
    """-log p(x) of every image, a hundred at a time, kept in cache/ against a stop."""
    path = CACHE / f"{args.name}_{name}_{samples}.npy"
    x = binarise_bytes(grey, np.random.default_rng(args.seed)).astype("float32")
    nats = np.load(path) if path.exists() else np.zeros(0, "float32")
    log_likelihood = log_likelihood_function(model, samples, args.at_once)
    while len(nats) < len(x):
        key = jax.random.fold_in(jax.random.key(args.seed), len(nats))
        with jax.default_matmul_precision("float32"):  # a GPU would round the products
            batch = log_likelihood(weights, x[len(nats) : len(nats) + 100], key)
        nats = np.concatenate([nats, -np.asarray(batch)])
        if len(nats) % 500 == 0:
            np.save(path, nats)
            report(len(nats), float(nats.mean()))
    return nats


WHAT = (
    "MNIST (or the course's 5,000 of it) binarised afresh every epoch, 784-200-200-50 tanh; "
    "-log p(x) in nats per image of the test images, binarised once, by importance samples from "
    "the encoder; vae: mean over k samples of log p(x | z), KL in closed form; "
    "iwae: importance-weighted bound of k samples"
)


def main(args) -> None:
    digits = data.load(args.data)
    if digits.name != args.data:
        raise SystemExit("this record needs the full MNIST: see data/README.md")
    parts = {
        name: np.rint(x * 255).astype("uint8").reshape(-1, 784)
        for name, x in (("t", digits.x_train), ("v", digits.x_val), ("test", digits.x_test))
    }
    if args.choose:
        grey, held_out, samples = parts["t"], parts["v"], 100
    elif args.data == "mnist-5k":
        grey, held_out, samples = parts["t"], parts["test"], 1000
    else:
        grey, held_out, samples = np.concatenate([parts["t"], parts["v"]]), parts["test"], 5000
    options = [f"--{name} {value}" for name, value in list(args.key.items())[3:]]
    command = " ".join(
        ["python data/recipes/record_iwae.py", args.objective, str(args.k), *options]
    )
    record = Record("iwae", WHAT, command=f"{command} --data {args.data}")
    entry = {"training_images": len(grey), "test_images": len(held_out)}

    def save(**more) -> None:
        entry.update(more)
        if not args.choose:
            record.put(args.key, entry)

    def trained(progress) -> None:
        print(
            f"epoch {progress['epoch']}: {progress['curve'][-1][1]:.3f} nats, "
            f"{progress['seconds'] / progress['epoch']:.2f} s per epoch",
            flush=True,
        )
        save(
            epochs_done=progress["epoch"],
            epochs_before=progress.get("before", 0),
            train_seconds=round(progress["seconds"]),
            train_cpu_seconds=round(progress["cpu_seconds"]),
            training_loss=progress["curve"],
        )

    model, state = train(args, grey, trained)
    if args.choose:
        for name, weights in (("last", state[0]), ("average", state[3])):
            nats = evaluate_all(args, model, weights, held_out, name, samples, lambda *_: None)
            print(f"{args.name} {name} weights: {nats.mean():.3f} on validation", flush=True)
        return
    clock = time.perf_counter()

    def evaluated(count: int, mean: float) -> None:
        print(f"{count} images: {mean:.3f} nats", flush=True)
        save(images_evaluated=count, test_negative_log_likelihood=round(mean, 3))

    nats = evaluate_all(args, model, state[3], held_out, "test", samples, evaluated)
    save(
        test_negative_elbo=round(negative_elbo(model, state[3], held_out, args.seed), 3),
        samples=samples,
        test_negative_log_likelihood=round(float(nats.mean()), 3),
        standard_error=round(float(nats.std() / len(nats) ** 0.5), 3),
        first_500_images=round(float(nats[:500].mean()), 3),
        evaluation_seconds=round(time.perf_counter() - clock),
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("objective", choices=("vae", "iwae"))
    parser.add_argument("k", type=int)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--data", choices=("mnist", "mnist-5k"), default="mnist")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.4, help="share of the epochs")
    parser.add_argument("--ema", type=float, default=0.999)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=10, help="epochs between checkpoints")
    parser.add_argument("--unroll", type=int, default=1, help="steps per turn of the loop")
    parser.add_argument("--at-once", type=int, default=10, help="samples per step of evaluation")
    parser.add_argument("--start", help="name of a checkpoint in cache/, without .npz")
    parser.add_argument("--choose", action="store_true", help="hold out 5,000; touch no test image")
    args = parser.parse_args()
    if args.start and not (CACHE / f"{args.start}.npz").exists():
        raise SystemExit(f"--start {args.start}: no such checkpoint in cache/")
    args.key = {name: getattr(args, name) for name in KEY if getattr(args, name) is not None}
    args.name = "_".join(map(str, args.key.values())) + "_choose" * args.choose
    return args


if __name__ == "__main__":
    main(arguments())
