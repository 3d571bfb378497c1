"""Where a notebook runs: seeds, the backend and its devices, quick or full budget.

Keras takes seconds to import, so only who uses it imports it: `from helpers.runtime import keras`.
This is quiet, so that TensorFlow's notes about missing CUDA drivers do not end up in a notebook.
"""

from collections.abc import Iterator
import contextlib
import logging
import numbers
import os
import platform
import random
import sys
import tempfile

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# One model after another, as in a search or a second *Run All*, is no loop that traces by mistake.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back file descriptor 2 (C++ writes there, past `sys.stderr`); show it after an error."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def __getattr__(name: str):
    """`runtime.keras`: the module, imported when it is asked for (PEP 562)."""
    if name != "keras":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _quiet_stderr():
        import keras

        keras.distribution.list_devices()  # the backend looks for drivers now, and is quiet
    return globals().setdefault(name, keras)


def _keras():
    return sys.modules[__name__].keras


def devices() -> tuple[str, ...]:
    """What the Keras backend can compute on, in its own words, such as "cpu:0"."""
    return tuple(str(name) for name in _keras().distribution.list_devices())


def has_gpu() -> bool:
    """Whether the Keras backend sees an accelerator."""
    return any(not name.lower().startswith("cpu") for name in devices())


def cpu_count() -> int:
    """CPU cores that this process may use (a container may allow fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _on_gpu() -> bool:
    return "keras" in sys.modules and has_gpu()  # a GPU counts for who uses it


def budget_name() -> str:
    """`"quick"` or `"full"`: the variable COURSE_BUDGET, else full where Keras sees a GPU.

    Raises:
        ValueError: COURSE_BUDGET holds something else.
    """
    name = os.environ.get("COURSE_BUDGET") or ("full" if _on_gpu() else "quick")
    if name not in ("quick", "full"):
        raise ValueError(f"COURSE_BUDGET must be 'quick' or 'full', got {name!r}")
    return name


def budget(quick, full):
    """Choose between a value for a short run and one that reproduces a paper's numbers.

    Example:
        >>> epochs = budget(quick=10, full=200)
    """
    return quick if budget_name() == "quick" else full


def start(seed: int) -> None:
    """Seed Python, NumPy and, if it was imported, Keras, and print where the notebook runs.

    Raises:
        ValueError: the seed is no whole number of 0 or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")
    seed, engine = int(seed), f"Python {platform.python_version()}"
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (scikit-learn's default)
    if "keras" in sys.modules:
        with _quiet_stderr():  # seeds TensorFlow too, where it is installed: imports it
            _keras().utils.set_random_seed(seed)
        engine = f"Keras {_keras().__version__} on {_keras().backend.backend()}"
    device = f"{len(devices())} accelerator(s)" if _on_gpu() else f"CPU, {cpu_count()} core(s)"
    print(f"{engine} | {device} | {budget_name()} budget | seed {seed}")
