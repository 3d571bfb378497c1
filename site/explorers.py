"""The HTML of what a page shows in the place of widgets; static/explorer.js makes it move."""

from collections.abc import Mapping
import html
import json

RARE = "Here only this value is drawn ahead; in the notebook you can type another."
ASIDE = "This control needs Python behind it: open the notebook to use it."
LOOKUP = """<div class="lookup" data-lookup>
<label>word <input type="search" value="collapse" autocomplete="off"></label>
<p class="explorer-note" role="status">On this page the box filters the list below.</p>
</div>"""


def explorer(drawn: Mapping, name: str, root: str) -> str:
    """One explorer: its controls, the picture to start with, and what is drawn.

    Args:
        drawn: as `drawn.draw_ahead` describes it.
        name: of the explorer, unlike that of any other on the page.
        root: the way from the page to the site's first folder, "" or "../".
    """
    controls, frames = drawn["controls"], drawn["frames"]
    place = 0
    for control in controls:
        place = place * len(control["texts"]) + control["start"]
    folder, start = f"{root}frames/", frames[place]
    plan = {
        "folder": folder,
        "texts": [control["texts"] for control in controls],
        "frames": [[frame["file"], frame["alt"]] for frame in frames],
    }
    held = json.dumps(plan, ensure_ascii=False).replace("</", "<\\/")
    size = f'width="{drawn["size"]["width"]}" height="{drawn["size"]["height"]}"'
    rows = "\n".join(_control(control, f"{name}-{k}", k) for k, control in enumerate(controls))
    alt = html.escape(start["alt"])
    return f"""<div class="explorer" id="{name}">
<fieldset class="explorer-controls" disabled><legend class="visually-hidden">Controls</legend>
{rows}
</fieldset>
<figure><img src="{folder}{start["file"]}" alt="{alt}" {size}>
<figcaption aria-live="polite">{alt}</figcaption></figure>
{_positions(drawn)}
<script type="application/json">{held}</script>
</div>"""


def _control(control: Mapping, name: str, axis: int) -> str:
    label, texts = html.escape(control["label"]), [html.escape(t) for t in control["texts"]]
    start, moves = control["start"], f'data-control="{axis}"'
    if control["kind"] == "fixed":
        return f'<p class="explorer-fixed">{label}: <strong>{texts[0]}</strong>. {RARE}</p>'
    if control["kind"] == "range":
        return (
            f'<div class="explorer-control" {moves}><label for="{name}">{label}</label> '
            f'<input type="range" id="{name}" min="0" max="{len(texts) - 1}" value="{start}" '
            f'aria-valuetext="{texts[start]}" autocomplete="off"> '
            f'<output for="{name}">{texts[start]}</output></div>'
        )
    if control["kind"] == "select":
        chosen = [" selected" if k == start else "" for k in range(len(texts))]
        options = "".join(
            f'<option value="{k}"{mark}>{text}</option>'
            for k, (text, mark) in enumerate(zip(texts, chosen, strict=True))
        )
        return (
            f'<div class="explorer-control" {moves}><label for="{name}">{label}</label> '
            f'<select id="{name}" autocomplete="off">{options}</select></div>'
        )
    chosen = [" checked" if k == start else "" for k in range(len(texts))]
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{k}"{mark} autocomplete="off"> '
        f"{text}</label> "
        for k, (text, mark) in enumerate(zip(texts, chosen, strict=True))
    )
    return (
        f'<fieldset class="explorer-control" {moves}><legend>{label}</legend>{buttons}</fieldset>'
    )


def _positions(drawn: Mapping) -> str:
    """Says which positions are drawn, and how many the notebook has."""
    moving = [control for control in drawn["controls"] if control["kind"] != "fixed"]
    count, every = len(drawn["frames"]), 1
    for control in moving:
        every *= control["of"]
    share = f"all {count:,}" if count == every else f"{count:,} of {every:,}"
    lines = []
    for control in moving:
        texts, of = control["texts"], control["of"]
        some = f"all {of}" if len(texts) == of else f"{len(texts)} of {of}"
        said = html.escape(", ".join(texts))
        lines.append(f"<li>{html.escape(control['label'])} ({some}): {said}</li>")
    more = "" if count == every else " In the notebook every position works."
    return (
        f'<details class="explorer-note"><summary>Drawn ahead on this page: {share} positions'
        f"</summary><ul>{''.join(lines)}</ul><p>Each picture was drawn at its position; none is "
        f"interpolated.{more}</p></details>"
    )


def picture(source: str, alt: str, size: Mapping) -> str:
    """A figure with its description, at its size on the screen."""
    sides = "".join(f' {side}="{size[side]}"' for side in ("width", "height") if side in size)
    return f'<img class="figure" src="{source}" alt="{html.escape(alt)}"{sides} loading="lazy">'
