"""Matplotlib figures that carry their description into the notebook.

The last line of a cell shows one: a picture with twice the pixels of its size on the screen, and
under it a folded line that says what is to be seen. Titles state the finding.
"""

from collections.abc import Mapping, Sequence
import html
import io

from helpers.data import check_images
from IPython.display import HTML, display
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
import numpy as np
from PIL import Image

# Okabe and Ito 2008: told apart with every common kind of colour vision.
PALETTE = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "red": "#D55E00",
    "purple": "#CC79A7",
}
CYCLE = ("blue", "orange", "green", "red", "purple")  # of the lines of one axis
DPI = 160  # dots per inch: two to each CSS pixel of the page
SHADES = [8 * (part // 8) for part in range(256)]  # 32 of red, green and blue each
EDGE = range(-5, 5)  # the outermost pixels, within the margin that a layout leaves empty


class AltFigure(Figure):
    """A figure with alt text. Set `fig.alt` to say what is to be seen; without it nothing shows."""

    alt: str = ""

    def css_size(self) -> dict[str, int]:
        """Width and height on the page, in CSS pixels."""
        return {"width": round(self.bbox.width / 2), "height": round(self.bbox.height / 2)}

    def pixels(self, canvas: FigureCanvasAgg | None = None) -> np.ndarray:
        """The figure as it is drawn: red, green, blue and opacity, shape (height, width, 4)."""
        canvas = canvas or FigureCanvasAgg(self)
        canvas.figure = self
        self.set_canvas(canvas)
        with rc_context({"text.hinting": "none"}):  # it costs time, and is for coarse screens
            canvas.draw()
        return np.asarray(canvas.buffer_rgba())

    def png(self) -> bytes:
        """The figure as a PNG file."""
        return png(self.pixels(), optimize=True)

    def _ipython_display_(self) -> None:
        if not self.alt.strip():
            raise ValueError("alt must describe the figure for readers who cannot see it, got ''")
        bundle = {"image/png": self.png(), "text/plain": self.alt}  # VS Code reads the text aloud
        display(bundle, metadata={"image/png": {"alt": self.alt, **self.css_size()}}, raw=True)
        text = html.escape(self.alt)
        display(HTML(f"<details><summary>What the figure shows</summary>{text}</details>"))


def png(pixels: np.ndarray, **options) -> bytes:
    """A PNG file that is small, since it has few colours. `options` are Pillow's.

    Of all colours of one shade the most frequent is kept, and of these the 256 most frequent: lines
    and areas keep theirs. (Median cut would paint thin orange and red lines the same brown.)
    """
    full, target = Image.fromarray(pixels).convert("RGB"), io.BytesIO()
    shaded, kept = full.point(SHADES * 3), {}
    for _, colour in sorted(full.getcolors(2**15) or shaded.getcolors(2**15)):
        shade = tuple(SHADES[part] for part in colour)
        kept.pop(shade, None)  # a less frequent colour
        kept[shade] = colour
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.ravel(list(kept)[-256:]).tolist())
    picture = shaded.quantize(palette=palette, dither=Image.Dither.NONE)
    picture.putpalette(np.ravel(list(kept.values())[-256:]).tolist())
    picture.save(target, format="png", **options)
    return target.getvalue()


class SteadyLayout(ConstrainedLayoutEngine):
    """Lays out a first figure, and gives its places to the axes and titles of those that follow.

    A slider then moves the data and nothing else, and half of the time of a drawing is saved.
    """

    _places: Sequence = ()
    _canvas: FigureCanvasAgg | None = None  # one for all figures: it knows the sizes of texts

    def execute(self, fig: Figure) -> None:
        """Place the axes; Matplotlib calls this whenever it draws the figure."""
        titles = [ax.title for ax in fig.axes]
        titles += [text for text in fig.texts if getattr(text, "_autopos", False)]
        if len(self._places) != len(fig.axes) + len(titles):
            super().execute(fig)
            self._places = [ax.get_position(original=True) for ax in fig.axes]
            self._places += [title.get_position() for title in titles]
        for artist, place in zip([*fig.axes, *titles], self._places, strict=True):
            artist.set_position(place)
            artist.set_in_layout(True)  # as it was: axes with a given position leave it
        for ax in fig.axes:
            ax._autotitlepos = False  # Matplotlib would look for the title's place again

    def png(self, figure: AltFigure) -> bytes:
        """The figure as a PNG file. It is laid out anew if a label would be cut off."""
        figure.set_layout_engine(self)
        self._canvas = self._canvas or FigureCanvasAgg(figure)
        pixels = figure.pixels(self._canvas)
        if any((strip != pixels[0, 0]).any() for strip in (pixels[EDGE], pixels[:, EDGE])):
            self._places = ()
            pixels = figure.pixels(self._canvas)
        return png(pixels)


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    alt: str = "",
    width: float = 7,
    height: float = 3.2,
    **kwargs,
):
    """Like `matplotlib.pyplot.subplots`, for a figure that carries alt text.

    Args:
        rows, columns: of axes; width, height: of the figure, in inches.
        alt: what is to be seen; it can be set later, as `fig.alt`, when the numbers are known.
        kwargs: for `Figure.subplots`, such as `sharey=True`.

    Returns:
        (figure, axes). Unlike pyplot's, nothing shows it but the cell that ends with it, and
        nothing needs to close it.
    """
    fig = AltFigure(figsize=(width, height), dpi=DPI, layout="constrained")
    fig.alt = alt
    axes = fig.subplots(rows, columns, **kwargs)
    for ax in np.ravel(axes):
        ax.set_prop_cycle(color=[PALETTE[name] for name in CYCLE])
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def grey(images, name: str) -> np.ndarray:
    """Pixels in [0, 1] as they are drawn: (n, height, width), without an axis of one channel.

    Raises:
        ValueError: another shape, NaN, or a pixel out of range, which would be cut off in silence.
    """
    images = check_images(images, name=name)
    images = images[..., 0] if images.ndim == 4 and images.shape[-1] == 1 else images
    if images.ndim != 3:
        raise ValueError(f"{name} must be of shape (n, height, width), got {images.shape}")
    return images


def image_rows(
    rows: Mapping[str, np.ndarray], *, alt: str, title: str = "", scale: float = 0.6
) -> AltFigure:
    """Rows of images under each other, each with its name: originals over reconstructions, say.

    Args:
        rows: name -> images, as `grey` takes them; all rows as long as the first.
        alt, title, scale: what is to be seen, the finding, and inches per image.

    Raises:
        ValueError: there is no row, they differ in length, or an image is none.
    """
    if not isinstance(rows, Mapping):
        raise ValueError(f"rows must be a dict, name -> images, got {type(rows).__name__}")
    rows = {name: grey(images, f"rows[{name!r}]") for name, images in rows.items()}
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1:
        raise ValueError(f"rows must all hold the same number of images, got {sorted(lengths)}")
    columns = lengths.pop()
    size = {"width": scale * columns + 1.2, "height": scale * len(rows) + (0.4 if title else 0.1)}
    fig, axes = subplots(len(rows), columns, alt=alt, squeeze=False, **size)
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    fig.suptitle(title)
    return fig
