"""The architecture table: every VAE of a small space, trained in advance on real digits.

    python -m helpers.table build    # trains what its log does not hold yet, then writes the table
    python -m helpers.table check    # trains rows again with VAE.fit, and compares

A search over the table costs microseconds per answer, and its regret is exact, because the best
architecture is known. After NAS-Bench-101 (Ying et al. 2019), with VAEs instead of classifiers.

**The space.** 1 to 3 hidden layers in the encoder, each with a width and an activation of its own;
the decoder mirrors them; and a number of latents: 2,336 architectures, no two of them alike.

**The training**, the same for all: scikit-learn's digits (1,200 images for training), binarised
afresh at every epoch; Adam at a constant learning rate, so that a training of 9 epochs is the first
ninth of one of 81; two seeds, which decide weights, order, noise and binarisation.

**The score**: -ELBO in nats per image on the 300 validation images, for whoever searches, and on
the 297 test images, for the final report alone; each image binarised ten times.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import functools
import itertools
import json
import math
import os
from pathlib import Path
import time
import zipfile
import zlib

import numpy as np
from scipy.stats import chi2
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "data" / "architectures.npz"
LOG = ROOT / "cache" / "architectures.jsonl"

WIDTHS, ACTIVATIONS, LATENT_DIMS, MAX_DEPTH = (16, 32, 64, 128), ("relu", "tanh"), (2, 4, 8, 16), 3
EPOCHS, SEEDS = (1, 3, 9, 27, 81), (0, 1)
BATCH_SIZE, LEARNING_RATE, COPIES = 25, 2e-3, 10


def param_space() -> list[dict]:
    """The space as scikit-learn writes one: a list of dicts, one for each depth.

    `width_2` and `activation_2` exist only where `depth` is 2 or more; so for the third layer.

    Example:
        >>> sklearn.model_selection.ParameterGrid(param_space())  # all 2,336 architectures
    """
    spaces = []
    for depth in range(1, MAX_DEPTH + 1):
        layers = range(1, depth + 1)
        space = {"depth": [depth], "latent_dim": list(LATENT_DIMS)}
        space |= {f"width_{layer}": list(WIDTHS) for layer in layers}
        spaces.append(space | {f"activation_{layer}": list(ACTIVATIONS) for layer in layers})
    return spaces


def architectures() -> list[dict]:
    """Every architecture, as a dict of parameters, in a shuffled order that never changes.

    Those that differ in nothing but activations stand together; they are trained together. The
    groups are shuffled, so that the rows of an unfinished build are a fair sample of the space.
    """
    groups = []
    for space in param_space():
        rows = [dict(zip(space, row, strict=True)) for row in itertools.product(*space.values())]
        groups += [list(group) for _, group in itertools.groupby(rows, _group)]
    order = np.random.default_rng(0).permutation(len(groups))
    return [params for index in order for params in groups[index]]


def _group(params: dict) -> tuple:
    return (params["latent_dim"], *layers_of(params)[0])


def _key(params: dict) -> tuple:
    """What tells two architectures apart; parameters of layers beyond the depth do not count."""
    return (params["latent_dim"], *zip(*layers_of(params), strict=True))


def layers_of(params: dict) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Widths and activations of the encoder's hidden layers, from the image inwards."""
    numbers = range(1, params["depth"] + 1)
    widths = tuple(params[f"width_{number}"] for number in numbers)
    return widths, tuple(params[f"activation_{number}"] for number in numbers)


