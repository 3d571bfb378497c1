"""The small package behind the notebooks of the VAE and AutoML course.

Imports run one way: widgets, exercises -> figures -> vae, evaluate -> elbo, data, runtime.
"""
