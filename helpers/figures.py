"""Matplotlib figures that carry their alt text into the notebook.

A figure made here shows itself as the last line of a cell, as one picture whose description is
stored beside it, for readers who listen. Titles state the finding, since not every viewer shows
alt text to those who see.
"""

from collections.abc import Mapping, Sequence
import io

from matplotlib.figure import Figure
import numpy as np

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
DPI = 80


class AltFigure(Figure):
    """A figure with alt text. Set `fig.alt` to say what is to be seen; without it nothing shows."""

    alt: str = ""

    def png(self) -> bytes:
        """The figure as a PNG file."""
        target = io.BytesIO()
        self.savefig(target, format="png", dpi=DPI)
        return target.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        if not self.alt.strip():
            raise ValueError("alt must describe the figure for readers who cannot see it, got ''")
        return {"image/png": self.png(), "text/plain": self.alt}, {"image/png": {"alt": self.alt}}


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
        rows, columns: of axes.
        alt: what is to be seen; it can be set later, as `fig.alt`, when the numbers are known.
        width, height: inches.
        kwargs: for `Figure.subplots`, such as `sharey=True`.

    Returns:
        (figure, axes), as pyplot does. The figure is not registered with pyplot: nothing shows it
        but the cell that ends with it, and nothing needs to close it.
    """
    fig = AltFigure(figsize=(width, height), layout="constrained")
    fig.alt = alt
    axes = fig.subplots(rows, columns, **kwargs)
    for ax in np.ravel(axes):
        ax.set_prop_cycle(
            color=[PALETTE[name] for name in ("blue", "orange", "green", "red", "purple")]
        )
        ax.spines[["top", "right"]].set_visible(False)
    return fig, axes


def image_rows(
    rows: Mapping[str, np.ndarray], *, alt: str, title: str = "", scale: float = 0.6
) -> AltFigure:
    """Rows of images under each other, each with its name: originals over reconstructions, say.

    Args:
        rows: name -> images in [0, 1], shape (n, height, width); all rows as long as the first.
        alt: what is to be seen.
        title: the finding.
        scale: inches per image.

    Raises:
        ValueError: there is no row, or they differ in length.
    """
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1:
        raise ValueError(f"rows must all hold the same number of images, got {sorted(lengths)}")
    columns = lengths.pop()
    fig, axes = subplots(
        len(rows),
        columns,
        alt=alt,
        squeeze=False,
        width=scale * columns + 1.2,
        height=scale * len(rows) + (0.4 if title else 0.1),
    )
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    fig.suptitle(title)
    return fig


def learning_curves(history: Mapping[str, Sequence[float]], *, alt: str, title: str) -> AltFigure:
    """Loss and its two parts against epochs, in nats per image, training beside validation.

    Args:
        history: `vae.fit(...).history`.
        alt: what is to be seen.
        title: the finding.
    """
    fig, axes = subplots(1, 3, alt=alt, width=9)
    for ax, name in zip(axes, ("loss", "reconstruction_loss", "kl_loss"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        ax.plot(epochs, history[name], label="training")
        if f"val_{name}" in history:
            ax.plot(epochs, history[f"val_{name}"], "--", label="validation")
        ax.set(xlabel="epoch", ylabel=f"{name} (nats/image)")
    axes[0].legend(frameon=False)
    fig.suptitle(title)
    return fig
