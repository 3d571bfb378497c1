"""A VAE as a scikit-learn estimator: every search class and pipeline can then use it."""

from collections.abc import Sequence
import math
import numbers

from helpers.data import binarise
from helpers.runtime import keras
from helpers.vae import evaluate
from helpers.vae.batches import BinarisedBatches
from helpers.vae.models import VAE
from helpers.vae.networks import check_size, dense_networks
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data


class VAETransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A dense variational autoencoder with scikit-learn's interface.

    `fit` learns without labels, `transform` gives posterior means, `inverse_transform` decodes,
    `score` is the held-out ELBO, and `sample` draws new examples. The features are pixels between
    black and white: the range that `fit` sees is mapped to [0, 1], and what lies outside of it
    later is cut off there. Data that are in [0, 1] and use it all stay as they are.

    Args:
        latent_dim: number of latents.
        hidden: widths of the encoder's hidden layers; the decoder has them in reverse.
        activation: of the hidden layers.
        beta: the weight of the KL term, 0 or more.
        epochs: passes over the training data, at least 1.
        batch_size: examples per step, at least 1.
        learning_rate: of Adam, above 0.
        binarise: learn from black and white drawn afresh at every epoch, and score black and white
            drawn once; False takes the grey values, whose ELBO is no bound on a log-probability.
        random_state: a whole number for the same result every time; None, or a RandomState, for a
            new one at every fit.

    Attributes:
        vae_: the trained `helpers.vae.VAE`, of examples of shape (n_features_in_,).
        history_: loss, reconstruction_loss and kl_loss of each epoch, in nats per example.
        low_, high_: smallest and largest value that `fit` saw.
        seed_: of the noise in `score`, drawn by `fit`.
        n_features_in_: features per example.

    Raises:
        ValueError: by `fit`, for a parameter out of range or an X that scikit-learn would refuse.

    Source: Kingma and Welling 2014; beta: Higgins et al. 2017.

    Example:
        >>> vae = VAETransformer(latent_dim=8, epochs=10, random_state=0).fit(x_train)
        >>> vae.transform(x_val).shape, vae.score(x_val)  # (500, 8), nats per example
    """

    def __init__(
        self,
        latent_dim: int = 20,
        hidden: Sequence[int] = (256, 128),
        activation: str = "relu",
        beta: float = 1.0,
        epochs: int = 20,
        batch_size: int = 100,
        learning_rate: float = 2e-3,
        binarise: bool = True,
        random_state=None,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.activation = activation
        self.beta = beta
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.binarise = binarise
        self.random_state = random_state

    def fit(self, X, y=None) -> "VAETransformer":
        """Train on X of shape (n, features); `y` is ignored."""
        X = validate_data(self, X, dtype="float32")
        check_size("epochs", self.epochs)
        rate = self.learning_rate
        if not isinstance(rate, numbers.Real) or not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"learning_rate must be a finite number above 0, got {rate!r}")
        if not isinstance(self.binarise, bool | np.bool_):
            raise ValueError(f"binarise must be True or False, got {self.binarise!r}")
        rng = check_random_state(self.random_state)
        self.low_, self.high_ = float(X.min()), float(X.max())
        self.seed_ = int(rng.randint(2**31 - 1))
        sizes = (self.n_features_in_,), self.hidden, self.latent_dim
        self.vae_ = VAE(*dense_networks(*sizes, self.activation), self.beta, seed=self.seed_)
        for weight in self.vae_.trainable_variables:
            if len(weight.shape) == 2:  # as Keras starts a dense layer, but from our own seed
                start = keras.initializers.GlorotUniform(int(rng.randint(2**31 - 1)))
                weight.assign(start(weight.shape))
        self.vae_.compile(keras.optimizers.Adam(rate))
        self._n_features_out = self.vae_.latent_dim  # how many names the mix-in gives
        x = self._to_pixels(X)
        if self.binarise:
            batches = {"x": BinarisedBatches(x, self.batch_size, self.seed_)}
        else:
            batches = {"x": x[rng.permutation(len(x))], "batch_size": self.batch_size}
        # Shuffled here once, or there at every epoch: Keras would draw from a global random state.
        history = self.vae_.fit(**batches, epochs=self.epochs, shuffle=False, verbose=0)
        self.history_ = history.history
        return self

    def transform(self, X) -> np.ndarray:
        """Posterior means of X: float32, shape (n, latent_dim)."""
        pixels = self._to_pixels(self._check(X))
        return evaluate.posterior_means(self.vae_, pixels)

    def inverse_transform(self, X) -> np.ndarray:
        """Decode codes of shape (n, latent_dim): expected features, on the scale of the data."""
        check_is_fitted(self)
        codes, latent_dim = np.asarray(X, dtype="float32"), self.vae_.latent_dim
        if codes.shape[1:] != (latent_dim,):
            raise ValueError(f"X must be codes of shape (n, {latent_dim}), got {codes.shape}")
        return self.low_ + (self.high_ - self.low_) * self.vae_.decode(codes)

    def score(self, X, y=None) -> float:
        """Mean ELBO of X in nats per example (beta = 1; higher is better); `y` is ignored."""
        x = self._to_pixels(self._check(X))
        if self.binarise:
            x = binarise(x, self.seed_)
        return float(evaluate.elbo(self.vae_, x, samples=5, seed=self.seed_).mean())

    def sample(self, n_samples: int = 1, random_state=None) -> np.ndarray:
        """Draw codes from the prior and decode them: shape (n_samples, features)."""
        check_is_fitted(self)
        n_samples = check_size("n_samples", n_samples)
        rng = check_random_state(random_state)
        return self.inverse_transform(rng.standard_normal((n_samples, self.vae_.latent_dim)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check(self, X) -> np.ndarray:
        check_is_fitted(self)
        return validate_data(self, X, dtype="float32", reset=False)

    def _to_pixels(self, X: np.ndarray) -> np.ndarray:
        span = self.high_ - self.low_
        return np.clip((X - self.low_) / (span if span > 0 else 1.0), 0.0, 1.0).astype("float32")
