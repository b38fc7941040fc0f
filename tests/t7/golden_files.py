"""The original's own files (tests/golden/t7.tar.xz), unpacked where a test can open them."""

from __future__ import annotations

import json
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

ARCHIVE = Path(__file__).parent.parent / "golden" / "t7.tar.xz"


@cache
def files() -> dict[str, bytes]:
    """All files by name."""
    with tarfile.open(ARCHIVE) as archive:
        members = ((member.name, archive.extractfile(member)) for member in archive)
        return {name: file.read() for name, file in members if file is not None}


def t7_names() -> list[str]:
    return sorted(name for name in files() if name.endswith(".t7"))


@cache
def described() -> dict[str, Any]:
    """What each file holds, by its name without the ending ``.binary.t7`` or ``.ascii.t7``."""
    found: dict[str, Any] = json.loads(files()["t7.json"])
    later = json.loads(files()["t7_2015.json"])
    return found | {f"{name}_2015": content for name, content in later.items()}


def unpack(folder: Path, name: str) -> Path:
    """One file, on disk."""
    path = folder / name
    path.write_bytes(files()[name])
    return path


def is_binary(name: str) -> bool:
    return name.endswith(".binary.t7")
