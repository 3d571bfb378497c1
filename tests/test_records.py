"""Recorded results: the files that ship, and the loop that makes them."""

import datetime
import errno
import json
from pathlib import Path
import platform
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

from helpers import data, records, runtime
import pytest
import recording
from recording import Record, circumstances, device_name

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"\| `results/(\w+)\.json` \| `(.+?)` \| .+? \| ([\d, ]+|–) \|")
TABLE = ROW.findall((ROOT / "data" / "README.md").read_text(encoding="utf-8"))
KEPT = sorted((ROOT / "data" / "results").iterdir())

each_record = pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
each_row = pytest.mark.parametrize(("name", "command", "chapters"), TABLE, ids=lambda cell: cell)


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


CODE = {path.name[:2]: code_of(path) for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}


def test_folder_and_table_agree():
    assert [f"{name}.json" for name, *_ in TABLE] == [path.name for path in KEPT]


@each_row
def test_its_command_runs_a_program_that_writes_it(name, command, chapters):
    program = re.search(r"data/recipes/\w+\.py", command).group()
    assert f'"{name}"' in (ROOT / program).read_text(encoding="utf-8")
    assert all(program in run["command"] for run in records.load(name)["runs"])


@each_row
def test_the_chapters_of_its_row_are_those_that_read_it(name, command, chapters):
    readers = [number for number in sorted(CODE) if f'records.load("{name}")' in CODE[number]]
    assert ([] if chapters == "–" else chapters.split(", ")) == readers


@each_record
def test_every_run_says_how_it_was_made(path):
    record = records.load(path.stem)
    assert record["runs"] and record["what"]
    for run in record["runs"]:
        assert all(isinstance(run[part], str) and run[part] for part in records.STAMP), run
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", run["date"])


@each_record
def test_the_file_is_as_the_loop_writes_it(path, tmp_path):
    kept = records.load(path.stem)
    about = {name: value for name, value in kept.items() if name != "runs"}
    again = Record(path.stem, command="", **about)
    again.path = tmp_path / path.name
    again._save()
    assert again.path.read_bytes() == path.read_bytes()


# The loop, on a folder of its own.


@pytest.fixture
def here(tmp_path, monkeypatch) -> SimpleNamespace:
    """The file of a record, and the circumstances of its next run, which a test may change."""
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    now = {"versions": "Python 1", "hardware": "an abacus", "date": "2001-01-01"}
    monkeypatch.setattr(recording, "circumstances", lambda *packages: dict(now))
    return SimpleNamespace(file=tmp_path / "results" / "powers.json", now=now)


def test_a_stamp_says_where_a_run_was_made():
    said = circumstances("pytest")
    assert said.keys() == {"versions", "hardware", "date"}
    assert device_name() in said["hardware"]
    assert datetime.date.fromisoformat(said["date"]) <= datetime.date.today()
    plain = circumstances()["versions"]
    assert plain.startswith(f"Python {platform.python_version()}")
    assert said["versions"] == f"{plain}, pytest {pytest.__version__}"
    assert ("keras" in sys.modules) == (", Keras " in plain)


def test_the_device_is_named(monkeypatch):
    device, cores = device_name(), f", {runtime.cpu_count()} core(s)"
    assert device.endswith(cores) or ("keras" in sys.modules and runtime.has_gpu())
    monkeypatch.setattr(recording, "Path", lambda name: Path("there is no such file"))
    assert recording._cpu_model() == (platform.processor() or platform.machine())


def square(seed: int) -> dict:
    return {"value": seed**2}


def never(**key):
    raise AssertionError(f"{key} was done before")


def record_powers(seeds, run=square, what="powers of seeds", **settings) -> None:
    settings = {"power": 2, "bases": ("seed",)} | settings
    record = Record("powers", what, command="python powers.py", **settings)
    record.complete([{"seed": seed} for seed in seeds], run)


def test_old_runs_keep_their_stamp_when_runs_are_added(here):
    record_powers(range(2))
    here.now |= {"versions": "Python 2", "date": "2002-02-02"}
    record_powers(range(4))
    runs = records.load("powers")["runs"]
    assert [run["value"] for run in runs] == [0, 1, 4, 9]
    assert [run["date"] for run in runs] == 2 * ["2001-01-01"] + 2 * ["2002-02-02"]
    assert [run["versions"] for run in runs] == 2 * ["Python 1"] + 2 * ["Python 2"]
    assert len(json.loads(here.file.read_text())["stamps"]) == 2
    assert records.origin(runs).splitlines() == [
        "recorded 2001-01-01 with `python powers.py` on an abacus: Python 1",
        "recorded 2002-02-02 with `python powers.py` on an abacus: Python 2",
    ]


