"""Architectures of the table as strings, and what samples from a VAE of such strings are worth.

A string holds a token per hidden layer, from the image inwards, then a token for the latents, then
0, the end, in every place that is left: what `helpers.vae.text` calls a string. So `TextVAE` learns
architectures as it learns names.
"""

from collections.abc import Sequence
import itertools

from helpers.table.lookup import ACTIVATIONS, LATENT_DIMS, MAX_DEPTH, WIDTHS, layers_of
import numpy as np

LAYERS = [(width, kind) for width in WIDTHS for kind in ACTIVATIONS]  # tokens 1 to 8
TOKENS = ["end", *(f"{width} {kind}" for width, kind in LAYERS)]
TOKENS += [f"{number} latents" for number in LATENT_DIMS]
FIRST_LATENT = 1 + len(LAYERS)  # 9: the first token that names a number of latents
WIDTH, SYMBOLS = MAX_DEPTH + 1, len(TOKENS)  # places in a string, and tokens: 4 and 13


def to_strings(architectures: Sequence[dict]) -> np.ndarray:
    """Architectures -> strings: int32, shape (n, 4).

    Raises:
        ValueError: a layer or a number of latents that no token stands for.

    Example:
        >>> to_strings([{"depth": 1, "width_1": 16, "activation_1": "relu", "latent_dim": 2}])
        array([[1, 9, 0, 0]], dtype=int32)
    """
    strings = np.zeros((len(architectures), WIDTH), "int32")
    for row, params in enumerate(architectures):
        try:
            tokens = [1 + LAYERS.index(layer) for layer in zip(*layers_of(params), strict=True)]
            tokens.append(FIRST_LATENT + LATENT_DIMS.index(params["latent_dim"]))
            strings[row, : len(tokens)] = tokens
        except (KeyError, ValueError, TypeError):
            raise ValueError(
                f"architectures must be dicts as `helpers.table.param_space` describes them, "
                f"got {params!r}"
            ) from None
    return strings


def is_valid(strings) -> np.ndarray:
    """Which strings, shape (n, 4), say an architecture: booleans, shape (n,).

    Such a string is 1 to 3 layers, one number of latents, and nothing more.

    Raises:
        ValueError: another shape.
    """
    strings = np.asarray(strings)
    if strings.ndim != 2 or strings.shape[1] != WIDTH:
        raise ValueError(f"strings must have shape (n, {WIDTH}), got {strings.shape}")
    kinds = np.digitize(strings, [0, 1, FIRST_LATENT, SYMBOLS])  # 1 end, 2 a layer, 3 latents
    valid = [[2] * depth + [3] + [1] * (MAX_DEPTH - depth) for depth in range(1, MAX_DEPTH + 1)]
    return (kinds[:, None] == np.array(valid)).all(axis=2).any(axis=1)


def say(string) -> str:
    """A string in words, valid or not: "128 relu, 32 tanh, 4 latents"."""
    return ", ".join(TOKENS[token] for token in string if token) or "(nothing)"


def one_hot(strings) -> np.ndarray:
    """Strings -> 13 columns for each place, one of them 1: float64, shape (n, 52)."""
    return np.eye(SYMBOLS)[np.asarray(strings)].reshape(len(strings), -1)


def split(strings: np.ndarray, seed: int, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Some of the strings to train with, drawn at random, and the rest, held out."""
    order = np.random.default_rng((42, seed)).permutation(len(strings))
    count = round(share * len(strings))
    return strings[order[:count]], strings[order[count:]]


def worth(samples, training) -> dict[str, float]:
    """Validity, uniqueness and novelty of samples. Each is a share of what passed the one before.

    Args:
        samples: strings, shape (n, 4), repeats included.
        training: the strings that the generator was **trained** with, shape (m, 4). Not all that
            exist: measured against those, nothing can be new. Not the held-out ones: measured
            against those, a generator that copies its training set is all new.

    Returns:
        `valid`, of the samples; `unique`, how many different ones for each valid sample; `novel`,
        of the different ones those that are not in `training`. A share of nothing is NaN.

    Raises:
        ValueError: strings of another shape.

    Source: the three measures as in Polykovskiy et al. 2020, MOSES (arXiv 1811.12823).
    """
    is_valid(training)  # refuses another shape
    valid = np.asarray(samples)[is_valid(samples)]
    different, known = ({tuple(row) for row in np.asarray(x).tolist()} for x in (valid, training))
    counts = len(samples), len(valid), len(different), len(different - known)
    shares = (b / a if a else float("nan") for a, b in itertools.pairwise(counts))
    return dict(zip(("valid", "unique", "novel"), shares, strict=True))


def decode(vae, z) -> np.ndarray:
    """The likeliest string for each code, in one step: int32, shape (n, 4).

    As `vae.decode(z)`, which goes place by place: no need where they are independent given z.
    """
    from helpers.runtime import keras

    z, blank = np.asarray(z, "float32"), np.zeros((len(z), WIDTH), "int32")
    tokens = keras.ops.convert_to_numpy(vae.decoder([z, blank])).argmax(axis=-1)
    return np.where((tokens == 0).cumsum(axis=1) > 0, 0, tokens).astype("int32")


def means(vae, strings) -> np.ndarray:
    """Where the encoder puts each string, the mean of q(z | string): float64, (n, latent_dim)."""
    from helpers.runtime import keras

    z_mean, _ = vae.encoder(np.asarray(strings, "int32"))
    return keras.ops.convert_to_numpy(z_mean).astype("float64")
