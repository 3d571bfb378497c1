"""Recorded results: what takes too long for a notebook, computed once and kept with its making.

A record is `data/results/NAME.json`: what it holds (`what`, and the settings of its recipe),
`runs`, and `stamps`, the command, versions, hardware and date of the runs that carry their number.
A run keeps its stamp for good; whoever adds runs later adds a stamp. `data/recipes/recording.py`
writes records, notebooks read them with `load`.
"""

from collections.abc import Iterable, Mapping
import json
from pathlib import Path

from helpers import data

STAMP = ("command", "versions", "hardware", "date")


def load(name: str) -> dict:
    """Read a record; every run holds its own command, versions, hardware and date.

    Raises:
        FileNotFoundError: there is no such record.
        ValueError: the file is damaged.

    Example:
        >>> load("beta_sweep")["runs"][0]["rate"]
        32.84
    """
    record = read(data.DATA_DIR / "results" / f"{name}.json")
    return record | {"runs": [run | run["stamp"] for run in record["runs"]]}


def origin(runs: Iterable[Mapping]) -> str:
    """When, with what and on what some runs were recorded: a line for each different stamp."""
    stamps = dict.fromkeys(tuple(run[name] for name in STAMP) for run in runs)
    return "\n".join(
        f"recorded {date} with `{command}` on {hardware}: {versions}"
        for command, versions, hardware, date in stamps
    )


def read(path: Path) -> dict:
    """A record with the stamp itself in every run, in place of its number."""
    restore = f"Restore it with `git checkout -- data/results/{path.name}`, or make it again."
    content = data.read_file(path, restore)
    try:
        record = json.loads(content)
        stamps = record.pop("stamps")
        if not all(all(stamp[name] for name in STAMP) for stamp in stamps):
            raise ValueError(f"every stamp must hold {STAMP}")
        record["runs"] = [run | {"stamp": stamps[run["stamp"]]} for run in record["runs"]]
        return record
    except (ValueError, KeyError, IndexError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is damaged ({why}). {restore}") from error
