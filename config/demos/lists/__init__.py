"""Words to make people, places and goods of, as YAML beside this file."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent


@cache
def read(name: str) -> dict[str, Any]:
    """One of the lists (`names`, `places`, `products`); a text of words parted by spaces stays a text."""
    content: dict[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return content
