"""How the architecture table was made: training, the log of a build, and a check of the result.

    python data/recipes/make_architectures.py build    # what its log does not hold yet
    python data/recipes/make_architectures.py check    # rows again, with VAE.fit

The training is the same for all: scikit-learn's digits (1,200 images for training), binarised
afresh at every epoch; Adam at a constant learning rate, so that a training of 9 epochs is the first
ninth of one of 81; two seeds, which decide weights, order, noise and binarisation. Each held-out
image is binarised ten times.

Keras is imported inside the functions, because `main` first chooses its backend.
"""

import argparse
from collections.abc import Sequence
import functools
import itertools
import json
import os
from pathlib import Path
import time

from helpers import data
from helpers.table import ACTIVATIONS, TABLE, ArchitectureTable, key_of, layers_of, param_space
import numpy as np
from recording import circumstances

LOG = data.DATA_DIR.parent / "cache" / "architectures.jsonl"
EPOCHS, SEEDS = (1, 3, 9, 27, 81), (0, 1)
BATCH_SIZE, LEARNING_RATE, COPIES = 25, 2e-3, 10


def architectures() -> list[dict]:
    """Every architecture, as a dict of parameters, in a shuffled order that never changes.

    Those that differ in nothing but activations stand together; they are trained together. The
    groups are shuffled, so that the rows of an unfinished build are a fair sample of the space.
    """
    groups = []
    for space in param_space():
        rows = [dict(zip(space, row, strict=True)) for row in itertools.product(*space.values())]
        groups += [list(group) for _, group in itertools.groupby(rows, group_of)]
    order = np.random.default_rng(0).permutation(len(groups))
    return [params for index in order for params in groups[index]]


def group_of(params: dict) -> tuple:
    """What architectures that differ in nothing but activations have in common."""
    return (params["latent_dim"], *layers_of(params)[0])


