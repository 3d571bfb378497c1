"""The contestants of training.py that run on Keras's backends."""

from collections.abc import Callable

from helpers.elbo import bernoulli_log_likelihood, gaussian_kl
from helpers.vae import VAE, BinarisedBatches, dense_networks
import keras
import numpy as np
from training import EPOCHS

RATE = 1e-3
LAYERS = [weight.shape for part in dense_networks() for weight in part.trainable_weights[::2]]


def matrix_products(h, weights):
    """Those of one forward pass, and nothing else."""
    e1, e2, mean, log_var, d1, d2, d3 = weights
    h = h @ e1 @ e2
    return (h @ mean + h @ log_var) @ d1 @ d2 @ d3


def negative_elbo(encoder, decoder, x, noise):
    z_mean, z_log_var = encoder(x)
    z = z_mean + keras.ops.exp(0.5 * z_log_var) * noise
    nats = gaussian_kl(z_mean, z_log_var) - bernoulli_log_likelihood(x, decoder(z))
    return keras.ops.mean(nats)


class OnePassAdam(keras.optimizers.Adam):
    """Adam on TensorFlow in one pass over the memory: for dense gradients Keras's own steps.

    Keras's is a dozen operations, each a pass over all weights, unless XLA fuses them;
    TensorFlow's kernel is one.
    """

    def update_step(self, gradient, variable, learning_rate) -> None:
        import tensorflow as tf  # not at the top: on JAX it may be missing

        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.convert_to_tensor(gradient),
        )


def fit(x, size: int, adam=keras.optimizers.Adam, xla: bool = False, steps: int = 1) -> Callable:
    vae = VAE(*dense_networks())
    vae.supports_jit = True  # TensorFlow's default on a CPU is XLA off; here both take part
    vae.compile(adam(RATE), jit_compile=xla, steps_per_execution=steps)
    batch_size = size if isinstance(x, np.ndarray) else None
    return lambda: vae.fit(x, batch_size=batch_size, epochs=EPOCHS, verbose=0)


def of_tensorflow(x, size: int) -> dict[str, Callable]:
    import tensorflow as tf

    weights = [tf.random.normal(shape, stddev=0.01) for shape in LAYERS]
    first = tf.constant(x[:size])
    flat, steps = tf.reshape(first, (size, -1)), len(x) // size

    @tf.function
    def products(steps):
        total = 0.0
        for _ in tf.range(steps):
            # The total keeps a step from being folded into the one before.
            total = 0.0 * matrix_products(flat + total, weights)[0, 0]
        return total

    batches = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x))
    batches = batches.batch(size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def loop(adam=None, images=None) -> Callable:
        """The gradient, and Adam if asked for, of one batch again and again, or of a pipeline."""
        encoder, decoder = dense_networks()
        variables = encoder.trainable_variables + decoder.trainable_variables
        optimizer = adam(RATE) if adam else None
        if optimizer:
            optimizer.build(variables)

        @tf.function
        def step(batch):
            with tf.GradientTape() as tape:
                noise = tf.random.normal((tf.shape(batch)[0], 20))
                loss = negative_elbo(encoder, decoder, batch, noise)
            gradients = tape.gradient(loss, variables)
            if optimizer:
                optimizer.apply(gradients, variables)
                return loss
            return loss + 0.0 * tf.add_n(
                [gradient[(0,) * len(gradient.shape)] for gradient in gradients]
            )

        def run():
            for _ in range(EPOCHS):
                for batch in images or [first] * steps:
                    loss = step(batch)
            return float(loss)

        return run

    return {
        "matrix products": lambda: products(3 * EPOCHS * steps).numpy(),
        "gradient": loop(),
        "gradient, Adam": loop(keras.optimizers.Adam),
        "gradient, one-pass Adam": loop(OnePassAdam),
        "loop, one-pass Adam": loop(OnePassAdam, batches),
        "fit, array": fit(x, size),
        "fit, BinarisedBatches": fit(BinarisedBatches(x, size, 0), size),
        "fit, tf.data": fit(batches, size),
        "fit, tf.data, XLA": fit(batches, size, xla=True),
        "fit, tf.data, 5 steps a call": fit(batches, size, steps=5),
        "fit, tf.data, one-pass Adam": fit(batches, size, OnePassAdam),
        "fit, tf.data, both of these": fit(batches, size, OnePassAdam, steps=5),
    }


def of_jax(x, size: int) -> dict[str, Callable]:
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), len(LAYERS))
    weights = [0.01 * jax.random.normal(k, s) for k, s in zip(keys, LAYERS, strict=True)]
    images = jnp.asarray(x)
    flat, steps = images[:size].reshape(size, -1), len(x) // size

    @jax.jit
    def products(weights, flat):
        def step(total, _):
            return 0.0 * matrix_products(flat + total, weights)[0, 0], None

        return jax.lax.scan(step, 0.0, None, length=3 * EPOCHS * steps)[0]

    encoder, decoder = dense_networks()
    optimizer = keras.optimizers.Adam(RATE)
    variables = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(variables)
    inner = len(encoder.trainable_variables)

    def loss(trainable, batch, noise):
        parts = (encoder, trainable[:inner]), (decoder, trainable[inner:])
        calls = [lambda v, m=m, w=w: m.stateless_call(w, [], v)[0] for m, w in parts]
        return negative_elbo(*calls, batch, noise)

    @jax.jit
    def epoch(state, images, key):
        order, noise = jax.random.split(key)
        rows = jax.random.permutation(order, len(images))[: steps * size].reshape(steps, size)
        noise = jax.random.normal(noise, (steps, size, 20))

        def step(state, inputs):
            trainable, slots = state
            value, gradients = jax.value_and_grad(loss)(trainable, images[inputs[0]], inputs[1])
            return optimizer.stateless_apply(slots, gradients, trainable), value

        return jax.lax.scan(step, state, (rows, noise))

    state = [v.value for v in variables], [v.value for v in optimizer.variables]

    def loop():
        for seed in range(EPOCHS):
            losses = epoch(state, images, jax.random.key(seed))[1].block_until_ready()
        return losses

    return {
        "matrix products": lambda: products(weights, flat).block_until_ready(),
        "hand-written loop": loop,
        "fit, array": fit(x, size, xla=True),
        "fit, BinarisedBatches": fit(BinarisedBatches(x, size, 0), size, xla=True),
    }
