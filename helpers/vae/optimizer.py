"""Adam whose whole update of a variable is one operation, on TensorFlow too."""

from helpers.runtime import keras
from helpers.vae.models import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam in one pass over the memory: for dense gradients the same steps, to rounding.

    On TensorFlow without XLA, Keras's own reads and writes each weight and its two moments about
    ten times a step; TensorFlow's kernel does it once. tests/benchmarks/training.py measures what
    that is worth. XLA, and so JAX, fuses by itself: there, and with `amsgrad`, which the kernel
    lacks, this is Keras's Adam.

    Source: Kingma and Ba 2015, algorithm 1, in the form at the end of its section 2.

    Example:
        >>> vae.compile(FusedAdam(1e-3))
    """

    def update_step(self, gradient, variable, learning_rate) -> None:
        """One step of `variable` against `gradient`, both of one shape, in place."""
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            return super().update_step(gradient, variable, learning_rate)
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
