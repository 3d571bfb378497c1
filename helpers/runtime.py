"""Where a notebook runs: seeds, the backend and its devices, quick or full budget.

Import this module before `keras`: it imports the backend quietly, so that TensorFlow's notes about
missing CUDA drivers do not end up in a saved notebook.
"""

from collections.abc import Iterator
import contextlib
import datetime
import importlib.metadata
import os
from pathlib import Path
import platform
import sys
import tempfile
from typing import TypeVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

T = TypeVar("T")


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


with _quiet_stderr():
    import keras

    _DEVICES = tuple(str(name) for name in keras.distribution.list_devices())


def has_gpu() -> bool:
    """Whether the Keras backend sees an accelerator."""
    return any(not name.lower().startswith("cpu") for name in _DEVICES)


def cpu_count() -> int:
    """CPU cores that this process may use (a container may allow fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device_name() -> str:
    """The make of the device that the Keras backend computes on, for a table of results."""
    if has_gpu() and keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    if has_gpu() and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(
            tf.config.list_physical_devices("GPU")[0]
        )
        return details.get("device_name", "GPU")
    if has_gpu():
        return _DEVICES[0]
    return f"{_cpu_model()}, {cpu_count()} core(s)"


def _cpu_model() -> str:
    """Linux says it best; elsewhere, and where it says nothing, the architecture has to do."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def circumstances(*packages: str) -> dict[str, str]:
    """What a recorded result must say beside its command: `versions`, `hardware` and `date`.

    Args:
        packages: installed ones whose versions matter too, such as "scikit-learn".
    """
    named = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    backend = f"Keras {keras.__version__} on {keras.backend.backend()}"
    return {
        "versions": ", ".join([f"Python {platform.python_version()}", backend, *named]),
        "hardware": f"{platform.machine()}, {device_name()}",
        "date": datetime.date.today().isoformat(),
    }


def budget_name() -> str:
    """`"quick"` or `"full"`: the variable COURSE_BUDGET, else full on a GPU and quick without.

    Raises:
        ValueError: COURSE_BUDGET holds something else.
    """
    name = os.environ.get("COURSE_BUDGET") or ("full" if has_gpu() else "quick")
    if name not in ("quick", "full"):
        raise ValueError(f"COURSE_BUDGET must be 'quick' or 'full', got {name!r}")
    return name


def budget(quick: T, full: T) -> T:
    """Choose between a value for a short run and one that reproduces a paper's numbers.

    Example:
        >>> epochs = budget(quick=10, full=200)
    """
    return quick if budget_name() == "quick" else full


def start(seed: int) -> None:
    """Seed Python, NumPy and the Keras backend, and print where the notebook runs.

    Args:
        seed: a whole number, 0 or more.

    Raises:
        ValueError: `seed` is not such a number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, got {seed!r}")
    keras.utils.set_random_seed(seed)
    device = f"{len(_DEVICES)} accelerator(s)" if has_gpu() else f"CPU, {cpu_count()} core(s)"
    print(
        f"Keras {keras.__version__} on {keras.backend.backend()} | {device} | "
        f"{budget_name()} budget | seed {seed}"
    )