@dataclass(frozen=True, eq=False)
class ArchitectureTable:
    """Every architecture of the space with its scores: a search over it has exact regret.

    An architecture is a dict of parameters, such as `param_space()` describes. `score` is the ELBO,
    in nats per image, so that higher is better, as everywhere in scikit-learn; the arrays hold
    -ELBO. A number without a seed is the **mean over the seeds**, and the optimum is that of the
    means: average first, then take the best.

    Attributes:
        params: the architectures, n dicts.
        epochs: the numbers of epochs after which each training was scored.
        val, val_kl: -ELBO of the validation images and its KL term: (n, seeds, epochs).
        test: -ELBO of the test images, same shape. For a final report; no search may see it.
        weights: how many weights each VAE has, (n,).
        train_seconds: CPU seconds of each training to its last epoch, (n, seeds).
        build_seconds: CPU seconds for building and compiling, (n,). The build of the table paid
            them once for all seeds and for all architectures that differ in activations alone.
        about: how the table was made: command, data, settings, versions, hardware, date.

    Example:
        >>> table = ArchitectureTable.load()
        >>> best = table.best()
        >>> table.score(best, epochs=81), table.regret(best)  # the second is 0
    """

    params: list[dict]
    epochs: tuple[int, ...]
    val: np.ndarray
    val_kl: np.ndarray
    test: np.ndarray
    weights: np.ndarray
    train_seconds: np.ndarray
    build_seconds: np.ndarray
    about: dict

    @classmethod
    def load(cls, path: Path = TABLE) -> "ArchitectureTable":
        """Read the table that ships with the course, or another.

        Raises:
            FileNotFoundError: it is missing.
            ValueError: it is damaged.
        """
        path = Path(path)
        restore = (
            "Restore it with `git checkout -- data/architectures.npz`, or make it again with "
            "`python -m helpers.table build` (an hour or two)."
        )
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing. {restore}")
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = dict(archive)
            text = json.loads(arrays.pop("text").tobytes())
            table = cls(
                text["params"], tuple(text["about"]["epochs"]), about=text["about"], **arrays
            )
            table._check()
        except (*_DAMAGE, TypeError, KeyError, ValueError) as error:
            raise ValueError(f"{path} is damaged ({error}). {restore}") from error
        return table

    def _check(self) -> None:
        shape = (len(self.params), len(self.about["seeds"]), len(self.epochs))
        for name in ("val", "val_kl", "test", "weights", "train_seconds", "build_seconds"):
            array = getattr(self, name)
            if array.shape != shape[: array.ndim] or not np.isfinite(array).all():
                raise ValueError(f"{name} must be finite numbers of shape {shape[: array.ndim]}")
            array.setflags(write=False)
        if not shape[0] or len(self._rows) != shape[0]:
            raise ValueError(f"{shape[0]} rows must be as many architectures, all different")

    @functools.cached_property
    def _rows(self) -> dict[tuple, int]:
        return {_key(params): row for row, params in enumerate(self.params)}

    def __len__(self) -> int:
        return len(self.params)

    def __deepcopy__(self, memo) -> "ArchitectureTable":
        return self  # nothing in it changes, and scikit-learn copies parameters all the time

    def row(self, params: dict) -> int:
        """Where an architecture stands in the arrays. Other parameters in `params` do not matter.

        Raises:
            ValueError: no such architecture in the table.
        """
        try:
            return self._rows[_key(params)]
        except (KeyError, TypeError):  # a name is missing or a value is nothing that has a hash
            raise ValueError(
                f"params must be an architecture of the table, with depth 1 to {MAX_DEPTH}, widths "
                f"of {WIDTHS}, activations of {ACTIVATIONS} and latent_dim of {LATENT_DIMS}, "
                f"got {params!r}"
            ) from None

    def level(self, epochs: int | None = None) -> int:
        """Where a number of epochs stands in the arrays; the last, if None.

        Raises:
            ValueError: the table was not scored after so many epochs.
        """
        if epochs is None:
            return len(self.epochs) - 1
        if epochs not in self.epochs:
            raise ValueError(f"epochs must be one of {self.epochs}, got {epochs!r}")
        return self.epochs.index(epochs)

    def means(self, epochs: int | None = None, part: str = "val") -> np.ndarray:
        """-ELBO of every architecture, averaged over the seeds: nats per image, shape (n,).

        Args:
            epochs: one of `self.epochs`; the last, if None.
            part: `"val"`, or `"test"` for a final report.

        Raises:
            ValueError: no such number of epochs, or no such part.
        """
        return self._means(self.level(epochs), self._part(part))

    @functools.cache  # noqa: B019  (a table lives as long as the notebook)
    def _means(self, level: int, part: str) -> np.ndarray:
        means = getattr(self, part)[:, :, level].astype("float64").mean(axis=1)
        means.setflags(write=False)
        return means

    def _part(self, part: str) -> str:
        if part not in ("val", "test"):
            raise ValueError(f"part must be 'val' or 'test', got {part!r}")
        return part

    def score(
        self,
        params: dict,
        epochs: int | None = None,
        seed: int | None = None,
        part: str = "val",
    ) -> float:
        """The ELBO of one architecture, in nats per image; higher is better.

        Args:
            params: an architecture.
            epochs: one of `self.epochs`; the last, if None.
            seed: of one training; the mean over the seeds, if None.
            part: `"val"`, which is what a search may see, or `"test"` for a final report.

        Raises:
            ValueError: no such architecture, number of epochs, seed or part.
        """
        row, level = self.row(params), self.level(epochs)
        if seed is None:
            return -float(self._means(level, self._part(part))[row])
        seeds = self.about["seeds"]
        if seed not in seeds:
            raise ValueError(f"seed must be one of {seeds}, got {seed!r}")
        return -float(getattr(self, self._part(part))[row, seeds.index(seed), level])

    def best(self, epochs: int | None = None, part: str = "val") -> dict:
        """The architecture whose mean over the seeds is best. Args, errors: as in `means`."""
        return dict(self.params[int(self.means(epochs, part).argmin())])

    def regret(self, params: dict, epochs: int | None = None, part: str = "val") -> float:
        """How far an architecture is from the best one: nats per image, 0 or more.

        Both are means over the seeds after the same number of epochs. Whatever number of epochs a
        search used, its result is worth what it gives when trained to the end: leave `epochs` out.

        Args, errors: as in `score`.
        """
        means = self.means(epochs, part)
        return float(means[self.row(params)] - means.min())

    def rank(self, params: dict, epochs: int | None = None, part: str = "val") -> int:
        """1 for the best architecture, `len(table)` for the worst. Args, errors: as in `score`."""
        means = self.means(epochs, part)
        return int((means < means[self.row(params)]).sum()) + 1

    def seconds(self, params: dict, epochs: int | None = None) -> float:
        """CPU seconds of **one** training of so many epochs, mean over the seeds.

        Without building and compiling (`build_seconds`), which a search with real trainings pays.

        Raises:
            ValueError: no such architecture or number of epochs.
        """
        share = self.epochs[self.level(epochs)] / self.epochs[-1]
        return float(self.train_seconds[self.row(params)].mean()) * share

    def noise(self, epochs: int | None = None, part: str = "val", best: float = 1.0) -> dict:
        """How much two trainings of one architecture differ when only the seed does.

        The scores of two architectures, means over two seeds each, differ by chance with a standard
        deviation of this size. A smaller difference is no finding.

        Args:
            epochs, part: as in `means`.
            best: the share of architectures to look at, the best ones; all, if 1.

        Returns:
            Standard deviations of one training, in nats per image: `pooled`, the root of the mean
            variance, which a few architectures with two outcomes dominate; and `typical`, from the
            median variance, which they do not.

        Raises:
            ValueError: see `means`, or `best` is not in (0, 1].
        """
        if not 0 < best <= 1:
            raise ValueError(f"best must be a share above 0 and up to 1, got {best!r}")
        order = np.argsort(self.means(epochs, part))[: math.ceil(best * len(self))]
        values = getattr(self, part)[order, :, self.level(epochs)].astype("float64")
        variances, freedom = values.var(axis=1, ddof=1), values.shape[1] - 1
        return {
            "pooled": float(np.sqrt(variances.mean())),
            "typical": float(np.sqrt(np.median(variances) * freedom / chi2(freedom).median())),
        }

    def folds(self) -> tuple[np.ndarray, list]:
        """`X` and `cv` for a search over a `TableVAE`: X holds the seeds, and each is a fold."""
        seeds = np.array(self.about["seeds"])[:, None]
        return seeds, [([row], [row]) for row in range(len(seeds))]


