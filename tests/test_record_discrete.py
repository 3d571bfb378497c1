"""The recipe of the discrete codes: the encoder learns, and the code's bits are those of a code."""

import itertools

import jax
from jax import numpy as jnp
import keras
import numpy as np
import pytest
import record_discrete as recipe
from scipy.special import logsumexp


def test_straight_through_gives_the_word_and_its_gradient_goes_to_the_encoder_alone():
    z, words = jax.random.normal(jax.random.key(0), (2, 3, 4)), jnp.ones((3, 4))
    weights = jnp.arange(12.0).reshape(3, 4)

    def read(z, words):
        return jnp.sum(weights * recipe.straight_through(z, words) ** 2)

    assert np.allclose(recipe.straight_through(z[0], words), words)
    to_encoder, to_words = jax.grad(read, argnums=(0, 1))(z[0], words)
    assert np.allclose(to_encoder, 2 * weights * words) and not np.any(to_words)


def test_the_nearest_word_is_the_nearest():
    z = jax.random.normal(jax.random.key(1), (9, 4))
    codebook = jax.random.normal(jax.random.key(2), (5, 4))
    distances = np.linalg.norm(np.asarray(z)[:, None] - np.asarray(codebook), axis=-1)
    assert np.array_equal(recipe.nearest(z, codebook), distances.argmin(axis=1))


def test_the_probabilities_of_all_sentences_sum_to_one():
    keras.utils.set_random_seed(0)
    prior = recipe.build_prior(3, 4)
    prior.set_weights([5 * value for value in prior.get_weights()])  # far from uniform
    sentences = np.array(list(itertools.product(range(4), repeat=3)), dtype="int32")
    log_p = -recipe.sentence_nats(prior, sentences)
    assert log_p.std() > 0.5 and abs(logsumexp(log_p)) < 1e-4


def test_no_word_of_a_sentence_is_told_to_the_prior_before_it_is_asked():
    prior = recipe.build_prior(3, 4)

    def logits(*sentence):
        return prior.predict(np.array([sentence], dtype="int32"), verbose=0)[0]

    assert np.allclose(logits(1, 2, 3), logits(1, 2, 0), atol=1e-6)  # the last is never read
    told, changed = logits(1, 2, 3), logits(3, 2, 3)
    assert np.allclose(told[0], changed[0], atol=1e-6)
    assert np.abs(told[1:] - changed[1:]).max(axis=1).min() > 1e-3


def test_frequencies_are_of_words_in_their_place_and_sum_to_one():
    shares = recipe.frequencies(np.array([[0, 1], [0, 2], [0, 1]]), vocabulary=3)
    assert shares == pytest.approx(np.array([[3.5, 0.5, 0.5], [0.5, 2.5, 1.5]]) / 4.5)


def test_perplexity_counts_words_that_are_used_equally_often():
    assert recipe.perplexity([5, 5, 0, 5]) == pytest.approx(3)
    assert recipe.perplexity([2, 1, 1]) == pytest.approx(2**1.5)
