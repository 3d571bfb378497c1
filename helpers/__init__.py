"""The small package behind the notebooks of the VAE and AutoML course.

Imports run one way: estimators, table_build -> evaluate -> vae -> batches, elbo -> data, runtime;
architecture_vae -> text -> vae; search -> strategies -> space; widgets -> figures. `caching`,
`table` and `search` need no Keras.
"""
