"""The small package behind the notebooks of the VAE and AutoML course.

Imports run one way: widgets -> figures; table_build -> estimators, evaluate -> vae -> batches, elbo
-> data, runtime; and search -> strategies -> space. `caching`, `table` and `search` need no Keras.
"""
