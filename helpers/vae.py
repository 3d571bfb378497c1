"""The variational autoencoder: sampling layer, model, default networks, beta schedule.

Everything here is backend-neutral Keras 3, and every loss is in nats per image: summed over pixels
and latents, averaged over the batch.
"""

from collections.abc import Callable, Sequence
import math

from helpers.data import check_images
from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
from helpers.runtime import has_gpu
import keras
from keras import layers, ops
import numpy as np

PACKAGE = "vae_course"  # the name under which Keras saves and finds our classes


@keras.saving.register_keras_serializable(PACKAGE)
class Sampling(layers.Layer):
    """Draw z = z_mean + exp(z_log_var / 2) * noise, so that gradients reach both inputs.

    Every image and every latent has a noise of its own: shape (batch, latent_dim). The layer owns
    its random state, so two models with the same seed draw the same noise, and no two calls do.

    Args:
        seed: a whole number; None draws one.

    Source: Kingma and Welling 2014, section 2.4.

    Example:
        >>> z = Sampling(seed=0)([z_mean, z_log_var])  # all three of shape (batch, latent_dim)
    """

    def __init__(self, seed: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        noise = keras.random.normal(ops.shape(z_mean), dtype=z_mean.dtype, seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * noise

    def save_own_variables(self, store) -> None:
        """Save where the noise stands; Keras by itself would start it anew in a loaded model."""
        store["noise_state"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store) -> None:
        self.seed_generator.state.assign(store["noise_state"])

    def get_config(self) -> dict:
        return super().get_config() | {"seed": self.seed}


@keras.saving.register_keras_serializable(PACKAGE)
class VAE(keras.Model):
    """A variational autoencoder with Gaussian latents, Bernoulli pixels and a beta-weighted KL.

    `fit(x)` minimises reconstruction_loss + beta * kl_loss and logs `loss`, `reconstruction_loss`
    and `kl_loss` in nats per image; with beta = 1 the loss is the negative ELBO. `predict(x)` gives
    a dictionary of `z_mean`, `z_log_var`, `z` and `logits`.

    Args:
        encoder: images -> (z_mean, z_log_var), each of shape (batch, latent_dim).
        decoder: z -> logits of the pixels, in the shape of the images.
        beta: the weight of the KL term, 0 or more. It is a variable: `BetaSchedule` moves it
            without compiling again.
        seed: of the sampling noise.

    Raises:
        ValueError: encoder and decoder do not fit each other, or `beta` is negative, infinite or
            NaN.

    Source: Kingma and Welling 2014, equation 10; beta: Higgins et al. 2017, equation 4.

    Example:
        >>> vae = VAE(dense_encoder(), dense_decoder())
        >>> vae.compile(keras.optimizers.Adam(1e-3))
        >>> vae.fit(x_train, batch_size=100, epochs=10, validation_data=(x_val,))
    """

    def __init__(self, encoder, decoder, beta: float = 1.0, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.image_shape, self.latent_dim = _check_fit(encoder, decoder)
        self.encoder, self.decoder, self.seed = encoder, decoder, seed
        # Read by jit_compile="auto". On a CPU, XLA costs TensorFlow seconds of compiling and gains
        # no speed (tests/benchmark_training.py measures both).
        self.supports_jit = keras.backend.backend() != "tensorflow" or has_gpu()
        self.sampling = Sampling(seed)
        self.beta = self.add_weight(
            name="beta", shape=(), trainable=False, initializer=lambda *_, **__: check_beta(beta)
        )
        self.reconstruction_loss = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss = keras.metrics.Mean(name="kl_loss")
        self.build((None, *self.image_shape))

    def build(self, input_shape) -> None:
        self.built = True  # encoder and decoder come with their weights

    def call(self, x) -> dict:
        z_mean, z_log_var = self.encoder(x)
        z = self.sampling([z_mean, z_log_var])
        return {"z_mean": z_mean, "z_log_var": z_log_var, "z": z, "logits": self.decoder(z)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction = -bernoulli_log_likelihood(x, y_pred["logits"])
        kl = gaussian_kl(y_pred["z_mean"], y_pred["z_log_var"])
        self.reconstruction_loss.update_state(reconstruction)
        self.kl_loss.update_state(kl)
        return ops.mean(reconstruction + self.beta * kl)

    def fit(self, x=None, *args, **kwargs):
        self._check_input(x)
        validation = kwargs.get("validation_data")
        if isinstance(validation, tuple):
            self._check_input(validation[0], "validation_data")
        elif validation is not None:
            self._check_input(validation, "validation_data")
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        self._check_input(x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        self._check_input(x)
        return super().predict(x, *args, **kwargs)

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Draw z from the prior and decode it: pixel probabilities, shape (count, *image_shape)."""
        z = np.random.default_rng(seed).standard_normal((count, self.latent_dim), dtype="float32")
        return self.decode(z)

    def decode(self, z) -> np.ndarray:
        """Pixel probabilities of the codes z of shape (n, latent_dim): (n, *image_shape)."""
        return ops.convert_to_numpy(ops.sigmoid(self.decoder(ops.convert_to_tensor(z))))

    def _check_input(self, x, name: str = "x") -> None:
        """Arrays are checked; a data pipeline must check what it delivers, as ours does."""
        if isinstance(x, (np.ndarray, list)):
            check_images(x, self.image_shape, name)

    def get_config(self) -> dict:
        save = keras.saving.serialize_keras_object
        return super().get_config() | {
            "encoder": save(self.encoder),
            "decoder": save(self.decoder),
            "beta": float(self.beta.numpy()),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict) -> "VAE":
        load = keras.saving.deserialize_keras_object
        parts = {part: load(config[part]) for part in ("encoder", "decoder")}
        return cls(**(config | parts))


def check_beta(beta: float) -> float:
    """Return a KL weight that makes sense, or raise a ValueError."""
    if not (beta >= 0 and math.isfinite(beta)):
        raise ValueError(f"beta must be a finite number, 0 or more, got {beta!r}")
    return float(beta)


def _check_fit(encoder: keras.Model, decoder: keras.Model) -> tuple[tuple[int, ...], int]:
    """Return (image_shape, latent_dim), or say how encoder and decoder fail to fit each other."""
    outputs = encoder.outputs
    if len(outputs) != 2 or outputs[0].shape != outputs[1].shape or len(outputs[0].shape) != 2:
        raise ValueError(
            "encoder must have two outputs, z_mean and z_log_var, both of shape (batch, "
            f"latent_dim), got {[tuple(output.shape) for output in outputs]}"
        )
    image_shape, latent_dim = tuple(encoder.inputs[0].shape[1:]), outputs[0].shape[-1]
    if tuple(decoder.inputs[0].shape[1:]) != (latent_dim,):
        raise ValueError(
            f"decoder must take the encoder's {latent_dim} latents, "
            f"got an input of shape {tuple(decoder.inputs[0].shape)}"
        )
    if tuple(decoder.outputs[0].shape[1:]) != image_shape:
        raise ValueError(
            f"decoder must give images of the encoder's shape {image_shape}, "
            f"got {tuple(decoder.outputs[0].shape[1:])}"
        )
    return image_shape, latent_dim


def _check_sizes(**sizes: Sequence[int]) -> None:
    for name, values in sizes.items():
        for value in values:
            if isinstance(value, bool) or int(value) != value or value < 1:
                raise ValueError(f"{name} must hold whole numbers of at least 1, got {value!r}")


def dense_encoder(
    image_shape: tuple[int, ...] = (28, 28),
    hidden: Sequence[int] = (512, 256),
    latent_dim: int = 20,
    activation: str = "relu",
) -> keras.Model:
    """The default encoder: image -> dense layers -> (z_mean, z_log_var).

    With the default decoder it does not collapse to the prior: 20 of 20 seeds trained well
    (data/results/default_vae_seeds.json). What makes it so: small random weights start every code
    near N(0, I), where the KL term costs almost nothing, and every logit near 0, the worst honest
    guess, so that reading the code pays from the first step. An output bias at the pixels'
    log-odds would start the decoder as a good model that ignores z: the KL after one epoch was
    then 0.5 to 1.7 nats instead of 3 to 5 (8 seeds), closer to the state in which a code dies.

    Args:
        image_shape: of one image; (784,) for flat vectors.
        hidden: widths of the hidden layers, from the image inwards.
        latent_dim: number of latents.
        activation: of the hidden layers.

    Raises:
        ValueError: a size that is not a whole number of at least 1.
    """
    _check_sizes(image_shape=image_shape, hidden=hidden, latent_dim=(latent_dim,))
    x = keras.Input(image_shape, name="image")
    h = layers.Flatten()(x)
    for width in hidden:
        h = layers.Dense(width, activation=activation)(h)
    z_mean = layers.Dense(latent_dim, name="z_mean")(h)
    z_log_var = layers.Dense(latent_dim, name="z_log_var")(h)
    return keras.Model(x, [z_mean, z_log_var], name="encoder")


def dense_decoder(
    image_shape: tuple[int, ...] = (28, 28),
    hidden: Sequence[int] = (256, 512),
    latent_dim: int = 20,
    activation: str = "relu",
) -> keras.Model:
    """The default decoder: z -> dense layers -> logits in the shape of the image.

    Args and errors as in `dense_encoder`; `hidden` runs from the latents outwards.
    """
    _check_sizes(image_shape=image_shape, hidden=hidden, latent_dim=(latent_dim,))
    z = keras.Input((latent_dim,), name="z")
    h = z
    for width in hidden:
        h = layers.Dense(width, activation=activation)(h)
    logits = layers.Dense(math.prod(image_shape), name="logits")(h)
    return keras.Model(z, layers.Reshape(image_shape)(logits), name="decoder")


class BetaSchedule(keras.callbacks.Callback):
    """Set the VAE's beta at the start of every epoch.

    Args:
        schedule: epoch (0, 1, ...) -> beta, 0 or more.

    Raises:
        ValueError: the schedule returns a beta that is negative, infinite or NaN.

    Source: Bowman et al. 2016, section 3.1 (KL cost annealing).

    Example:
        >>> warm_up = BetaSchedule(lambda epoch: min(1.0, epoch / 10))
        >>> vae.fit(x_train, epochs=30, callbacks=[warm_up])
    """

    def __init__(self, schedule: Callable[[int], float]) -> None:
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.beta.assign(check_beta(self.schedule(epoch)))
