"""The helpers on their second backend: the same test notebooks, with KERAS_BACKEND=jax."""

import os

import pytest


@pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") == "jax", reason="this whole run is on JAX already"
)
def test_helper_notebooks_pass_on_jax(jax_run):  # started by conftest.py
    report = jax_run.communicate()[0]
    assert jax_run.returncode == 0, report[-5000:]
