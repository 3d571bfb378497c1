"""The variational autoencoder: sampling layer, models, beta schedule.

Every loss is in nats per image: summed over pixels and latents, averaged over the batch. Under a
policy of mixed precision the noise and the losses stay in float32, where a long sum is safe.
"""

from collections.abc import Callable
import math
import numbers
from pathlib import Path

from helpers.data import check_images, check_labels
from helpers.elbo import bernoulli_log_likelihood, free_bits, gaussian_kl_per_latent
from helpers.runtime import has_gpu, keras
from helpers.vae.batches import first_batch
from helpers.vae.networks import check_size
from keras import layers, ops
import numpy as np

PACKAGE = "vae_course"  # the name under which Keras saves and finds our classes


@keras.saving.register_keras_serializable(PACKAGE)
class Sampling(layers.Layer):
    """Draw z = z_mean + exp(z_log_var / 2) * noise, so that gradients reach both inputs.

    Every image and latent has a noise of its own. The layer owns its random state, so two models
    with the same `seed` draw the same noise, and no two calls do; None draws a seed.

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


@keras.saving.register_keras_serializable(PACKAGE)
class VAE(keras.Model):
    """A variational autoencoder with Gaussian latents, Bernoulli pixels and a beta-weighted KL.

    `fit(x)` minimises reconstruction_loss + beta * kl_loss and logs `loss`, `reconstruction_loss`
    and `kl_loss` in nats per image; with beta = 1 the loss is the negative ELBO. `predict(x)` gives
    a dictionary of `z_mean`, `z_log_var`, `z` and `logits`.

    Args:
        encoder: images -> (z_mean, z_log_var), each of shape (batch, latent_dim).
        decoder: z -> logits of the pixels, in the shape of the images.
        beta: the weight of the KL term, 0 or more; a variable, which `BetaSchedule` moves.
        free_nats: a floor under the KL of each latent (see `elbo.free_bits`); 0 for none. `kl_loss`
            logs the whole KL all the same, so with a floor `loss` is not the negative ELBO.
        seed: of the sampling noise, a whole number or None.

    Raises:
        ValueError: encoder and decoder do not fit, or beta or free_nats is negative or not finite.

    Source: Kingma and Welling 2014, equation 10; beta: Higgins et al. 2017, equation 4; free bits:
        Kingma et al. 2016 (arXiv 1606.04934), appendix C.8.

    Example:
        >>> vae = VAE(dense_encoder(), dense_decoder())
        >>> vae.compile(keras.optimizers.Adam(1e-3))
        >>> vae.fit(x_train, batch_size=100, epochs=10, validation_data=(x_val,))
    """

    likelihood = staticmethod(bernoulli_log_likelihood)  # (x, logits) -> nats, shape (batch,)

    def __init__(
        self, encoder, decoder, beta: float = 1.0, seed=None, *, free_nats: float = 0.0, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape, self.latent_dim = self.check_fit(encoder, decoder)
        self.encoder, self.decoder, self.seed = encoder, decoder, seed
        # Read by jit_compile="auto". On a CPU, XLA costs TensorFlow seconds of compiling and gains
        # no speed (tests/benchmarks/training.py measures both).
        self.supports_jit = keras.backend.backend() != "tensorflow" or has_gpu()
        self.sampling = Sampling(seed, dtype="float32")
        self.beta = keras.Variable(check_beta(beta), trainable=False, name="beta")
        free_bits(np.zeros((1, 1), "float32"), free_nats)  # refuses a bad floor now
        self.free_nats = free_nats
        self.reconstruction_loss = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss = keras.metrics.Mean(name="kl_loss")
        self.build((None, *self.image_shape))

    def build(self, input_shape) -> None:
        self.built = True  # encoder and decoder come with their weights

    def call(self, x, told=None) -> dict:
        """What `predict` gives; a subclass can have the decoder told more than z."""
        z_mean, z_log_var = self.encoder(x)
        z = self.sampling([z_mean, z_log_var])
        logits = self.decoder(z if told is None else [z, told])
        return {"z_mean": z_mean, "z_log_var": z_log_var, "z": z, "logits": logits}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        reconstruction = -self.likelihood(x if y is None else y, y_pred["logits"])
        kl_per_latent = gaussian_kl_per_latent(y_pred["z_mean"], y_pred["z_log_var"])
        if sample_weight is not None:
            weight = ops.cast(sample_weight, "float32")
            reconstruction, kl_per_latent = weight * reconstruction, weight[:, None] * kl_per_latent
        kl = ops.sum(kl_per_latent, axis=1)
        self.reconstruction_loss.update_state(reconstruction)
        self.kl_loss.update_state(kl)
        if self.free_nats:
            return ops.mean(reconstruction) + self.beta * free_bits(kl_per_latent, self.free_nats)
        return ops.mean(reconstruction + self.beta * kl)

    def compile(self, optimizer="rmsprop", loss=None, **settings) -> None:
        """As Keras's, but for losses and metrics: the model brings its own, and refuses others."""
        given = {"loss": loss} | settings
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if given.get(name) is not None:
                raise ValueError(
                    f"{name} must be left out: this model minimises reconstruction_loss + beta * "
                    f"kl_loss and logs both, got {given[name]!r}"
                )
        super().compile(optimizer, **settings)

    def compile_from_config(self, config: dict) -> None:
        """Keras does this by itself for models that do not refuse anything in `compile`."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def log_likelihood(self, x, z):
        """log p(x | z) of each image under its code, in nats: shape (batch,)."""
        return self.likelihood(x, self.decoder(z))

    def fit(self, x=None, y=None, batch_size=None, epochs=1, **settings):
        """Train, as Keras's `fit` does; see the class for the loss.

        Args:
            x: images as `data.check_images` takes them, or a pipeline of batches, of which the
                first is checked: `tf.data`, `BinarisedBatches`, a generator of tuples such as (x,).
            y: what to reconstruct, where it is not x itself (clean images of noisy ones).
            settings: Keras's. `sample_weight` multiplies both terms of the loss, in the logs too.

        Raises:
            ValueError: images that `data.check_images` refuses, or a setting that has no meaning.
            FloatingPointError: the loss of an epoch is no longer finite.
        """
        strategy = getattr(self, "distribute_strategy", None)  # TensorFlow's
        replicas = getattr(strategy, "num_replicas_in_sync", 1)
        if replicas > 1:
            raise ValueError(f"the strategy must have one replica, got {replicas}")
        if settings.get("class_weight") is not None:
            raise ValueError(
                "class_weight must be left out, since a VAE has no classes to weigh: give "
                f"sample_weight, one number per image, got {settings['class_weight']!r}"
            )
        x, y, _ = self._prepare(x, y, settings.get("sample_weight"), batch_size)
        if settings.get("validation_data") is not None:
            held = settings["validation_data"]
            held = held if isinstance(held, tuple) else (held,)
            held = (*held, None, None, None)[:3]
            settings["validation_data"] = self._prepare(*held, None, "validation_data")
        callbacks = keras.tree.flatten(settings.get("callbacks") or [])
        settings["callbacks"] = [*callbacks, _Finite()]
        return super().fit(x, y, batch_size=batch_size, epochs=epochs, **settings)

    def evaluate(self, x=None, y=None, batch_size=None, **settings):
        """The mean losses of some images, as Keras's `evaluate`; x and y as in `fit`."""
        if not settings.get("_use_cached_eval_dataset"):  # during `fit`, which has looked at it
            x, y, _ = self._prepare(x, y, settings.get("sample_weight"), batch_size)
        return super().evaluate(x, y, batch_size=batch_size, **settings)

    def predict(self, x, batch_size=None, **settings):
        """z_mean, z_log_var, z and logits of some images; x as in `fit`."""
        x, *_ = self._prepare(x, None, None, batch_size)
        return super().predict(x, batch_size=batch_size, **settings)

    def _prepare(self, x, y, weight, batch_size, name: str = "x") -> tuple:
        """x, y and weight as Keras wants them, or an error in one sentence."""
        if batch_size is not None:
            check_size("batch_size", batch_size)
        if not isinstance(x, list | tuple) and not hasattr(x, "__array__"):
            first, x = first_batch(x, name)
            images, target, _ = keras.utils.unpack_x_y_sample_weight(first)
            self.check_input(images, f"batch 1 of {name}")
            if target is not None:
                self.check_target(target, f"y in batch 1 of {name}")
            return x, y, weight
        images = self.check_input(x, name)
        if y is not None and y is not x:
            y = self.check_target(y, "y")
        elif y is not None or weight is not None:  # without a y, Keras drops the weights
            y = images[0] if isinstance(images, tuple) else images
        return images, y, weight

    def check_target(self, y, name: str):
        """What to reconstruct, where it is not x, as an array that was checked."""
        return check_images(y, self.image_shape, name)

    def save(self, filepath, *args, **kwargs) -> None:
        """As Keras's, but for its old format, from which a model of ours cannot be loaded."""
        if Path(filepath).suffix != ".keras":
            raise ValueError(f"filepath must end in .keras, got {str(filepath)!r}")
        super().save(filepath, *args, **kwargs)

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Draw z from the prior and decode it: pixel probabilities, shape (count, *image_shape)."""
        z = np.random.default_rng(seed).standard_normal((count, self.latent_dim), dtype="float32")
        return self.decode(z)

    def decode(self, z) -> np.ndarray:
        """Pixel probabilities of the codes z of shape (n, latent_dim): (n, *image_shape)."""
        return ops.convert_to_numpy(ops.sigmoid(self.decoder(ops.convert_to_tensor(z))))

    def check_fit(self, encoder, decoder) -> tuple[tuple[int, ...], int]:
        """The shape of one image and the number of latents; a VAE of other data has its own."""
        for name, network in (("encoder", encoder), ("decoder", decoder)):
            if not getattr(network, "built", False) or not hasattr(network, "outputs"):
                raise ValueError(f"{name} must be a built Keras model, got {network!r}")
        codes = [output.shape for output in encoder.outputs]
        if len(codes) != 2 or codes[0] != codes[1] or len(codes[0]) != 2:
            raise ValueError(
                "encoder must have two outputs, z_mean and z_log_var, both of shape (batch, "
                f"latent_dim), got {codes}"
            )
        image_shape, latent_dim = encoder.inputs[0].shape[1:], codes[0][1]
        takes, gives = decoder.inputs[0].shape[1:], decoder.outputs[0].shape[1:]
        if takes != (latent_dim,):
            raise ValueError(
                f"decoder must take the encoder's {latent_dim} latents, got inputs of shape {takes}"
            )
        if gives != image_shape:
            raise ValueError(
                f"decoder must give images of the encoder's shape {image_shape}, got {gives}"
            )
        return image_shape, latent_dim

    def check_input(self, x, name: str = "x"):
        """One input as an array that was checked; a VAE of other data has its own."""
        return check_images(x, self.image_shape, name)

    def get_config(self) -> dict:
        networks = {"encoder": self.encoder, "decoder": self.decoder}
        others = {"beta": float(self.beta.numpy()), "free_nats": self.free_nats, "seed": self.seed}
        return super().get_config() | keras.saving.serialize_keras_object(networks) | others

    @classmethod
    def from_config(cls, config: dict) -> "VAE":
        return cls(**keras.saving.deserialize_keras_object(config))


def check_beta(beta: float) -> float:
    """Return a KL weight that makes sense, or raise a ValueError."""
    if not isinstance(beta, numbers.Real) or not (beta >= 0 and math.isfinite(beta)):
        raise ValueError(f"beta must be a finite number, 0 or more, got {beta!r}")
    return float(beta)


@keras.saving.register_keras_serializable(PACKAGE)
class ConditionalVAE(VAE):
    """A VAE of images given their label: encoder and decoder are both told the class.

    `fit((x, y))` maximises E[log p(x | z, y)] - beta * KL(q(z | x, y) || p(z)), and logs the three
    losses of `VAE`. Images and labels travel together as one input: `fit((x, y))`,
    `validation_data=((x_val, y_val),)`, `predict((x, y))`, `BinarisedBatches(x, ..., y=y)`.

    Args:
        encoder: [images, conditions] -> (z_mean, z_log_var); conditions are one-hot labels of
            shape (batch, classes), made from the integer labels inside this model.
        decoder: [z, conditions] -> logits of the pixels, in the shape of the images.
        beta, seed: as in `VAE`.

    Raises:
        ValueError: encoder and decoder do not fit each other; later, labels that do not fit.

    Source: Kingma et al. 2014 (arXiv 1406.5298), model M2; Sohn, Lee and Yan 2015.

    Example:
        >>> vae = ConditionalVAE(conditional_encoder(), conditional_decoder())  # compiled, then:
        >>> vae.fit((x_train, y_train), batch_size=100, epochs=10)
        >>> seven = vae.sample([7], seed=0)
    """

    def __init__(self, encoder, decoder, beta: float = 1.0, seed: int | None = None, **kwargs):
        shapes = [n.shape[1:] for m in (encoder, decoder) for n in m.inputs[1:]]
        if len(shapes) != 2 or len(shapes[0]) != 1 or shapes[0] != shapes[1]:
            raise ValueError(
                "encoder and decoder must each take a condition of shape (batch, classes) as "
                f"second input, got second inputs of shapes {shapes}"
            )
        super().__init__(encoder, decoder, beta, seed, **kwargs)
        self.classes = shapes[0][0]

    def call(self, inputs) -> dict:
        x, y = inputs
        condition = ops.one_hot(y, self.classes)
        return super().call([x, condition], condition)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x[0], y, y_pred, sample_weight, training)

    def sample(self, labels, seed: int) -> np.ndarray:
        """Draw one z for each label and decode it: pixel probabilities, (n, *image_shape)."""
        shape = (np.size(labels), self.latent_dim)
        z = np.random.default_rng(seed).standard_normal(shape, "float32")
        return self.decode(z, np.atleast_1d(labels))

    def decode(self, z, labels) -> np.ndarray:
        """Pixel probabilities of codes z, shape (n, latent_dim), given n labels."""
        labels = check_labels(labels, len(z), self.classes, "labels")
        condition = np.eye(self.classes, dtype="float32")[labels]
        logits = self.decoder([ops.convert_to_tensor(z), ops.convert_to_tensor(condition)])
        return ops.convert_to_numpy(ops.sigmoid(logits))

    def given(self, label: int) -> VAE:
        """The ordinary VAE of one class, p(x | y = label), which shares the weights of this model.

        All that works on a VAE works on it, such as `evaluate.elbo` on images of the class.
        """
        check_labels([label], 1, self.classes, "label")
        row = np.eye(self.classes, dtype="float32")[label]

        def fix(network):
            first = keras.Input(network.inputs[0].shape[1:])
            condition = ops.zeros_like(layers.Flatten()(first)[:, :1]) + row
            return keras.Model(first, network([first, condition]))

        return VAE(fix(self.encoder), fix(self.decoder), float(self.beta.numpy()), self.seed)

    def check_input(self, x, name: str = "x") -> tuple:
        if not isinstance(x, tuple | list) or len(x) != 2:
            raise ValueError(
                f"{name} must hold pairs of images and labels, as in fit((x, y)) or "
                f"validation_data=((x_val, y_val),), got {type(x).__name__}"
            )
        images = check_images(x[0], self.image_shape, f"the images in {name}")
        return images, check_labels(x[1], len(images), self.classes, f"the labels in {name}")


class _Finite(keras.callbacks.Callback):
    """Ends a training that has nothing more to learn from: its loss is NaN or infinite."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} after epoch {epoch + 1}: try a smaller learning rate, or "
                "gradient clipping (clipnorm=1.0 in the optimizer)"
            )


class BetaSchedule(keras.callbacks.Callback):
    """Set the VAE's beta at the start of every epoch.

    `val_loss` is weighed with its epoch's beta; restored weights bring back the beta of theirs.

    Args:
        schedule: epoch (0, 1, ...) -> beta, 0 or more.

    Raises:
        ValueError: the schedule is no function, or returns what is no finite number of 0 or more.

    Source: Bowman et al. 2016, section 3.1 (KL cost annealing).

    Example:
        >>> warm_up = BetaSchedule(lambda epoch: min(1.0, epoch / 10))
        >>> vae.fit(x_train, epochs=30, callbacks=[warm_up])
    """

    def __init__(self, schedule: Callable[[int], float]) -> None:
        super().__init__()
        if not callable(schedule):
            raise ValueError(f"schedule must be a function of the epoch, got {schedule!r}")
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.beta.assign(check_beta(self.schedule(epoch)))
