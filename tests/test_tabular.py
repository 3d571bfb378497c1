"""The tables of `data.load`: what README says of them, no leak among the columns, damage named."""

import csv
import hashlib
import re
import shutil

from helpers import data
import pytest

SHAPES = {
    "strikes": ((4000, 10), 1105, {"no": 3562, "yes": 438}),
    "penguins": ((333, 11), 17, {"male": 168, "female": 165}),
    "election": ((944, 9), 0, {"Clinton": 551, "Dole": 393}),
    "health": ((4000, 17), 870, {"yes": 2774, "no": 1226}),
    "weather": ((2920, 7), 0, {"sun": 1466, "rain": 1086, "fog": 139, "snow": 119, "drizzle": 110}),
    "temperature": ((2920, 7), 0, None),
}


@pytest.mark.parametrize("name", data.TABLES)
def test_a_table_is_what_the_readme_says(name):
    table = data.load(name)
    shape, missing, classes = SHAPES[name]
    assert table.name == name and table.X.shape == shape and len(table.y) == shape[0]
    assert table.X.isna().sum().sum() == missing and not table.y.isna().any()
    assert not {table.y.name, *table.leaks} & set(table.X) and len(table.leaks) == shape[0]
    assert {kind.kind for kind in table.X.dtypes} <= set("ifbO")  # O is pandas's own text
    if classes is None:
        assert table.task == "regression" and table.y.dtype == "float64"
    else:
        assert table.task == "classification" and table.y.value_counts().to_dict() == classes
    if table.time is not None:
        assert table.time.is_monotonic_increasing and len(table.time) == shape[0]
    readme = (data.DATA_DIR / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{name}`.*$", readme, re.MULTILINE)[0]
    file = "weather" if name == "temperature" else name
    content = (data.DATA_DIR / "tabular" / f"{file}.csv").read_bytes().replace(b"\r\n", b"\n")
    assert f"{shape[0]:,} × {shape[1]}" in row and hashlib.sha256(content).hexdigest() in row


def test_each_call_gives_a_fresh_table():
    X = data.load("penguins").X
    X["island"] = "moved"
    assert data.load("penguins").X["island"].nunique() == 3


def test_the_next_day_is_the_next_day():
    weather, temperature = data.load("weather"), data.load("temperature")
    assert weather.time.equals(temperature.time) and weather.X.equals(temperature.X)
    seattle = weather.X["city"] == "Seattle"
    today = weather.X.loc[seattle, "weather"].to_numpy()
    assert (weather.y[seattle].to_numpy()[:-1] == today[1:]).all()
    assert (weather.leaks["next_temp_max"] == temperature.y).all()


def test_a_damaged_or_missing_file_says_how_to_get_it_back(tmp_path, monkeypatch):
    shutil.copytree(data.DATA_DIR / "tabular", tmp_path / "tabular")
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    path = tmp_path / "tabular" / "penguins.csv"
    content = path.read_bytes().replace(b"\r\n", b"\n")
    path.write_bytes(content.replace(b"\n", b"\r\n"))  # as git writes it on Windows
    assert data.load("penguins").X.shape == (333, 11)
    path.write_bytes(content.replace(b"male", b"mole", 1))
    with pytest.raises(ValueError, match=r"damaged.*git checkout"):
        data.load("penguins")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"missing.*git checkout"):
        data.load("penguins")


def test_text_stays_in_its_column():
    with open(data.DATA_DIR / "tabular" / "strikes.csv", newline="") as file:
        first = next(csv.DictReader(file))
    row = data.load("strikes").X.iloc[0]
    assert row["airport"] == first["airport"] and row["speed"] == float(first["speed"])