_NAMES = {name for space in param_space() for name in space}
_DAMAGE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)


@functools.cache
def _shipped() -> ArchitectureTable:
    return ArchitectureTable.load()


class TableVAE(BaseEstimator):
    """A row of the table as a scikit-learn estimator: any search class can search the table.

    A row of `X` is a seed, and `fit(X)` "trains" with these seeds: it looks the result up. So
    `X, cv = table.folds()` makes every seed a fold, and a search that averages over folds averages
    over seeds. `score` knows the validation images only.

    Args:
        depth: number of hidden layers. Widths and activations of deeper layers do not matter.
        width_1, width_2, width_3: of the encoder's hidden layers, from the image inwards.
        activation_1, activation_2, activation_3: of the same layers.
        latent_dim: number of latents.
        epochs: of training; one of the table's, such as 1, 3, 9, 27, 81.
        table: an `ArchitectureTable`; the shipped one, if None.

    Attributes:
        seconds_: CPU seconds of all trainings of this `fit`.
        weights_: how many weights the VAE has.

    Raises:
        ValueError: by `fit`, for what is not in the table, or an X that holds no seeds.

    Example:
        >>> X, cv = ArchitectureTable.load().folds()
        >>> search = HalvingRandomSearchCV(
        ...     TableVAE(), param_space(), resource="epochs", factor=3, max_resources=81, cv=cv
        ... ).fit(X)
    """

    def __init__(
        self,
        depth: int = 1,
        width_1: int = 64,
        activation_1: str = "relu",
        width_2: int = 64,
        activation_2: str = "relu",
        width_3: int = 64,
        activation_3: str = "relu",
        latent_dim: int = 8,
        epochs: int = 81,
        table: ArchitectureTable | None = None,
    ) -> None:
        self.depth = depth
        self.width_1 = width_1
        self.activation_1 = activation_1
        self.width_2 = width_2
        self.activation_2 = activation_2
        self.width_3 = width_3
        self.activation_3 = activation_3
        self.latent_dim = latent_dim
        self.epochs = epochs
        self.table = table

    def fit(self, X, y=None) -> "TableVAE":
        """Look the architecture up for the seeds in X, shape (n, 1); `y` is ignored."""
        seeds = self._seeds(X)
        table, params = self._table(), self._params()
        self.row_ = table.row(params)
        self.weights_ = int(table.weights[self.row_])
        self.seconds_ = len(seeds) * table.seconds(params, self.epochs)
        self.n_features_in_ = 1
        return self

    def score(self, X, y=None) -> float:
        """The ELBO of the validation images, mean over the seeds in X: nats per image."""
        check_is_fitted(self)
        table, params = self._table(), self._params()
        return float(np.mean([table.score(params, self.epochs, seed) for seed in self._seeds(X)]))

    def _table(self) -> ArchitectureTable:
        return _shipped() if self.table is None else self.table

    def _params(self) -> dict:
        return {name: value for name, value in vars(self).items() if name in _NAMES}

    def _seeds(self, X) -> list[int]:
        seeds, known = np.asarray(X), self._table().about["seeds"]
        if seeds.ndim != 2 or seeds.shape[1:] != (1,) or not np.isin(seeds, known).all():
            raise ValueError(
                f"X must be a column of seeds out of {known}, as `table.folds()` gives, "
                f"got {type(X).__name__} of shape {seeds.shape}"
            )
        return seeds[:, 0].tolist()


