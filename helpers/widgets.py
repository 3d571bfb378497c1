"""Explorers for the notebooks: a pure render function, and the ipywidgets shell around it.

`explore` draws in the kernel whatever its sliders say. `picture_grid` shows ready pictures, tied to
its sliders in the browser: it answers faster, and also works in a saved page without a kernel.
"""

from collections.abc import Callable, Mapping, Sequence
import html
import io

from helpers.figures import AltFigure
import ipywidgets as w
import numpy as np
from PIL import Image


def png(image: np.ndarray) -> bytes:
    """A grey image in [0, 1], shape (height, width), dark where it is 1, as a small PNG file."""
    pixels = np.round(255 * (1 - np.clip(image, 0, 1))).astype("uint8")
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, format="png", optimize=True)
    return target.getvalue()


def explore(render: Callable[..., AltFigure], **controls: w.Widget) -> w.VBox:
    """Sliders over a figure that the kernel draws again at every move.

    Args:
        render: a pure function of the controls' values, which returns a figure with alt text.
        controls: one widget with a `value` for each argument of `render`, by name.

    Returns:
        A box of the controls, the picture, and the alt text as its caption. (The picture's own
        `tooltip` would be the place for it, but with one, JupyterLab cannot show an Image of
        ipywidgets 8.1.9 at all.)

    Example:
        >>> explore(show_q, mean=w.FloatSlider(0, min=-3, max=3), log_sd=w.FloatSlider(0))
    """
    picture, caption = w.Image(format="png"), w.HTML()

    def draw(_change=None) -> None:
        figure = render(**{name: control.value for name, control in controls.items()})
        picture.value, caption.value = figure.png(), f"<small>{html.escape(figure.alt)}</small>"

    for control in controls.values():
        control.observe(draw, names="value")
    draw()
    return w.VBox([*controls.values(), picture, caption])


def picture_grid(
    pictures: Sequence, sliders: Mapping[str, Sequence[float | str]], size: int = 240
) -> w.VBox:
    """Sliders over ready pictures, one for each combination of slider positions.

    Args:
        pictures: PNG files as bytes, nested like the sliders: pictures[i] for one slider,
            pictures[i][j] for two, and so on.
        sliders: name -> the values that its positions stand for; a text is shown as it is.
        size: width of the picture on the screen, in CSS pixels.

    Returns:
        A box of one slider per name and the picture. All links run in the browser.

    Raises:
        ValueError: the pictures are not nested as the sliders say.
    """
    shared = w.Layout(width=f"{size}px", height=f"{size}px", object_fit="contain")
    controls = {
        name: w.SelectionSlider(
            options=[
                (value if isinstance(value, str) else f"{value:+.1f}", index)
                for index, value in enumerate(values)
            ],
            value=len(values) // 2,
            index=len(values) // 2,
            description=name,
        )
        for name, values in sliders.items()
    }

    def nest(level: Sequence | bytes, names: list[str]) -> w.Widget:
        if not names:
            return w.Image(value=level, format="png", layout=shared)
        if len(level) != len(sliders[names[0]]):
            raise ValueError(
                f"pictures must hold {len(sliders[names[0]])} entries for slider {names[0]!r}, "
                f"got {len(level)}"
            )
        stack = w.Stack([nest(entry, names[1:]) for entry in level])
        w.jslink((controls[names[0]], "index"), (stack, "selected_index"))
        return stack

    return w.VBox([*controls.values(), nest(pictures, list(sliders))])


def latent_explorer(
    decode: Callable[[np.ndarray], np.ndarray], limit: float = 2.0, steps: int = 13
) -> w.VBox:
    """Two sliders over a plane of latents: every point of it is an image.

    Args:
        decode: codes of shape (n, 2) -> images in [0, 1], shape (n, height, width).
        limit: the sliders run from -limit to +limit.
        steps: positions of each slider; all steps * steps images are decoded at once.

    Raises:
        ValueError: fewer than two steps, or a limit of 0 or less.
    """
    if steps < 2 or limit <= 0:
        raise ValueError(f"steps must be at least 2 and limit above 0, got {steps} and {limit}")
    values = np.linspace(-limit, limit, steps)
    plane = np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1).reshape(-1, 2)
    images = decode(plane.astype("float32"))
    pictures = [
        [png(image) for image in row] for row in images.reshape(steps, steps, *images.shape[1:])
    ]
    return picture_grid(pictures, {"z[0]": values, "z[1]": values})
