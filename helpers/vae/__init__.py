"""Variational autoencoders in Keras: models, networks, batches, and what a trained one is worth.

`evaluate` (nats and latents), `flows`, `samples` (their quality) and `text` (strings) are modules:
`evaluate.elbo(vae, x)`.
"""

from helpers.vae import evaluate, flows, samples, text
from helpers.vae.batches import BinarisedBatches
from helpers.vae.estimator import VAETransformer
from helpers.vae.models import VAE, BetaSchedule, ConditionalVAE, Sampling
from helpers.vae.networks import (
    conditional_decoder,
    conditional_encoder,
    conditional_networks,
    conv_decoder,
    conv_encoder,
    dense_decoder,
    dense_encoder,
    dense_networks,
)
from helpers.vae.weights import load_trained

__all__ = [
    "VAE",
    "BetaSchedule",
    "BinarisedBatches",
    "ConditionalVAE",
    "Sampling",
    "VAETransformer",
    "conditional_decoder",
    "conditional_encoder",
    "conditional_networks",
    "conv_decoder",
    "conv_encoder",
    "dense_decoder",
    "dense_encoder",
    "dense_networks",
    "evaluate",
    "flows",
    "load_trained",
    "samples",
    "text",
]
