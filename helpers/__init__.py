"""The small package behind the notebooks of the VAE and AutoML course.

Imports run one way: widgets -> figures; exercises -> evaluate -> vae -> elbo, data -> runtime, and
search -> strategies -> space. `caching` needs nothing of the rest, and `search` no Keras.
"""
