"""Fill a folder with all wheels that a room of laptops without a network needs.

    python classroom/wheels.py --to FOLDER --platform windows macos --python 3.12 3.13
    python classroom/wheels.py --to FOLDER --platform macos-intel --python 3.14 --short

It needs a network, uv (see classroom/requirements.txt), and no machine of those platforms. FOLDER
then holds one folder per platform, with setuptools, which builds the course's own package, and the
page how to install from it. --short takes the short list for Parts 4 and 5, without TensorFlow.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from chapters import ROOT, new_folder

FULL = ROOT / "requirements.txt"
SHORT = ROOT / "classroom" / "requirements-automl.txt"
PAGE = ROOT / "classroom" / "guide" / "laptops.md"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@dataclass(frozen=True)
class Platform:
    """A kind of machine, as uv calls it and as wheels are tagged for it."""

    machine: str
    uv: str
    tags: tuple[str, ...]
    tensorflow: bool = True


def _manylinux(machine: str) -> tuple[str, ...]:
    # pip takes a tag as it is: older ones, which run there too, have to be listed
    return (*(f"manylinux_2_{n}_{machine}" for n in range(28, 4, -1)), f"manylinux2014_{machine}")


PLATFORMS = {
    "windows": Platform("Windows", "x86_64-pc-windows-msvc", ("win_amd64",)),
    "macos": Platform("a Mac with an M chip", "aarch64-apple-darwin", ("macosx_13_0_arm64",)),
    "linux": Platform("Linux on x86", "x86_64-manylinux_2_28", _manylinux("x86_64")),
    "linux-arm": Platform("Linux on ARM", "aarch64-manylinux_2_28", _manylinux("aarch64")),
    "macos-intel": Platform(
        "a Mac with an Intel chip", "x86_64-apple-darwin", ("macosx_13_0_x86_64",), False
    ),
    "windows-arm": Platform(
        "Windows on ARM", "aarch64-pc-windows-msvc", ("win_arm64",), tensorflow=False
    ),
}

# What the pinned TensorFlow has wheels for: uv says so too, in its own words, when a pin moves on.
TENSORFLOW_PYTHONS = ("3.11", "3.12", "3.13")
SHORT_HAS_NONE = {("windows-arm", "3.11")}  # PyYAML, which Dask needs
INSTEAD = """Such a machine can
  - where only its Python is too new: get Python 3.13 beside it, which disturbs nothing;
  - show the reading site: it needs a browser, and its sliders live without Python;
  - run the whole course in a container (.devcontainer);
  - run Parts 4 and 5, which need no TensorFlow: the same command with --short."""


def check(platforms: Sequence[str], pythons: Sequence[str], short: bool) -> None:
    """Say before anything is fetched what there is no wheel for.

    Raises:
        ValueError: a platform or Python that is unknown, or for which a wheel is missing.
    """
    for name, given, known in (("platform", platforms, PLATFORMS), ("python", pythons, PYTHONS)):
        for value in given:
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    pairs = [(platform, python) for platform in platforms for python in pythons]
    for platform, python in pairs:
        where = f"{PLATFORMS[platform].machine} with Python {python}"
        if short and (platform, python) in SHORT_HAS_NONE:
            raise ValueError(f"python must be 3.12 or later for {where}: PyYAML has no wheel there")
        has_wheel = PLATFORMS[platform].tensorflow and python in TENSORFLOW_PYTHONS
        if not short and not has_wheel:
            raise ValueError(f"TensorFlow has no wheel for {where}.\n{INSTEAD}")


def wanted(short: bool) -> str:
    """The list as it stands, and what builds the course's own package, which is last in it."""
    lines = (SHORT if short else FULL).read_text(encoding="utf-8").splitlines()
    others = [line for line in lines if not line.startswith("-e ")]
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    return "\n".join([*others, *build["requires"]]) + "\n"


def resolve(text: str, platform: Platform, python: str) -> str:
    """All packages and versions, those that others need included, for one platform and Python.

    pip would ask the markers of the machine on which it runs, and leave out what only Windows
    needs; uv asks those of the machine for which it resolves.
    """
    command = "uv pip compile - --quiet --no-header --no-annotate --only-binary=:all:".split()
    target = [f"--python-platform={platform.uv}", f"--python-version={python}"]
    return _run([*command, *target], text)


def download(pins: str, platform: Platform, python: str, folder: Path) -> None:
    """Fetch the wheel of each pin into a folder; what is there already is not fetched again."""
    with tempfile.TemporaryDirectory() as place:
        listed = Path(place) / "pins.txt"
        listed.write_text(pins, encoding="utf-8")
        command = "pip download --quiet --no-deps --only-binary=:all: --implementation=cp".split()
        target = [f"--python-version={python}", *(f"--platform={tag}" for tag in platform.tags)]
        _run([*command, *target, f"--requirement={listed}", f"--dest={folder}"])


def _run(command: list[str], text: str = "") -> str:
    """What a module of this Python prints when it is run; where it fails, its message ends us."""
    run = subprocess.run(
        [sys.executable, "-m", *command], input=text, capture_output=True, text=True
    )
    if re.search(r"No module named '?uv\b", run.stderr):
        raise SystemExit("wheels.py needs uv: pip install -r classroom/requirements.txt")
    if run.returncode:
        what, why = " ".join(command[:3]), run.stderr[-2000:].strip()
        raise SystemExit(f"{what} failed (is there a network?):\n{why}")
    return run.stdout


def fill(folder: Path, platforms: Sequence[str], pythons: Sequence[str], short: bool) -> None:
    """One folder per platform, with the wheels for all Pythons named, and the page of how to."""
    for name in platforms:
        for python in pythons:
            pins = resolve(wanted(short), PLATFORMS[name], python)
            download(pins, PLATFORMS[name], python, folder / name)
        sizes = [wheel.stat().st_size for wheel in (folder / name).glob("*.whl")]
        print(f"{name}: {len(sizes)} wheels, {sum(sizes) / 1e6:.0f} MB", flush=True)
    shutil.copy(PAGE, folder)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", help="new, or empty")
    parser.add_argument("--platform", nargs="+", required=True, help=", ".join(PLATFORMS))
    parser.add_argument("--python", nargs="+", required=True, help=", ".join(PYTHONS))
    parser.add_argument("--short", action="store_true", help="only what Parts 4 and 5 need")
    given = parser.parse_args()
    try:
        check(given.platform, given.python, given.short)
        with new_folder(given.to) as folder:
            fill(folder, given.platform, given.python, given.short)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