def build_vae(params: dict, seed: int, activations: Sequence | None = None):
    """The course's own VAE of one architecture, untrained: `dense_encoder` and `dense_decoder`.

    Args:
        params: one architecture of `architectures()`.
        seed: of the weights and of the sampling noise. Moves Keras's global random state.
        activations: other ones than the architecture's, names or functions, one per hidden layer.

    Returns:
        A `helpers.vae.VAE` of images of 8 x 8 pixels.
    """
    from helpers.runtime import keras
    from helpers.vae import VAE, dense_networks

    widths, own = layers_of(params)
    activations = own if activations is None else activations
    keras.utils.set_random_seed(seed)
    return VAE(*dense_networks((8, 8), widths, params["latent_dim"], activations), seed=seed)


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Validation and test images as the table scores them: ten binarised copies of each image."""
    digits = data.load("digits")
    parts = ((digits.x_val, 100), (digits.x_test, 101))
    x_val, x_test = (data.binarise(np.repeat(x, COPIES, axis=0), seed) for x, seed in parts)
    return x_val, x_test


@functools.cache
def _batches(epochs: int, seed: int) -> np.ndarray:
    """What `BinarisedBatches` delivers: uint8, (epochs, steps, BATCH_SIZE, 8, 8)."""
    from helpers.vae import BinarisedBatches

    source = BinarisedBatches(data.load("digits").x_train, BATCH_SIZE, seed)
    drawn = []
    for _ in range(epochs):
        drawn.append([source[index] for index in range(len(source))])
        source.on_epoch_end()
    return np.array(drawn, dtype="uint8")


@functools.cache
def _noise(epochs: int, seed: int, latent_dim: int) -> np.ndarray:
    """What `Sampling(seed)` draws in a training: (epochs, steps, BATCH_SIZE, latent_dim)."""
    steps = _batches(epochs, seed).shape[1]
    drawn = _draws(seed, epochs * steps, BATCH_SIZE, latent_dim)
    return drawn.reshape(epochs, steps, BATCH_SIZE, latent_dim)


@functools.cache
def _scored(latent_dim: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Held-out images, validation first, the noise `evaluate.elbo` gives them, and the border."""
    x_val, x_test = held_out()
    noise = [  # evaluate.elbo takes 500 images at a time, and seed 0
        _draws(0, -(-len(x) // 500), 500, latent_dim).reshape(-1, latent_dim)[: len(x)]
        for x in (x_val, x_test)
    ]
    return np.concatenate([x_val, x_test]), np.concatenate(noise), len(x_val)


def _draws(seed: int, times: int, *shape: int) -> np.ndarray:
    from helpers.runtime import keras

    generator = keras.random.SeedGenerator(seed)
    return np.stack([np.asarray(keras.random.normal(shape, seed=generator)) for _ in range(times)])


def train_rows(alike: list[dict], epochs: Sequence[int] = EPOCHS) -> list[dict]:
    """Train architectures that differ in nothing but activations, with every seed, and score them.

    The networks are the course's, and so are the losses; only the loop is our own. It does what
    Keras's training step does, in one compiled function for all architectures and seeds: compiling
    takes longer than training.

    Args:
        alike: the architectures.
        epochs: when to score, rising.

    Returns:
        For each architecture `params`; `val`, `val_kl` and `test`, nats per image, each
        [seed][level]; the number of `weights`; `train_seconds`, CPU, of each seed's training and
        scores; `build_seconds`, CPU, for building and compiling, once for all of them.

    Raises:
        RuntimeError: the Keras backend is not JAX.
    """
    from helpers.runtime import keras

    if keras.backend.backend() != "jax":
        raise RuntimeError("the table is built on JAX: set KERAS_BACKEND=jax before the start")
    latent_dim, last = alike[0]["latent_dim"], epochs[-1]
    inputs = [(_batches(last, seed), _noise(last, seed, latent_dim)) for seed in SEEDS]
    *scored, border = _scored(latent_dim)
    start = time.process_time()
    weights = [_flat(build_vae(alike[0], seed)) for seed in SEEDS]  # the same for all of `alike`
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([keras.Variable(weights[0])])
    moments = [np.asarray(variable.value) for variable in optimizer.variables]
    kinds = [[ACTIVATIONS.index(name) for name in layers_of(params)[1]] for params in alike]
    kinds = np.array(kinds, "int32")
    train = _training(alike[0], optimizer, border)
    train = train.lower((weights[0], moments), kinds[0], *inputs[0], *scored, 0, 1)
    # Level 1 compiles tanh networks twice as fast as the default, and they train as fast.
    train = train.compile(compiler_options={"xla_backend_optimization_level": 1})
    build_seconds, rows = round(time.process_time() - start, 3), []
    for params, kind in zip(alike, kinds, strict=True):
        row = {"params": params, "weights": len(weights[0]), "build_seconds": build_seconds}
        row |= {"val": [], "val_kl": [], "test": [], "train_seconds": []}
        for initial, drawn in zip(weights, inputs, strict=True):
            start, state, scores = time.process_time(), (initial, moments), []
            for first, last in itertools.pairwise((0, *epochs)):
                state, score = train(state, kind, *drawn, *scored, first, last)
                scores.append([round(float(value), 4) for value in score])
            for name, values in zip(("val", "val_kl", "test"), np.transpose(scores), strict=True):
                row[name].append(values.tolist())
            row["train_seconds"].append(round(time.process_time() - start, 3))
        rows.append(row)
    return rows


def _flat(vae) -> np.ndarray:
    """All trainable weights in one vector: Adam moves each by itself, and this compiles faster."""
    return np.concatenate([np.asarray(weight.value).ravel() for weight in vae.trainable_variables])


def _training(params: dict, optimizer, border: int):
    """The function (state, kinds, ..., first, last) -> (state, scores): epochs first to last - 1.

    The state is the vector of weights and the optimizer's own variables; `kinds` says, as a
    position in ACTIVATIONS, what each hidden layer of the encoder has; those of `params` do not
    matter.
    """
    from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
    from helpers.runtime import keras
    import jax

    depth = params["depth"]
    given = {"kinds": np.zeros(depth, "int32")}  # of the call that is being traced
    choices = [keras.activations.get(name) for name in ACTIVATIONS]

    def choose(layer, x):
        return jax.lax.select_n(given["kinds"][layer], *(choice(x) for choice in choices))

    vae = build_vae(params, 0, [functools.partial(choose, layer) for layer in range(depth)])
    shapes = [tuple(weight.shape) for weight in vae.trainable_variables]
    cuts = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    inner = len(vae.encoder.trainable_variables)

    def losses(flat, x, noise):  # nats per image: -ELBO, and its KL term
        parts = jax.numpy.split(flat, cuts)
        weights = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        (z_mean, z_log_var), _ = vae.encoder.stateless_call(weights[:inner], [], x)
        z = z_mean + jax.numpy.exp(0.5 * z_log_var) * noise
        logits, _ = vae.decoder.stateless_call(weights[inner:], [], z)
        kl = gaussian_kl(z_mean, z_log_var)
        return kl - bernoulli_log_likelihood(x, logits), kl

    def step(state, inputs):
        flat, moments = state
        x, noise = inputs
        gradient = jax.grad(lambda flat: losses(flat, x.astype("float32"), noise)[0].mean())(flat)
        [flat], moments = optimizer.stateless_apply(moments, [gradient], [flat])
        return (flat, moments), None

    @jax.jit
    def train(state, kinds, batches, noise, held, held_noise, first, last):
        given["kinds"] = kinds

        def epoch(number, state):
            return jax.lax.scan(step, state, (batches[number], noise[number]))[0]

        state = jax.lax.fori_loop(first, last, epoch, state)
        loss, kl = losses(state[0], held, held_noise)
        return state, (loss[:border].mean(), kl[:border].mean(), loss[border:].mean())

    return train


def read_log(log: Path) -> tuple[dict | None, list[dict]]:
    """The header and the rows of a log; a last line without its end, left by a kill, is ignored."""
    if not log.exists():
        return None, []
    lines = log.read_text().split("\n")[:-1]  # what follows the last end of line is not whole
    records = [json.loads(line) for line in lines]
    return (records[0], records[1:]) if records else (None, [])


def build(
    table: Path = TABLE,
    log: Path = LOG,
    jobs: int = 2,
    limit: int | None = None,
    epochs: Sequence[int] = EPOCHS,
) -> None:
    """Train the architectures that the log does not hold, then write all of them as the table.

    Args:
        table: the file to write.
        log: one line per architecture, appended as soon as its group is trained; a killed build
            goes on from there, and ends with the same table.
        jobs: processes.
        limit: train only the first so many of `architectures()`; all, if None.
        epochs: when to score, rising.

    Raises:
        ValueError: the log was made with other settings.
        RuntimeError: the Keras backend is not JAX.
    """
    from joblib import Parallel, delayed

    settings = {
        "epochs": list(epochs),
        "seeds": list(SEEDS),
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "copies": COPIES,
    }
    header, rows = read_log(log)
    if header is None:
        header = settings | provenance()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(json.dumps(header) + "\n")
    elif settings != {name: header.get(name) for name in settings}:
        raise ValueError(f"log must have been made with {settings}, but {log} starts with {header}")
    _cut_half_line(log)
    wanted = architectures()[:limit]
    done = {key_of(row["params"]) for row in rows}
    missing = [params for params in wanted if key_of(params) not in done]
    groups = [list(group) for _, group in itertools.groupby(missing, group_of)]
    trained = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")(
        delayed(train_rows)(group, tuple(epochs)) for group in groups
    )
    count = len(wanted) - len(missing)
    for rows in trained:
        with log.open("a") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows))
        count += len(rows)
        print(f"{time.strftime('%H:%M:%S')} {count} of {len(wanted)} architectures", flush=True)
    write(table, log, wanted)


