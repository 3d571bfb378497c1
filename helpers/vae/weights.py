"""Trained models that ship: weights from long trainings, loaded in a second."""

from helpers import data, records
from helpers.vae.models import VAE, ConditionalVAE
from helpers.vae.networks import conditional_networks, dense_networks


def load_trained(name: str) -> VAE:
    """A VAE that was trained on MNIST for long, with its weights in half precision.

    Its training images were all of MNIST's 60,000 but the 500 validation and 500 test digits of
    `data.load("mnist-5k")`, which are held-out images for it. `records.load("weights")` says how
    each was trained and what it reaches; `data/recipes/make_weights.py` makes them again.

    Args:
        name: `digits` (20 latents), `plane` (2 latents), `conditional` (20 latents, told the
            class), `without_1` or `without_2` (20 latents, smaller, one digit never seen).

    Raises:
        ValueError: the name is unknown, or the file is damaged (its SHA-256 sum differs).
        FileNotFoundError: the file is missing.

    Example:
        >>> load_trained("digits").sample(2, seed=0).shape
        (2, 28, 28)
    """
    made = {run["name"]: run for run in records.load("weights")["runs"]}
    if name not in made:
        raise ValueError(f"name must be one of {sorted(made)}, got {name!r}")
    run, path = made[name], data.DATA_DIR / "weights" / f"{name}.npz"
    restore = f"Restore it with `git checkout -- data/weights/{path.name}`."
    arrays = data.read_arrays(data.read_file(path, restore, (run["sha256"],)))
    if run["kind"] == "ConditionalVAE":
        vae = ConditionalVAE(*conditional_networks(**run["sizes"]), seed=0)
    else:
        vae = VAE(*dense_networks(**run["sizes"]), seed=0)
    weights = [arrays[name].astype("float32") for name in sorted(arrays)]
    for variable, value in zip(vae.encoder.weights + vae.decoder.weights, weights, strict=True):
        variable.assign(value)
    return vae
