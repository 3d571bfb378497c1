"""How data/tabular was made: five real tables with mixed columns, out of packages that ship them.

    pip download --no-deps palmerpenguins==0.1.6 statsmodels==0.15.0
    npm pack vega-datasets@3.2.1
    python data/recipes/make_tabular.py FOLDER    # where these three files are

tables.json says of each name what `helpers.data.load` must know: file, target, task, the column of
time, the leaks (columns that are known only once the target is), and the sums of the file. A large
table is a random sample, drawn with seed 0.
"""

import hashlib
import io
import json
from pathlib import Path
import sys
import tarfile
import zipfile

import numpy as np
import pandas as pd

TARGET = Path(__file__).parent.parent / "tabular"
ROWS = 4000  # at most

PARTIES = (
    "strong Democrat",
    "weak Democrat",
    "independent Democrat",
    "independent",
    "independent Republican",
    "weak Republican",
    "strong Republican",
)
SCHOOLS = (
    "grades 1 to 8",
    "some high school",
    "high school",
    "some college",
    "college degree",
    "master's degree",
    "PhD",
)


def sample(frame: pd.DataFrame) -> pd.DataFrame:
    """ROWS rows drawn with seed 0, in the order of the table."""
    if len(frame) <= ROWS:
        return frame
    chosen = np.random.default_rng(0).choice(len(frame), ROWS, replace=False)
    return frame.iloc[np.sort(chosen)]


def strikes(raw: pd.DataFrame) -> pd.DataFrame:
    """Did an animal that was struck damage the aircraft? Reports to the FAA, 1990 to 2002."""
    names = {
        "Flight Date": "date",
        "Airport Name": "airport",
        "Origin State": "state",
        "Aircraft Make Model": "aircraft",
        "Aircraft Airline Operator": "operator",
        "Phase of flight": "phase",
        "Time of day": "daylight",
        "Wildlife Size": "size",
        "Wildlife Species": "species",
        "Speed IAS in knots": "speed",
        "Cost Total $": "cost",
    }
    frame = raw[list(names)].rename(columns=names)
    frame.insert(1, "month", pd.to_datetime(frame["date"]).dt.month)
    damage = raw["Effect Amount of damage"].notna()
    frame["damage"] = np.where(damage, "yes", "no")
    return sample(frame.sort_values("date", kind="stable"))


def penguins(raw: pd.DataFrame) -> pd.DataFrame:
    """Female or male? Penguins of three species on three islands; the 11 of unknown sex are out."""
    raw = raw[raw["Sex"].notna()]
    egg = pd.to_datetime(raw["Date Egg"])
    return pd.DataFrame(
        {
            "species": raw["Species"].str.split().str[0],
            "island": raw["Island"],
            "season": "20" + raw["studyName"].str[3:5],
            "full_clutch": raw["Clutch Completion"] == "Yes",
            "egg_day": (egg - pd.to_datetime(egg.dt.year.astype(str) + "-11-01")).dt.days + 1,
            "bill_length": raw["Culmen Length (mm)"],
            "bill_depth": raw["Culmen Depth (mm)"],
            "flipper_length": raw["Flipper Length (mm)"].astype("Int64"),
            "body_mass": raw["Body Mass (g)"].astype("Int64"),
            "delta_15n": raw["Delta 15 N (o/oo)"],
            "delta_13c": raw["Delta 13 C (o/oo)"],
            "sex": raw["Sex"].str.lower(),
        }
    ).assign(season=lambda frame: "s" + frame["season"])


def election(raw: pd.DataFrame) -> pd.DataFrame:
    """Clinton or Dole? Voters of 1996; from 1, extremely liberal, to 7, extremely conservative."""
    return pd.DataFrame(
        {
            "population": raw["popul"],  # of the place, in thousands
            "tv_news": raw["TVnews"],  # days a week
            "own_view": raw["selfLR"],
            "view_of_clinton": raw["ClinLR"],
            "view_of_dole": raw["DoleLR"],
            "party": np.take(PARTIES, raw["PID"]),
            "age": raw["age"],
            "education": np.take(SCHOOLS, raw["educ"] - 1),
            "income": raw["income"],  # 24 classes, in order
            "vote": np.where(raw["vote"] == 1, "Dole", "Clinton"),
        }
    )


