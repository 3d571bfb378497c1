"""Who may import whom: one room per part, one address per name, no circle."""

import ast
from collections.abc import Iterator
import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ROOT / "helpers"
DESK = ("runtime", "data", "figures", "widgets", "records", "compare", "exercises")
PARTS = ("elbo", "vae", "search", "table")
# who -> what it must never import; the rest of a name counts too: "vae" stands for "vae.models"
FORBIDDEN = {
    **dict.fromkeys(DESK, PARTS),
    "elbo": ("vae", "search", "table", "exercises"),
    "vae": ("search", "table", "exercises"),
    "search": ("vae", "table", "elbo", "exercises", "keras", "tensorflow", "jax", "torch"),
    "table": ("search", "exercises"),
    "table.lookup": ("vae", "elbo", "keras", "tensorflow", "jax", "torch"),
}
# A check may ask the part that it checks, when a reader calls it.
EXEMPT = "exercises.chapter_"


def name_of(path: Path) -> str:
    """Of a module, without "helpers.": "vae.models", or "vae" for a package itself."""
    parts = path.relative_to(HELPERS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(HELPERS.rglob("*.py"))}


def imports(tree: ast.AST, package: str = "helpers") -> Iterator[str]:
    """Everything a piece of code imports, wherever in it: helpers by their names alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole module"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("helpers.") for name in names)


def modules_in(names: Iterator[str]) -> set[str]:
    """The helpers' modules among some imported names: "vae.VAE" means the package "vae"."""
    found = set()
    for name in names:
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        found.add(name)
    return found - {""}


def is_part_of(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def violations(name: str, source: str) -> list[str]:
    if name.startswith(EXEMPT):
        return []
    forbidden = {no for room in FORBIDDEN if is_part_of(name, room) for no in FORBIDDEN[room]}
    # The runtime alone brings Keras in, and what it brings is Keras all the same.
    loaded = {"keras" if item == "runtime.keras" else item for item in imports(ast.parse(source))}
    return sorted(item for item in loaded if any(is_part_of(item, room) for room in forbidden))


@pytest.mark.parametrize("name", MODULES)
def test_no_forbidden_import(name):
    assert violations(name, MODULES[name].read_text()) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("data", "from helpers.vae import BinarisedBatches"),
        ("runtime", "def f():\n    from helpers import search"),
        ("exercises", "from helpers.elbo import gaussian_kl"),
        ("search.space", "from helpers.runtime import keras"),
        ("search.cv", "import keras"),
        ("vae.models", "from helpers.table.lookup import ArchitectureTable"),
        ("table.lookup", "import jax.numpy"),
        ("table.strings", "from helpers.exercises import check"),
    ],
)
def test_a_planted_import_is_found(name, source):
    assert violations(name, source)


def test_modules_do_not_import_each_other():
    arrows = {
        name: modules_in(imports(ast.parse(path.read_text()))) - {name}
        for name, path in MODULES.items()
    }
    for name in arrows:
        reached, new = set(), set(arrows[name])
        while new:
            reached |= new
            new = {further for one in new for further in arrows[one]} - reached
        # A package's own front door lists its modules, and is entered on the way to any of them.
        assert name not in reached, f"{name} imports itself by way of {sorted(reached)}"


def test_every_public_name_has_one_address():
    addresses: dict[int, list[str]] = {}
    for part in PARTS[1:]:
        package = importlib.import_module(f"helpers.{part}")
        assert package.__all__ == sorted(
            package.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n)
        )
        for name in package.__all__:
            addresses.setdefault(id(getattr(package, name)), []).append(f"{part}.{name}")
    assert [names for names in addresses.values() if len(names) > 1] == []


def sources() -> Iterator[tuple[str, str]]:
    """All code of notebooks and recipes, which use the public names only."""
    for path in sorted((ROOT / "data" / "recipes").glob("*.py")):
        yield path.name, path.read_text()
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield path.name, "".join(cell["source"])


def test_notebooks_and_recipes_use_public_names():
    wrong = []
    for where, source in sources():
        for name in imports(ast.parse(source)):
            part, _, rest = name.partition(".")
            if part in PARTS[1:] and rest:
                public = importlib.import_module(f"helpers.{part}").__all__
                if rest.partition(".")[0] not in public:
                    wrong.append((where, name))
    assert wrong == []


def test_nothing_imports_a_notebook():
    code = [path.read_text() for path in MODULES.values()]
    assert not any(
        name.partition(".")[0] in ("nbimporter", "import_ipynb", "notebooks_")
        for source in code
        for name in imports(ast.parse(source))
    )