def test_a_run_that_is_made_anew_takes_its_old_place_and_a_new_stamp(here):
    record_powers(range(3))
    here.now |= {"date": "2002-02-02"}
    record = Record(
        "powers", "powers of seeds", command="python powers.py", power=2, bases=["seed"]
    )
    record.put({"seed": 1}, {"value": -1})
    runs = records.load("powers")["runs"]
    assert [(run["seed"], run["value"]) for run in runs] == [(0, 0), (1, -1), (2, 4)]
    assert [run["date"] for run in runs] == ["2001-01-01", "2002-02-02", "2001-01-01"]


def test_a_finished_record_is_left_alone(here):
    record_powers(range(3))
    whole = here.file.read_bytes()
    here.now |= {"date": "2002-02-02"}
    record_powers(range(3), run=never)
    assert here.file.read_bytes() == whole


def test_keys_of_two_kinds_share_a_record(here):
    record = Record("powers", "two kinds", command="python powers.py")
    for _ in range(2):
        record.complete([{"seed": seed} for seed in range(2)], square)
        record.complete([{"table": t, "best": b} for t in "ab" for b in (True, False)], dict)
    assert len(records.load("powers")["runs"]) == 2 + 4


@pytest.mark.parametrize(
    ("seeds", "other", "why"),
    [
        (range(3), {"power": 3}, "power is 2, not 3"),
        (range(3), {"what": "roots of seeds"}, "what is 'powers of seeds', not 'roots of seeds'"),
        (range(3), {"folds": 5}, "folds is None, not 5"),
        (range(2), {}, 'it holds {"seed": 2}'),
    ],
    ids=["setting", "what", "new setting", "run"],
)
def test_a_record_of_another_plan_is_refused(here, seeds, other, why):
    record_powers(range(3))
    whole = here.file.read_bytes()
    with pytest.raises(ValueError, match="made by another plan") as caught:
        record_powers(seeds, run=never, **other)
    assert why in str(caught.value) and "Nothing was changed" in str(caught.value)
    assert here.file.read_bytes() == whole


DAMAGES = {
    "cut off": lambda text: text[:-40],
    "empty": lambda text: "",
    "no runs": lambda text: text.replace('"runs"', '"walks"'),
    "a stamp that is not there": lambda text: text.replace('"stamp": 0', '"stamp": 7'),
    "a stamp without a date": lambda text: text.replace('"date"', '"day"'),
    "a stamp with an empty date": lambda text: text.replace("2001-01-01", ""),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_record_is_refused(here, damage):
    record_powers(range(3))
    damaged = damage(here.file.read_text())
    here.file.write_text(damaged)
    for read in (lambda: records.load("powers"), lambda: record_powers(range(4), run=never)):
        with pytest.raises(ValueError, match=r"powers\.json is damaged .*git checkout"):
            read()
    assert here.file.read_text() == damaged


def test_a_missing_record_is_named(here):
    with pytest.raises(FileNotFoundError, match=r"powers\.json is missing"):
        records.load("powers")


def test_a_result_that_json_cannot_hold_leaves_the_file_whole(here):
    record_powers(range(2))
    whole = here.file.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        record_powers(range(3), run=lambda seed: {"value": object()})
    assert here.file.read_bytes() == whole
    record_powers(range(3))
    assert len(records.load("powers")["runs"]) == 3


def test_a_full_disk_leaves_the_file_whole(here, monkeypatch):
    record_powers(range(2))
    whole, write = here.file.read_bytes(), Path.write_text

    def write_half(path, text, **options):
        write(path, text[: len(text) // 2], **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", write_half)
        with pytest.raises(OSError, match="No space left"):
            record_powers(range(3))
    assert here.file.read_bytes() == whole
    record_powers(range(3))
    assert len(records.load("powers")["runs"]) == 3


KILLED = """
import os, pathlib, signal, sys
from helpers import data
import recording
from recording import Record, circumstances
data.DATA_DIR, when = pathlib.Path(sys.argv[1]), sys.argv[2]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def square(seed):
    if seed == 2:
        if when == "in a run":
            die()
        os.replace = die  # with the new file beside the old one
    return {"value": seed**2}

record = Record("powers", "powers of seeds", command="python powers.py",
                        power=2, bases=["seed"])
record.complete([{"seed": seed} for seed in range(4)], square)
"""


@pytest.mark.parametrize("when", ["in a run", "in a save"])
def test_a_killed_recording_goes_on(here, tmp_path, when):
    recipes = ROOT / "data" / "recipes"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, when], cwd=recipes, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    before = records.load("powers")["runs"]
    assert [run["seed"] for run in before] == [0, 1]

    done = []
    record_powers(range(4), run=lambda seed: done.append(seed) or square(seed))
    runs = records.load("powers")["runs"]
    assert done == [2, 3] and runs[:2] == before
    assert [run["value"] for run in runs] == [0, 1, 4, 9]
    assert {run["date"] for run in runs[2:]} == {"2001-01-01"} != {run["date"] for run in before}
