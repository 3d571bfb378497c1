"""The small package behind the notebooks of the VAE and AutoML course.

The desk (`runtime`, `data`, `figures`, `widgets`, `exercises`) serves every notebook; `elbo` holds
the mathematics of Part 1; three packages hold the rest: `vae` (Parts 2 and 3), `search` (Parts 4
and 5; it never imports Keras) and `table` (Part 6). Each package re-exports its public names:
`from helpers.vae import VAE`. What may import what is tested in tests/test_imports.py.
"""

__version__ = "2.0"  # a kept fit of our own estimators is found again under the same one