def health(raw: pd.DataFrame) -> pd.DataFrame:
    """Any visit to a doctor in the first year? Persons insured by lot; sums in dollars."""
    raw = raw[raw["year"] == 1]
    words = {"hlthg": "good", "hlthf": "fair", "hlthp": "poor"}
    chosen = raw[[*words]].to_numpy() @ np.arange(1, 4)  # none of them: 0
    frame = pd.DataFrame(
        {
            "site": "site " + raw["site"].astype(str),
            "plan": "plan " + raw["plan"].astype(str),
            "coinsurance": raw["coins"],  # per cent
            "deductible": raw["mdeoff"],
            "incentive": raw["pioff"],
            "took_physical": raw["tookphys"] == 1,
            "income": raw["income"].round(),
            "age": raw["xage"].round(1),
            "is_female": raw["female"] == 1,
            "is_child": raw["child"] == 1,
            "schooling": raw["educdec"],  # years, of who decides
            "family_size": raw["num"],
            "mental_health": raw["mhi"].round(1),
            "diseases": raw["disea"].round(2),  # an index of chronic ones
            "limitation": raw["physlm"].round(3),
            "health_index": raw["ghindx"],
            "rating": np.take(("excellent", *words.values()), chosen),
            "outpatient_dollars": raw["outpdol"].round(2),
            "drug_dollars": raw["drugdol"].round(2),
            "visit": np.where(raw["mdvis"] > 0, "yes", "no"),
        }
    )
    return sample(frame)


def weather(raw: pd.DataFrame) -> pd.DataFrame:
    """What comes the next day? 2012 to 2015, by day: mm, degrees Celsius, metres per second."""
    frame = raw.sort_values(["date", "location"], kind="stable").rename(
        columns={"location": "city"}
    )
    date = pd.to_datetime(frame["date"])
    frame.insert(2, "day_of_year", date.dt.day_of_year)
    following = frame.groupby("city")
    for name in ("precipitation", "temp_max", "weather"):
        frame[f"next_{name}"] = following[name].shift(-1)
    return frame.dropna()[["date", *frame.columns.drop("date")]]


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables as the packages have them."""
    (penguin_file,) = folder.glob("palmerpenguins-0.1.6-*.whl")
    (model_file,) = folder.glob("statsmodels-0.15.0-*.whl")
    with zipfile.ZipFile(penguin_file) as archive:
        birds = archive.read("palmerpenguins/data/penguins-raw.csv")
    with zipfile.ZipFile(model_file) as archive:
        survey = archive.read("statsmodels/datasets/anes96/anes96.csv")
        insured = archive.read("statsmodels/datasets/randhie/src/randhie.csv")
    with tarfile.open(folder / "vega-datasets-3.2.1.tgz") as archive:
        reports = archive.extractfile("package/data/birdstrikes.csv").read()
        days = archive.extractfile("package/data/weather.csv").read()
    return {
        "strikes": strikes(pd.read_csv(io.BytesIO(reports))),
        "penguins": penguins(pd.read_csv(io.BytesIO(birds))),
        "election": election(
            pd.read_csv(io.BytesIO(survey), sep="\t").rename(columns=lambda name: name.strip("'"))
        ),
        "health": health(pd.read_csv(io.BytesIO(insured))),
        "weather": weather(pd.read_csv(io.BytesIO(days))),
    }


MONEY = ["outpatient_dollars", "drug_dollars"]
TABLES = {  # name: file, target, task, time, leaks
    "strikes": ("strikes", "damage", "classification", "date", ["cost"]),
    "penguins": ("penguins", "sex", "classification", None, []),
    "election": ("election", "vote", "classification", None, []),
    "health": ("health", "visit", "classification", None, MONEY),
    "weather": (
        *("weather", "next_weather", "classification", "date"),
        ["next_precipitation", "next_temp_max"],
    ),
    "temperature": (
        *("weather", "next_temp_max", "regression", "date"),
        ["next_precipitation", "next_weather"],
    ),
}

if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    sums = {}
    for name, frame in read(Path(sys.argv[1])).items():
        content = frame.to_csv(index=False, lineterminator="\n").encode("ascii")
        (TARGET / f"{name}.csv").write_bytes(content)
        windows = content.replace(b"\n", b"\r\n")  # as git may write it there
        sums[name] = [hashlib.sha256(one).hexdigest() for one in (content, windows)]
        missing = int(frame.isna().sum().sum())
        print(f"{name}.csv {frame.shape} missing {missing}, {len(content):,} bytes {sums[name][0]}")
    about = {
        name: {"file": file, "target": target, "task": task, "time": time, "leaks": leaks}
        | {"sums": sums[file]}
        for name, (file, target, task, time, leaks) in TABLES.items()
    }
    (TARGET / "tables.json").write_text(json.dumps(about, indent=1) + "\n")
