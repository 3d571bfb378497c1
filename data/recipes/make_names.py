"""How data/names.csv was made: the first names of the 1990 US Census, split once and for all.

    pip download names==0.3.0 --no-deps
    python data/recipes/make_names.py names-0.3.0.tar.gz

The census files list 4,275 names of women and 1,219 of men, 5,163 different ones. In an order drawn
once with seed 0, 500 go to test, 500 to validation and the rest to training. The split is stored in
the file, so that no later version of NumPy can move a name from one part to another.
"""

import csv
import io
from pathlib import Path
import sys
import tarfile

import numpy as np

HELD_OUT = {"test": 500, "val": 500}


def read_percent(archive: tarfile.TarFile, sex: str) -> dict[str, str]:
    """Name -> the percentage of people of that sex who bear it, as the census file spells it."""
    member = archive.extractfile(f"names-0.3.0/names/dist.{sex}.first")
    lines = io.TextIOWrapper(member, encoding="ascii")
    return {name.lower(): percent for name, percent, *_ in map(str.split, lines)}


def rows(female: dict[str, str], male: dict[str, str]) -> list[tuple[str, str, str, str]]:
    names = sorted(female | male)
    assert all(name.isascii() and name.isalpha() for name in names)
    parts = [part for part, count in HELD_OUT.items() for _ in range(count)]
    parts += ["train"] * (len(names) - len(parts))
    order = np.random.default_rng(0).permutation(len(names))
    drawn = zip((names[index] for index in order), parts, strict=True)
    return [(name, part, female.get(name, ""), male.get(name, "")) for name, part in drawn]


if __name__ == "__main__":
    with tarfile.open(sys.argv[1]) as archive:
        table = rows(*(read_percent(archive, sex) for sex in ("female", "male")))
    target = Path(__file__).parent.parent / "names.csv"
    with target.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "part", "female_percent", "male_percent"))
        writer.writerows(table)
    print(target.name, len(table), "names", target.stat().st_size, "bytes")
