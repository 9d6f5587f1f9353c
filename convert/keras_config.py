"""What a `.keras` file says about its layers, read without building them."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def find_foreign_layers(path: Path) -> list[str]:
    """Return the classes in a `.keras` file that are not Keras's own; none where the file cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return []
    return sorted({str(each["class_name"]) for each in _objects(config) if not _is_kerass_own(each)})


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each serialised object in a configuration, at any depth."""
    if isinstance(value, dict):
        if "class_name" in value and "module" in value:
            yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _is_kerass_own(serialised: dict[str, Any]) -> bool:
    return str(serialised["module"]).split(".")[0] in ("keras", "builtins")
