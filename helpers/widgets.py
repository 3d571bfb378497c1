"""Explorers for the notebooks: a pure render function, and the ipywidgets shell around it.

`explore` draws in the kernel whatever its sliders say. `picture_grid` shows ready pictures, tied to
its sliders in the browser: it answers faster, and also works in a saved page without a kernel.
"""

from collections.abc import Callable, Mapping, Sequence
import gc
import html
import io

from helpers.figures import AltFigure, SteadyLayout, grey
import ipywidgets as w
import numpy as np
from PIL import Image

if not hasattr(w, "Stack"):
    raise ImportError(
        f"helpers.widgets needs ipywidgets 8 or newer, for its Stack, got {w.__version__}: "
        'python -m pip install "ipywidgets>=8", then restart the kernel and reload the page'
    )


def png(image: np.ndarray) -> bytes:
    """A grey image in [0, 1], shape (height, width), dark where it is 1, as a small PNG file."""
    pixels = np.round(255 * (1 - grey(np.asarray(image)[None], "image")[0])).astype("uint8")
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, format="png", optimize=True)
    return target.getvalue()


def explore(render: Callable[..., AltFigure], **controls: w.Widget) -> w.VBox:
    """Sliders over a figure that the kernel draws again at every move.

    Args:
        render: a pure function of the controls' values, which returns a figure with alt text.
        controls: one widget with a `value` for each argument of `render`, by name. The name is its
            label too, unless it has a description.

    Returns:
        A box of the controls, the picture and, as its caption, the alt text: open, since a folded
        line would close at every move. (With a `tooltip`, JupyterLab cannot show an Image of
        ipywidgets 8.1.9 at all.) An error in `render` takes the place of both.

    Raises:
        ValueError: a control is no widget with a value, or `render` returns another figure.

    Example:
        >>> explore(show_q, mean=w.FloatSlider(0, min=-3, max=3), log_sd=w.FloatSlider(0))
    """
    steady, caption = SteadyLayout(), w.HTML()
    picture = w.Image(format="png", layout=w.Layout(max_width="100%", height="auto"))

    def draw() -> None:
        figure = render(**{name: control.value for name, control in controls.items()})
        if not isinstance(figure, AltFigure):
            raise ValueError(
                f"render must return a figure of `figures.subplots`, got {type(figure).__name__}"
            )
        picture.value, text = steady.png(figure), html.escape(figure.alt)
        caption.value = f"<div style='font-size: small; line-height: 1.4'>{text}</div>"
        picture.layout.width = caption.layout.max_width = f"{figure.css_size()['width']}px"
        picture.layout.display = None

    def redraw(_change) -> None:
        gc.disable()  # it would look through a figure's thousands of parts again and again
        try:
            draw()
        except Exception as error:
            picture.layout.display = "none"
            caption.value = f"<b>{type(error).__name__}: {html.escape(str(error))}</b>"
        finally:
            gc.enable()

    for name, control in controls.items():
        _label(name, control)
        control.observe(redraw, names="value")
    draw()
    row = w.HBox(list(controls.values()), layout=w.Layout(flex_flow="row wrap", grid_gap="0 16px"))
    return w.VBox([row, picture, caption])


def _label(name: str, control: w.Widget) -> None:
    """Give a control a label that is shown whole, and a width that suits it."""
    if not isinstance(control, w.ValueWidget):
        raise ValueError(
            f"{name} must be a widget with a value, such as IntSlider(), got {control!r}"
        )
    control.description = control.description or name
    control.tooltip = control.tooltip or control.description  # else a mouse over it reads "null"
    control.style.description_width = "initial"
    if control.style.has_trait("button_width"):
        control.style.button_width, control.layout.display = "auto", "flex"
    else:
        control.layout.width = f"calc(200px + {len(control.description)}ch)"


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
    shared = w.Layout(width=f"{size}px", height="auto")  # as high as the picture asks for
    controls = {}
    for name, values in sliders.items():
        texts = [value if isinstance(value, str) else f"{round(value, 9):+.3g}" for value in values]
        options, middle = [(text, place) for place, text in enumerate(texts)], len(values) // 2
        controls[name] = w.SelectionSlider(options=options, index=middle, description=name)

    def nest(level: Sequence | bytes, names: list[str]) -> w.Widget:
        if (not names) != isinstance(level, bytes):
            raise ValueError(
                f"pictures must be PNG files as bytes, nested once for each of {list(sliders)}, "
                f"got {type(level).__name__} where {'one' if not names else 'a list'} should be"
            )
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
        ValueError: fewer than two steps, a limit of 0 or less, or no such function.
    """
    if not callable(decode) or hasattr(decode, "decode"):
        raise ValueError(f"decode must be a function of codes, such as vae.decode, got {decode!r}")
    if steps < 2 or limit <= 0:
        raise ValueError(f"steps must be at least 2 and limit above 0, got {steps} and {limit}")
    values = np.linspace(-limit, limit, steps)
    plane = np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1).reshape(-1, 2)
    try:
        images = decode(plane.astype("float32"))
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"decode must take codes of shape (n, 2), got {reason}") from error
    flat = [png(image) for image in grey(images, "decode(codes)")]
    pictures = [flat[start : start + steps] for start in range(0, len(flat), steps)]
    return picture_grid(pictures, {"z[0]": values, "z[1]": values})