def _cut_half_line(log: Path) -> None:
    content = log.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(log, content.rfind(b"\n") + 1)


def provenance() -> dict:
    command = "python data/recipes/make_architectures.py build"
    return {"command": command, "data": "scikit-learn's digits"} | circumstances()


def write(table: Path, log: Path, wanted: list[dict]) -> None:
    """Put the rows of a log, in the order of `wanted`, into one small file."""
    header, rows = read_log(log)
    by_key = {key_of(row["params"]): row for row in rows}
    found = [by_key[key] for key in map(key_of, wanted) if key in by_key]
    arrays = {"weights": np.array([row["weights"] for row in found], "int32")}
    for name in ("val", "val_kl", "test", "train_seconds", "build_seconds"):
        arrays[name] = np.array([row[name] for row in found], "float32")
    text = json.dumps({"about": header, "params": [row["params"] for row in found]})
    new = table.with_name(table.name + ".new")
    with new.open("wb") as file:
        np.savez_compressed(file, text=np.frombuffer(text.encode(), "uint8"), **arrays)
    os.replace(new, table)
    print(f"{len(found)} architectures -> {table.name}, {table.stat().st_size:,} bytes")


def check(table: Path = TABLE, rows: int = 10, seed: int = 0) -> bool:
    """Train random rows of a table again, by `VAE.fit`, and compare with what the table says.

    Args:
        table: the file.
        rows: how many architectures.
        seed: of the trainings, one each, and of the choice of rows. Even with one of the table's
            seeds the weights alone start the same: `VAE.fit` takes other batches.

    Returns:
        Whether the differences are of the size of the table's own noise: their root mean square at
        most twice, and their mean at most three times what chance gives, at every number of epochs.
    """
    shipped = ArchitectureTable.load(table)
    chosen = np.random.default_rng(seed).choice(
        len(shipped), min(rows, len(shipped)), replace=False
    )
    known, differences = seed in shipped.about["seeds"], []
    for row in chosen:
        params = shipped.params[row]
        new = train_by_fit(params, seed, shipped.epochs)
        old = [-shipped.score(params, epochs, seed if known else None) for epochs in shipped.epochs]
        differences.append(np.subtract(new, old))
        print(f"{params}\n  table {np.round(old, 3)}\n  VAE.fit {np.round(new, 3)}", flush=True)
    # Of two single trainings; against a mean over seeds it is a little less.
    chance = np.sqrt(2) * np.array([shipped.noise(epochs)["pooled"] for epochs in shipped.epochs])
    size = np.sqrt(np.square(differences).mean(axis=0))
    bias = np.abs(np.mean(differences, axis=0))
    agrees = bool((size <= 2 * chance).all() and (bias <= 3 * chance / np.sqrt(len(chosen))).all())
    print(f"after {shipped.epochs} epochs, nats per image: differences of {size.round(4)} (RMS),")
    print(f"where two seeds differ by {chance.round(4)}: {'agrees' if agrees else 'DISAGREES'}")
    return agrees


