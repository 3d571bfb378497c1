"""The architecture table: every VAE of a small space, trained in advance on real digits.

`data/recipes/make_architectures.py` made it. A search over the table costs microseconds per answer,
and its regret is exact, because the best architecture is known. After NAS-Bench-101 (Ying et al.
2019), with VAEs instead of classifiers.

**The space.** 1 to 3 hidden layers in the encoder, each with a width and an activation of its own;
the decoder mirrors them; and a number of latents: 2,336 architectures, no two of them alike.

**The score**: -ELBO in nats per image on the 300 validation images of scikit-learn's digits, for
whoever searches, and on the 297 test images, for the final report alone; two seeds each.
"""

from dataclasses import dataclass
import functools
import json
import math
from pathlib import Path

from helpers.data import DATA_DIR, read_arrays, read_file
import numpy as np
from scipy.stats import chi2

TABLE = DATA_DIR / "architectures.npz"

WIDTHS, ACTIVATIONS, LATENT_DIMS, MAX_DEPTH = (16, 32, 64, 128), ("relu", "tanh"), (2, 4, 8, 16), 3


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


def key_of(params: dict) -> tuple:
    """What tells two architectures apart; parameters of layers beyond the depth do not count."""
    return (params["latent_dim"], *zip(*layers_of(params), strict=True))


def layers_of(params: dict) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Widths and activations of the encoder's hidden layers, from the image inwards."""
    numbers = range(1, params["depth"] + 1)
    widths = tuple(params[f"width_{number}"] for number in numbers)
    return widths, tuple(params[f"activation_{number}"] for number in numbers)


@dataclass(frozen=True, eq=False)
class ArchitectureTable:
    """Every architecture of the space, a dict as `param_space()` describes it, with its scores.

    `score` is the ELBO, in nats per image, so that higher is better, as everywhere in scikit-learn;
    the arrays hold -ELBO. A number without a seed is the **mean over the seeds**, and the optimum
    is that of the means: average first, then take the best.

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
        restore = (
            "Restore it with `git checkout -- data/architectures.npz`, or make it again with "
            "`python data/recipes/make_architectures.py build` (an hour or two)."
        )
        content = read_file(Path(path), restore)
        try:
            arrays = read_arrays(content)
            text = json.loads(arrays.pop("text").tobytes())
            about = text["about"]
            table = cls(text["params"], tuple(about["epochs"]), about=about, **arrays)
            table._check()
            return table
        except Exception as error:  # zip, zlib, JSON and NumPy have many kinds of them
            raise ValueError(f"{path} is damaged ({error}). {restore}") from error

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
        return {key_of(params): row for row, params in enumerate(self.params)}

    def __len__(self) -> int:
        return len(self.params)

    def row(self, params: dict) -> int:
        """Where an architecture stands in the arrays. Other parameters in `params` do not matter.

        Raises:
            ValueError: no such architecture in the table.
        """
        try:
            return self._rows[key_of(params)]
        except (KeyError, TypeError):  # a name is missing or a value is nothing that has a hash
            raise ValueError(
                f"params must be an architecture of the table, with depth 1 to {MAX_DEPTH}, widths "
                f"of {WIDTHS}, activations of {ACTIVATIONS} and latent_dim of {LATENT_DIMS}, "
                f"got {params!r}"
            ) from None

    def _level(self, epochs: int | None) -> int:
        """Where a number of epochs stands in the arrays; the last, if None."""
        if epochs is None:
            return len(self.epochs) - 1
        if epochs not in self.epochs:
            raise ValueError(f"epochs must be one of {self.epochs}, got {epochs!r}")
        return self.epochs.index(epochs)

    def means(self, epochs: int | None = None, part: str = "val") -> np.ndarray:
        """-ELBO of every architecture, averaged over the seeds: nats per image, shape (n,).

        Args:
            epochs: one of `self.epochs`; the last, if None.
            part: `"val"`, which is what a search may see, or `"test"` for a final report.

        Raises:
            ValueError: no such number of epochs, or no such part.
        """
        if part not in ("val", "test"):
            raise ValueError(f"part must be 'val' or 'test', got {part!r}")
        return self._means(self._level(epochs), part)

    @functools.cache  # noqa: B019  (a table lives as long as the notebook)
    def _means(self, level: int, part: str) -> np.ndarray:
        means = getattr(self, part)[:, :, level].astype("float64").mean(axis=1)
        means.setflags(write=False)
        return means

    def score(
        self, params: dict, epochs: int | None = None, seed: int | None = None, part: str = "val"
    ) -> float:
        """The ELBO of one architecture, in nats per image; higher is better.

        Of one training, that with this seed; the mean over the seeds, if None. Args, errors: as in
        `means`; an architecture or a seed that is not in the table is a ValueError, too.
        """
        row, means, seeds = self.row(params), self.means(epochs, part), self.about["seeds"]
        if seed is None:
            return -float(means[row])
        if seed not in seeds:
            raise ValueError(f"seed must be one of {seeds}, got {seed!r}")
        return -float(getattr(self, part)[row, seeds.index(seed), self._level(epochs)])

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

    def noise(self, epochs: int | None = None, part: str = "val", best: float = 1.0) -> dict:
        """The standard deviation of one training when only the seed differs, in nats per image.

        The scores of two architectures, means over two seeds each, differ by chance with a standard
        deviation of this size. A smaller difference is no finding.

        Args:
            epochs, part: as in `means`.
            best: the share of architectures to look at, the best ones; all, if 1.

        Returns:
            `pooled`, the root of the mean variance, which a few architectures with two outcomes
            dominate; and `typical`, from the median variance, which they do not.

        Raises:
            ValueError: see `means`, or `best` is not in (0, 1].
        """
        if not 0 < best <= 1:
            raise ValueError(f"best must be a share above 0 and up to 1, got {best!r}")
        order = np.argsort(self.means(epochs, part))[: math.ceil(best * len(self))]
        values = getattr(self, part)[order, :, self._level(epochs)].astype("float64")
        variances, freedom = values.var(axis=1, ddof=1), values.shape[1] - 1
        return {
            "pooled": float(np.sqrt(variances.mean())),
            "typical": float(np.sqrt(np.median(variances) * freedom / chi2(freedom).median())),
        }
