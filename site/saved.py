"""What a committed notebook keeps of its widgets: progress bars, and explorers with ready pictures.

`picture_grid` saves all its pictures with the notebook, so its explorers are taken as they stand.
"""

import base64
from collections.abc import Sequence
import html
import io
import itertools
from pathlib import Path
import re

from drawn import keep
import nbformat
from PIL import Image
from run_notebooks import WIDGETS

TAG = re.compile(r"<[^>]+>")


class Saved:
    """The widgets of one notebook, by name."""

    def __init__(self, notebook: nbformat.NotebookNode) -> None:
        self.models = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})

    def kind(self, name: str) -> str:
        """ "grid", "explore", "progress", "output", "lookup", or "other".

        A grid has its pictures saved; those of an `explore` are drawn by the kernel.
        """
        if name not in self.models:
            return "other"
        kinds = [self.models[part]["model_name"] for part in self._parts(name)]
        if "StackModel" in kinds:
            return "grid"
        if "ImageModel" in kinds:
            return "explore"
        if "FloatProgressModel" in kinds or "IntProgressModel" in kinds:
            return "progress"
        if kinds == ["OutputModel"]:
            return "output"
        return "lookup" if kinds == ["VBoxModel", "TextModel", "OutputModel"] else "other"

    def _children(self, name: str) -> list[str]:
        held = self.models[name]["state"].get("children", ())
        return [child.removeprefix("IPY_MODEL_") for child in held]

    def _parts(self, name: str) -> list[str]:
        parts = [name]
        for child in self._children(name):
            parts += self._parts(child)
        return parts

    def progress(self, name: str) -> str:
        """What a finished progress bar says, as one line of text."""
        states = [self.models[part]["state"] for part in self._parts(name)]
        said = [s["value"] for s in states if isinstance(s.get("value"), str)]
        words = " ".join(html.unescape(TAG.sub("", " ".join(said))).split())
        return words.removesuffix("[]").rstrip()  # of a bar that had only its pace to tell

    def printed(self, name: str) -> str:
        """What an `Output` has caught, as text: its colours are too pale to read."""
        caught = self.models[name]["state"].get("outputs", ())
        texts = [one.get("data", {}).get("text/html", one.get("text", "")) for one in caught]
        return html.unescape(TAG.sub("", "".join(texts)))

    def grid(self, name: str, folder: Path) -> dict:
        """An explorer with ready pictures, as `drawn.draw_ahead` describes one; all positions."""
        *sliders, top = self._children(name)
        controls = []
        for slider in sliders:
            state = self.models[slider]["state"]
            texts, start = list(state["_options_labels"]), state["index"]
            look = {"label": state["description"], "kind": "range"}
            controls.append(look | {"texts": texts, "start": start, "of": len(texts)})
        images = self._leaves(top, len(sliders))
        settings = itertools.product(*(control["texts"] for control in controls))
        frames = [
            {
                "file": keep(self._bytes(image), folder),
                "alt": self._said(controls, texts),
            }
            for image, texts in zip(images, settings, strict=True)
        ]
        side = int(self.models[self._layout(images[0])]["state"]["width"].removesuffix("px"))
        width, height = Image.open(io.BytesIO(self._bytes(images[0]))).size
        scale = side / max(width, height)  # the notebook fits it into a square of this side
        size = {"width": round(scale * width), "height": round(scale * height)}
        return {"controls": controls, "frames": frames, "size": size}

    @staticmethod
    def _said(controls: Sequence[dict], texts: Sequence[str]) -> str:
        pairs = zip(controls, texts, strict=True)
        return "The picture at " + ", ".join(f"{one['label']} = {text}" for one, text in pairs)

    def _leaves(self, name: str, depth: int) -> list[str]:
        if depth == 0:
            return [name]
        return [leaf for child in self._children(name) for leaf in self._leaves(child, depth - 1)]

    def _layout(self, name: str) -> str:
        return self.models[name]["state"]["layout"].removeprefix("IPY_MODEL_")

    def _bytes(self, name: str) -> bytes:
        buffers = {tuple(one["path"]): one["data"] for one in self.models[name]["buffers"]}
        return base64.b64decode(buffers["value",])
