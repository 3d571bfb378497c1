"""Networks for the VAE's two halves: dense, convolutional, and told the class.

An encoder gives (z_mean, z_log_var), a decoder the logits of the pixels. Under a policy of mixed
precision they compute in half precision; what they give stays in float32.
"""

from collections.abc import Sequence
import math
import numbers

from helpers.runtime import keras
from keras import layers
import numpy as np

Ints = Sequence[int]  # sizes: a tuple, a list


def check_size(name: str, size, rule: str = "be a whole number") -> int:
    """A size as an `int`, or a ValueError: it is no whole number, of whatever type, or below 1."""
    is_number = isinstance(size, numbers.Real) and not isinstance(size, bool | np.bool_)
    if is_number and size >= 1 and size % 1 == 0:
        return int(size)
    got = f"an array of shape {size.shape}" if isinstance(size, np.ndarray) else repr(size)
    raise ValueError(f"{name} must {rule} of at least 1, got {got}")


def check_sizes(name: str, sizes) -> tuple[int, ...]:
    """The same for several; a single number is one size."""
    listed = sizes if isinstance(sizes, list | tuple | np.ndarray) else [sizes]
    return tuple(check_size(name, size, "hold whole numbers") for size in listed)


def dense_encoder(
    image_shape: Ints = (28, 28), hidden: Ints = (512, 256), latent_dim: int = 20, activation="relu"
) -> keras.Model:
    """The default encoder: image -> dense layers -> (z_mean, z_log_var).

    With the default decoder it does not collapse to the prior: 20 of 20 seeds trained well
    (data/results/default_vae_seeds.json). Every logit starts near 0, the worst honest guess, so
    that reading the code pays from the first step; with an output bias at the pixels' log-odds the
    decoder would start as a good model that ignores z.

    Args:
        image_shape: of one image; (784,) for flat vectors.
        hidden: widths of the hidden layers, from the image inwards.
        latent_dim: number of latents.
        activation: of the hidden layers, as Keras takes it; a list has one for each layer.

    Raises:
        ValueError: a size that is not a whole number of at least 1, or another number of
            activations than of hidden layers.
    """
    image_shape, hidden = check_sizes("image_shape", image_shape), check_sizes("hidden", hidden)
    x = keras.Input(image_shape, name="image")
    h = _dense_layers(layers.Flatten()(x), hidden, activation)
    return keras.Model(x, heads(h, latent_dim), name="encoder")


def dense_decoder(
    image_shape: Ints = (28, 28), hidden: Ints = (256, 512), latent_dim: int = 20, activation="relu"
) -> keras.Model:
    """The default decoder: z -> dense layers -> logits in the shape of the image.

    Args and errors as in `dense_encoder`; `hidden` runs from the latents outwards.
    """
    image_shape, hidden = check_sizes("image_shape", image_shape), check_sizes("hidden", hidden)
    z = keras.Input((check_size("latent_dim", latent_dim),), name="z")
    h = _dense_layers(z, hidden, activation)
    logits = layers.Dense(math.prod(image_shape), name="logits")(h)
    return keras.Model(z, layers.Reshape(image_shape, dtype="float32")(logits), name="decoder")


def dense_networks(
    image_shape: Ints = (28, 28), hidden: Ints = (512, 256), latent_dim: int = 20, activation="relu"
) -> tuple[keras.Model, keras.Model]:
    """A dense encoder and the decoder that mirrors it. Args and errors as in `dense_encoder`.

    Example:
        >>> vae = VAE(*dense_networks(hidden=(256, 128), latent_dim=2))
    """
    encoder = dense_encoder(image_shape, hidden, latent_dim, activation)
    hidden, activation = _mirrored(hidden, activation)
    return encoder, dense_decoder(image_shape, hidden, latent_dim, activation)


def _mirrored(hidden: Ints, activation) -> tuple:
    """Hidden layers and their activations in the order of a decoder."""
    is_list = isinstance(activation, list | tuple)
    return check_sizes("hidden", hidden)[::-1], activation[::-1] if is_list else activation


def heads(h, latent_dim: int) -> list:
    """The two outputs of an encoder: z_mean and z_log_var, of shape (batch, latent_dim)."""
    size, names = check_size("latent_dim", latent_dim), ("z_mean", "z_log_var")
    return [layers.Dense(size, name=name, dtype="float32")(h) for name in names]


def _dense_layers(h, hidden: Ints, activation):
    activations = activation if isinstance(activation, list | tuple) else [activation] * len(hidden)
    if len(activations) != len(hidden):
        raise ValueError(
            f"activation must be one for all {len(hidden)} hidden layers or a list with one for "
            f"each, got {activation!r}"
        )
    for width, function in zip(hidden, activations, strict=True):
        h = layers.Dense(width, activation=function)(h)
    return h