def build_vae(params: dict, seed: int):
    """The course's own VAE of one architecture, untrained: `dense_encoder` and `dense_decoder`.

    Args:
        params: one architecture of `architectures()`.
        seed: of the weights and of the sampling noise. Moves Keras's global random state.

    Returns:
        A `helpers.vae.VAE` of images of 8 x 8 pixels.
    """
    from helpers.vae import VAE, dense_decoder, dense_encoder
    import keras

    widths, activations = layers_of(params)
    keras.utils.set_random_seed(seed)
    encoder = dense_encoder((8, 8), widths, params["latent_dim"])
    decoder = dense_decoder((8, 8), widths[::-1], params["latent_dim"])
    vae = VAE(encoder, decoder, seed=seed)
    _set_activations(vae, [keras.activations.get(name) for name in activations])
    return vae


def _set_activations(vae, activations: list) -> None:
    """Give each hidden layer its own; `dense_encoder` and `dense_decoder` have one for all."""
    for network, functions in ((vae.encoder, activations), (vae.decoder, activations[::-1])):
        dense = [layer for layer in network.layers if hasattr(layer, "activation")]
        for layer, function in zip(dense, functions, strict=False):  # the last ones stay linear
            layer.activation = function


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Validation and test images as the table scores them: ten binarised copies of each image."""
    from helpers import data

    digits = data.load("digits")
    parts = ((digits.x_val, 100), (digits.x_test, 101))
    x_val, x_test = (data.binarise(np.repeat(x, COPIES, axis=0), seed) for x, seed in parts)
    return x_val, x_test


@functools.cache
def _batches(epochs: int, seed: int) -> np.ndarray:
    """What `BinarisedBatches` delivers: uint8, (epochs, steps, BATCH_SIZE, 8, 8)."""
    from helpers import data

    source = data.BinarisedBatches(data.load("digits").x_train, BATCH_SIZE, seed)
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
    import keras

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
    import keras

    if keras.backend.backend() != "jax":
        raise RuntimeError("the table is built on JAX: set KERAS_BACKEND=jax before the start")
    latent_dim, last = alike[0]["latent_dim"], epochs[-1]
    inputs = [(_batches(last, seed), _noise(last, seed, latent_dim)) for seed in SEEDS]
    *scored, border = _scored(latent_dim)
    start = time.process_time()
    vaes = [build_vae(alike[0], seed) for seed in SEEDS]  # weights do not depend on activations
    weights = [_flat(vae) for vae in vaes]
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([keras.Variable(weights[0])])
    moments = [np.asarray(variable.value) for variable in optimizer.variables]
    kinds = [[ACTIVATIONS.index(name) for name in layers_of(params)[1]] for params in alike]
    kinds = np.array(kinds, "int32")
    train = _training(vaes[0], optimizer, border)
    train = train.lower((weights[0], moments), kinds[0], *inputs[0], *scored, 0, 1)
    # Level 1 compiles tanh networks twice as fast as the default, and they train as fast.
    train = train.compile(compiler_options={"xla_backend_optimization_level": 1})
    build_seconds, rows = round(time.process_time() - start, 3), []
    for params, kind in zip(alike, kinds, strict=True):
        row = {"params": params, "weights": len(weights[0]), "build_seconds": build_seconds}
        row |= {"val": [], "val_kl": [], "test": [], "train_seconds": []}
        for initial, data in zip(weights, inputs, strict=True):
            start, state, scores = time.process_time(), (initial, moments), []
            for first, last in itertools.pairwise((0, *epochs)):
                state, score = train(state, kind, *data, *scored, first, last)
                scores.append([round(float(value), 4) for value in score])
            for name, values in zip(("val", "val_kl", "test"), np.transpose(scores), strict=True):
                row[name].append(values.tolist())
            row["train_seconds"].append(round(time.process_time() - start, 3))
        rows.append(row)
    return rows


def _flat(vae) -> np.ndarray:
    """All trainable weights in one vector: Adam moves each by itself, and this compiles faster."""
    return np.concatenate([np.asarray(weight.value).ravel() for weight in vae.trainable_variables])


def _training(vae, optimizer, border: int):
    """The function (state, kinds, ..., first, last) -> (state, scores): epochs first to last - 1.

    The state is the vector of weights and the optimizer's own variables; `kinds` says, as a
    position in ACTIVATIONS, what each hidden layer of the encoder has.
    """
    from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
    import jax
    import keras

    shapes = [tuple(weight.shape) for weight in vae.trainable_variables]
    cuts = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]
    inner = len(vae.encoder.trainable_variables)
    given = {}  # the kinds of the call that is being traced
    choices = [keras.activations.get(name) for name in ACTIVATIONS]

    def choose(layer, x):
        return jax.lax.select_n(given["kinds"][layer], *(choice(x) for choice in choices))

    depth = len(vae.encoder.layers) - 4  # input, flatten, z_mean and z_log_var
    _set_activations(vae, [functools.partial(choose, layer) for layer in range(depth)])

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
    done = {_key(row["params"]) for row in rows}
    missing = [params for params in wanted if _key(params) not in done]
    groups = [list(group) for _, group in itertools.groupby(missing, _group)]
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
    from helpers import runtime
    import jax

    made = runtime.circumstances()
    made["versions"] += f" {jax.__version__}"
    return {"command": "python -m helpers.table build", "data": "scikit-learn's digits"} | made


def write(table: Path, log: Path, wanted: list[dict]) -> None:
    """Put the rows of a log, in the order of `wanted`, into one small file."""
    header, rows = read_log(log)
    by_key = {_key(row["params"]): row for row in rows}
    found = [by_key[key] for key in map(_key, wanted) if key in by_key]
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
    from helpers import data, evaluate
    import keras

    vae, (x_val, _) = build_vae(params, seed), held_out()
    vae.compile(keras.optimizers.Adam(LEARNING_RATE))
    batches = data.BinarisedBatches(data.load("digits").x_train, BATCH_SIZE, seed)
    scores = []
    for first, last in itertools.pairwise((0, *epochs)):
        vae.fit(batches, initial_epoch=first, epochs=last, shuffle=False, verbose=0)
        scores.append(-float(evaluate.elbo(vae, x_val).mean()))
    return scores


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.table")
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
    from helpers.table import main as imported_main  # so that other processes find its functions

    imported_main()
