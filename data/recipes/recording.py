"""What the scripts that record results share."""

import json
import os
from pathlib import Path


def save(target: Path, record: dict, indent: int | None = None) -> None:
    """Write to another name first, so that a kill leaves the old file or the new one, whole."""
    new = target.with_name(target.name + ".new")
    new.write_text(json.dumps(record, indent=indent) + "\n")
    os.replace(new, target)