def conv_encoder(
    image_shape: Ints = (28, 28), filters: Ints = (16, 32), latent_dim: int = 20, activation="relu"
) -> keras.Model:
    """A convolutional encoder: image -> convolutions of stride 2 -> (z_mean, z_log_var).

    Every convolution halves height and width. The channel axis is added inside: images keep the
    shape (height, width) that the dense networks have.

    Args:
        image_shape: height and width, each divisible by 2 ** len(filters).
        filters: channels of the convolutions, from the image inwards.
        latent_dim, activation: as in `dense_encoder`, with one activation for all.

    Raises:
        ValueError: a size below 1, or an image that cannot be halved that often.
    """
    image_shape, filters = _halved(image_shape, filters)[:2]
    x = keras.Input(image_shape, name="image")
    h = layers.Reshape((*image_shape, 1))(x)
    for channels in filters:
        h = layers.Conv2D(channels, 3, strides=2, padding="same", activation=activation)(h)
    h = layers.Flatten()(h)
    return keras.Model(x, heads(h, latent_dim), name="encoder")


def conv_decoder(
    image_shape: Ints = (28, 28), filters: Ints = (32, 16), latent_dim: int = 20, activation="relu"
) -> keras.Model:
    """A convolutional decoder: z -> a small image of many channels -> doubled up to the logits.

    The transposed convolutions have stride 2 and a kernel of 4 x 4, a multiple of the stride: every
    pixel is reached by as many weights as its neighbours, and no checkerboard is built in.

    Args and errors as in `conv_encoder`; `filters` runs from the latents outwards.

    Source: Odena, Dumoulin and Olah 2016, Deconvolution and checkerboard artifacts.
    """
    image_shape, filters, (height, width) = _halved(image_shape, filters)
    z = keras.Input((check_size("latent_dim", latent_dim),), name="z")
    h = layers.Dense(height * width * filters[0], activation=activation)(z)
    h = layers.Reshape((height, width, filters[0]))(h)
    up = {"kernel_size": 4, "strides": 2, "padding": "same"}
    for channels in filters[1:]:
        h = layers.Conv2DTranspose(channels, activation=activation, **up)(h)
    logits = layers.Conv2DTranspose(1, name="logits", **up)(h)
    return keras.Model(z, layers.Reshape(image_shape, dtype="float32")(logits), name="decoder")


def _halved(image_shape, filters) -> tuple[tuple, tuple, tuple]:
    """Both as whole numbers, and height and width after one halving per filter, or an error."""
    image_shape, filters = check_sizes("image_shape", image_shape), check_sizes("filters", filters)
    if len(filters) == 0 or len(image_shape) != 2:
        raise ValueError(
            "filters must hold at least one number, and image_shape be (height, width), "
            f"got {filters} and {image_shape}"
        )
    factor = 2 ** len(filters)
    if any(size % factor for size in image_shape):
        raise ValueError(
            f"image_shape must be divisible by {factor} to be halved {len(filters)} times, "
            f"got {image_shape}"
        )
    return image_shape, filters, tuple(size // factor for size in image_shape)


def conditional_encoder(
    image_shape: Ints = (28, 28),
    classes: int = 10,
    hidden: Ints = (512, 256),
    latent_dim: int = 20,
    activation="relu",
) -> keras.Model:
    """A dense encoder that is told the class: [image, condition] -> (z_mean, z_log_var).

    The condition, of shape (batch, classes), is a one-hot label: it joins the pixels as so many
    more inputs. Other arguments and errors as in `dense_encoder`.
    """
    image_shape, classes = check_sizes("image_shape", image_shape), check_size("classes", classes)
    x = keras.Input(image_shape, name="image")
    condition = keras.Input((classes,), name="condition")
    joined = layers.Concatenate()([layers.Flatten()(x), condition])
    inner = dense_encoder((math.prod(image_shape) + classes,), hidden, latent_dim, activation)
    return keras.Model([x, condition], inner(joined), name="conditional_encoder")


def conditional_decoder(
    image_shape: Ints = (28, 28),
    classes: int = 10,
    hidden: Ints = (256, 512),
    latent_dim: int = 20,
    activation="relu",
) -> keras.Model:
    """A dense decoder that is told the class: [z, condition] -> logits in the image's shape.

    Args and errors as in `conditional_encoder`; `hidden` runs from the latents outwards.
    """
    classes, latent_dim = check_size("classes", classes), check_size("latent_dim", latent_dim)
    z, condition = keras.Input((latent_dim,), name="z"), keras.Input((classes,), name="condition")
    inner = dense_decoder(image_shape, hidden, latent_dim + classes, activation)
    logits = inner(layers.Concatenate()([z, condition]))
    return keras.Model([z, condition], logits, name="conditional_decoder")


def conditional_networks(
    image_shape: Ints = (28, 28),
    classes: int = 10,
    hidden: Ints = (512, 256),
    latent_dim: int = 20,
    activation="relu",
) -> tuple[keras.Model, keras.Model]:
    """A conditional encoder and the decoder that mirrors it. Args, errors: `conditional_encoder`.

    Example:
        >>> vae = ConditionalVAE(*conditional_networks(hidden=(256,), latent_dim=2))
    """
    encoder = conditional_encoder(image_shape, classes, hidden, latent_dim, activation)
    hidden, activation = _mirrored(hidden, activation)
    return encoder, conditional_decoder(image_shape, classes, hidden, latent_dim, activation)