def train_by_fit(params: dict, seed: int, epochs: Sequence[int] = EPOCHS) -> list[float]:
    """The row of the table that the plain `VAE.fit` gives: validation -ELBO at each of `epochs`."""
    from helpers.runtime import keras
    from helpers.vae import BinarisedBatches, evaluate

    vae, (x_val, _) = build_vae(params, seed), held_out()
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    batches = BinarisedBatches(data.load("digits").x_train, BATCH_SIZE, seed)
    scores = []
    for first, last in itertools.pairwise((0, *epochs)):
        vae.fit(batches, initial_epoch=first, epochs=last, shuffle=False, verbose=0)
        scores.append(-float(evaluate.elbo(vae, x_val).mean()))
    return scores


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python data/recipes/make_architectures.py")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build", help="train what is missing, then write the table")
    command.set_defaults(run=build)
    command.add_argument("--table", type=Path, default=TABLE, help="the file to write")
    command.add_argument("--log", type=Path, default=LOG, help="kept as it goes, for a new start")
    command.add_argument("--jobs", type=int, default=2, help="processes")
    command.add_argument("--limit", type=int, help="train only the first so many architectures")
    command.add_argument("--epochs", type=int, nargs="+", default=EPOCHS, help="when to score")
    command = commands.add_parser("check", help="train random rows again with VAE.fit")
    command.set_defaults(run=check)
    command.add_argument("--table", type=Path, default=TABLE, help="the file to check")
    command.add_argument("--rows", type=int, default=10, help="how many architectures")
    command.add_argument("--seed", type=int, default=0, help="of the trainings")
    given = vars(parser.parse_args(arguments))
    os.environ |= {  # before the first import of Keras, here and in the processes
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    }
    if given.pop("run")(**given) is False:
        raise SystemExit(1)


if __name__ == "__main__":
    import make_architectures  # under this name the processes can import what they run

    make_architectures.main()
