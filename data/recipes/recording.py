"""The loop behind every recorded result: read, skip what is done, run, stamp each run, save whole.

`helpers.records` says what a record is, and reads one.
"""

from collections.abc import Callable, Sequence
import datetime
import importlib.metadata
import json
import os
from pathlib import Path
import platform
import sys
from typing import NoReturn

from helpers import data, records, runtime
from joblib import Parallel, delayed


class Record:
    """A record that a recipe makes, and goes on making where it was stopped.

    Args:
        name: of the record; its file is `data/results/NAME.json`.
        what: its contents in words: data, networks, units.
        command: that makes it.
        packages: installed ones whose versions matter, beside Python's and Keras's.
        settings: whatever else decides the results. With other settings, or another `what`, than
            those in the file, its runs are those of another plan.

    Attributes:
        runs: what the record holds, a list of dicts.

    Raises:
        ValueError: the file is damaged, or was made by another plan. Nothing is overwritten.

    Example:
        >>> record = Record("beta_sweep", "rate and distortion", command="python sweep.py")
        >>> record.complete([{"beta": beta, "seed": 0} for beta in (1, 2)], train)
    """

    def __init__(
        self, name: str, what: str, *, command: str, packages: Sequence[str] = (), **settings
    ) -> None:
        self.path = data.DATA_DIR / "results" / f"{name}.json"
        self.command, self.packages = command, packages
        self.about = _plain({"what": what} | settings)
        self._refresh()

    def _refresh(self) -> None:
        """Take over what is in the file, where another process may have put a run meanwhile."""
        kept = records.read(self.path) if self.path.exists() else {"runs": []}
        self.runs = kept.pop("runs")
        for name in (self.about | kept) if self.runs else ():
            if kept.get(name) != self.about.get(name):
                self._refuse(f"{name} is {kept.get(name)!r}, not {self.about.get(name)!r}")

    def complete(self, plan: Sequence[dict], run: Callable[..., dict], jobs: int = 1) -> None:
        """Do what is in the plan and not in the record; save after each.

        Args:
            plan: the keys of the runs, dicts with the same names.
            run: called with a key, `run(**key)`; gives the results that are kept beside it.
            jobs: processes.

        Raises:
            ValueError: the record holds a run with a key of this kind that is not in the plan.
        """
        names, planned = plan[0].keys(), [_text(key) for key in plan]
        done = {
            _text({name: one[name] for name in names}) for one in self.runs if names <= one.keys()
        }
        if other := done.difference(planned):
            self._refuse(f"it holds {min(other)}")
        missing = [key for key, text in zip(plan, planned, strict=True) if text not in done]
        results = Parallel(jobs, return_as="generator")(delayed(run)(**key) for key in missing)
        for key, result in zip(missing, results, strict=True):
            self.put(key, result)
            print(f"{self.path.stem}: {_text(key)} done, {len(self.runs)} runs", flush=True)

    def put(self, key: dict, result: dict) -> None:
        """Keep one run, in place of an earlier one with the same key, stamped now; save."""
        self._refresh()
        stamp = {"command": self.command} | circumstances(*self.packages)
        key, run = _plain(key), _plain(key | result | {"stamp": stamp})
        same = [place for place, one in enumerate(self.runs) if key.items() <= one.items()]
        place = same[0] if same else len(self.runs)
        self.runs[place : place + 1] = [run]
        self._save()

    def _save(self) -> None:
        """Write to another name first: a kill, or a full disk, leaves the old file whole."""
        stamps = list({_text(run["stamp"]): run["stamp"] for run in self.runs}.values())
        head = json.dumps(self.about | {"stamps": stamps}, indent=1, ensure_ascii=False)
        runs = [run | {"stamp": stamps.index(run["stamp"])} for run in self.runs]
        rows = ",\n".join("  " + json.dumps(run, ensure_ascii=False) for run in runs)
        new = self.path.with_name(self.path.name + ".new")
        new.write_text(f'{head[:-2]},\n "runs": [\n{rows}\n ]\n}}\n', encoding="utf-8")
        os.replace(new, self.path)

    def _refuse(self, why: str) -> NoReturn:
        raise ValueError(
            f"{self.path} was made by another plan: {why}. Nothing was changed; move the file away "
            "to start anew."
        )


def circumstances(*packages: str) -> dict[str, str]:
    """What a recorded result must say beside its command: `versions`, `hardware` and `date`.

    Versions are Python's, Keras's and its backend's where they are in use, and those of the
    installed `packages`, such as "scikit-learn".
    """
    version = importlib.metadata.version
    named = [f"{package} {version(package)}" for package in packages]
    if "keras" in sys.modules:
        backend = runtime.keras.backend.backend()
        named.insert(0, f"Keras {runtime.keras.__version__} on {backend} {version(backend)}")
    return {
        "versions": ", ".join([f"Python {platform.python_version()}", *named]),
        "hardware": f"{platform.machine()}, {device_name()}",
        "date": datetime.date.today().isoformat(),
    }


def device_name() -> str:
    """The make of the device that computes, for a table of results; without Keras, the CPU."""
    if not ("keras" in sys.modules and runtime.has_gpu()):
        return f"{_cpu_model()}, {runtime.cpu_count()} core(s)"
    backend = runtime.keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.devices()[0].device_kind
    if backend == "tensorflow":
        import tensorflow as tf

        gpu = tf.config.list_physical_devices("GPU")[0]
        return tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
    return runtime.devices()[0]


def _cpu_model() -> str:
    """Linux says it best; elsewhere, and where it says nothing, the architecture has to do."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _plain(value: dict) -> dict:
    return json.loads(json.dumps(value))  # what a file gives back: tuples have become lists


def _text(key: dict) -> str:
    return json.dumps(key, sort_keys=True, ensure_ascii=False)
