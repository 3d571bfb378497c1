"""Explorers that are drawn ahead, so that a page without a kernel can show them.

In the kernel of a chapter, `take_over` puts `explore` of this module in the place of
`helpers.widgets.explore`. Instead of drawing when a slider moves, it draws at once at a grid of the
sliders' positions. A picture is shown for the position that it was drawn at, and for no other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import gc
import hashlib
import io
import itertools
import math
from pathlib import Path

from helpers import widgets
from helpers.figures import AltFigure, SteadyLayout
from IPython.display import display
import ipywidgets as w
import numpy as np
from PIL import Image

MIME = "application/vnd.course.explorer+json"  # what a drawn explorer leaves in the notebook
MOST_FRAMES, MOST_BYTES = 300, 2_000_000  # of one explorer
DPI = 120  # three pixels to two CSS pixels: sharp, and two thirds of the bytes of a static figure
COLOURS = 64


@dataclass
class Axis:
    """The positions of one control, in order, and those of them that are drawn."""

    label: str
    kind: str  # "range", "select", "radio" or "fixed"
    values: Sequence
    texts: Sequence[str]
    start: int
    stride: int = 1

    def positions(self) -> list[int]:
        """The start, every `stride`-th position from it both ways, and the two ends."""
        last = len(self.values) - 1
        return sorted({*range(self.start % self.stride, last + 1, self.stride), 0, last})


def axis(name: str, control: w.Widget) -> Axis:
    """What a control can be set to, from its traits.

    A control whose positions cannot be listed, such as a box to type in, is "fixed": it keeps the
    value that it has.
    """
    widgets._label(name, control)
    label = control.description
    if hasattr(control, "options"):  # SelectionSlider, Dropdown, ToggleButtons, RadioButtons
        texts = [str(text) for text in control._options_labels]
        kind = {"SelectionSliderModel": "range", "DropdownModel": "select", "SelectModel": "select"}
        kind = kind.get(control._model_name, "radio")
        return Axis(label, kind, list(control._options_values), texts, control.index)
    if isinstance(control.value, bool):
        return Axis(label, "radio", [False, True], ["no", "yes"], int(control.value))
    if hasattr(control, "step") and hasattr(control, "max") and np.isscalar(control.value):
        return _steps(label, control)
    return Axis(label, "fixed", [control.value], [str(control.value)], 0)


def _steps(label: str, control: w.Widget) -> Axis:
    """The stops of a slider with a lowest, a highest and a step."""
    stops = np.arange(control.min, control.max + control.step / 1e6, control.step)
    if hasattr(control, "base"):  # of a logarithmic slider, min, max and step are exponents
        stops = float(control.base) ** stops
    values = [type(control.value)(round(float(stop), 12)) for stop in stops]
    start = int(np.argmin([abs(value - control.value) for value in values]))
    if not math.isclose(values[start], control.value, rel_tol=1e-9, abs_tol=1e-9):
        raise ValueError(f"{label} must start at one of its own steps, got {control.value!r}")
    values[start] = control.value
    form = getattr(control, "readout_format", "g")
    return Axis(label, "range", values, [format(value, form) for value in values], start)


def thin(axes: Sequence[Axis], most: int) -> None:
    """Widen the strides until the grid has at most this many positions.

    Always the axis with the most positions gives way. Choices by name are kept whole.

    Raises:
        ValueError: even the coarsest grid, of starts, ends and names, has more.
    """
    while (count := math.prod(len(one.positions()) for one in axes)) > most:
        yielding = [one for one in axes if one.kind == "range" and one.stride < len(one.values)]
        if not yielding:
            raise ValueError(f"an explorer needs at least {count} pictures, got at most {most}")
        max(yielding, key=lambda one: len(one.positions())).stride += 1


@dataclass
class Sketchbook:
    """Draws the frames of one explorer into a folder, each position once."""

    render: Callable[..., AltFigure]
    names: Sequence[str]
    folder: Path

    def __post_init__(self) -> None:
        self.steady, self.size, self.bytes = SteadyLayout(), {}, {}
        self.drawn: dict[tuple, dict] = {}  # values of the controls -> file and alt text

    def frame(self, values: tuple) -> dict:
        """The file and the alt text at one setting. An error in `render` is what the page says."""
        if values not in self.drawn:
            try:
                self.drawn[values] = self._draw(values)
            except Exception as error:
                self.drawn[values] = {"file": None, "alt": f"{type(error).__name__}: {error}"}
        return self.drawn[values]

    def _draw(self, values: tuple) -> dict:
        figure = self.render(**dict(zip(self.names, values, strict=True)))
        self.size = self.size or figure.css_size()
        figure.set_dpi(DPI)
        full = Image.open(io.BytesIO(self.steady.png(figure))).convert("RGB")
        few = full.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        target = io.BytesIO()
        few.save(target, format="png", optimize=True)
        name = keep(target.getvalue(), self.folder)
        self.bytes[name] = len(target.getvalue())
        return {"file": name, "alt": figure.alt}

    def grid(self, axes: Sequence[Axis]) -> list[dict]:
        """The frames of all combinations of positions, the last control fastest."""
        settings = [[one.values[k] for k in one.positions()] for one in axes]
        return [self.frame(values) for values in itertools.product(*settings)]

    def weight(self, frames: Sequence[Mapping]) -> int:
        """The bytes of these frames; a picture that shows at two positions counts once."""
        return sum(self.bytes.get(name, 0) for name in {frame["file"] for frame in frames})


def keep(picture: bytes, folder: Path) -> str:
    """Write a PNG file under a name that is made from its bytes; return the name."""
    name = hashlib.sha256(picture).hexdigest()[:16] + ".png"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(picture)
    return name


def draw_ahead(
    render: Callable, controls: Mapping[str, w.Widget], folder: Path, most: int = MOST_FRAMES
) -> dict:
    """All that a page needs to show an explorer, of at most so many pictures.

    Returns:
        {"controls": [{"label", "kind", "texts", "start", "of"}], "frames": [{"file", "alt"}],
        "size": {"width", "height"}}: `texts` are the positions that are drawn, `start` the first
        to show, `of` how many positions the control has in the notebook.

    Raises:
        ValueError: no figure could be drawn at the start, or the choices by name are too many.
    """
    axes = [axis(name, control) for name, control in controls.items()]
    book = Sketchbook(render, list(controls), folder)
    first = book.frame(tuple(one.values[one.start] for one in axes))
    if first["file"] is None:
        raise ValueError(f"an explorer must show a picture at its start, got {first['alt']}")
    for end in (0, -1):  # a picture's size can change along the way
        book.frame(tuple(one.values[end] for one in axes))
    thin(axes, min(most, MOST_BYTES * len(book.bytes) // sum(book.bytes.values())))
    frames = book.grid(axes)
    while book.weight(frames) > MOST_BYTES:  # these three were small
        thin(axes, int(len(frames) * 0.95 * MOST_BYTES / book.weight(frames)))
        frames = book.grid(axes)
    shown = [
        {
            "label": one.label,
            "kind": one.kind,
            "texts": [one.texts[k] for k in one.positions()],
            "start": one.positions().index(one.start),
            "of": len(one.values),
        }
        for one in axes
    ]
    return {"controls": shown, "frames": frames, "size": book.size}


class DrawnExplorer:
    """Stands where the sliders would: its output is the description of what was drawn."""

    def __init__(self, description: dict) -> None:
        self.description = description

    def _ipython_display_(self) -> None:
        display({MIME: self.description, "text/plain": "an explorer, drawn ahead"}, raw=True)


def take_over(folder: str, most: int = MOST_FRAMES) -> None:
    """From now on `widgets.explore` draws ahead, at most so many pictures, into this folder."""

    def explore(render: Callable[..., AltFigure], **controls: w.Widget) -> DrawnExplorer:
        gc.freeze()  # what the chapter holds need not be searched again at each of these figures
        try:
            return DrawnExplorer(draw_ahead(render, controls, Path(folder), most))
        finally:
            gc.unfreeze()

    widgets.explore = explore
