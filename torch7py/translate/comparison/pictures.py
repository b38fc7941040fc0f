"""Pictures that the translation saves: kept in memory, and at the end compared with the original's files."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from torch7py.translate.verify import Different

__all__ = ["Pictures"]

# Numbers of the same picture may lie on both sides of a whole one. What JPEG makes of that is more, but little of it.
STEP = 1
JPEG_MEAN = 1.0


class Pictures:
    """What Pillow's ``Image.open`` and ``Image.save`` do while a translation runs."""

    def __init__(self) -> None:
        self.saved: dict[str, bytes] = {}

    def changes(self) -> list[tuple[Any, str, Any]]:
        """What is to be patched; nothing without Pillow, as no page can use it then."""
        try:
            from PIL import Image
        except ImportError:
            return []
        opened, saved = Image.open, Image.Image.save

        def open_picture(path: Any, *arguments: Any, **options: Any) -> Any:
            data = self.saved.get(os.path.realpath(path)) if isinstance(path, str) else None
            return opened(path if data is None else io.BytesIO(data), *arguments, **options)

        def save_picture(picture: Any, path: Any, format: Any = None, **options: Any) -> None:
            if not isinstance(path, str):
                saved(picture, path, format, **options)
                return
            Image.preinit()
            buffer = io.BytesIO()
            saved(picture, buffer, format or Image.EXTENSION[os.path.splitext(path)[1].lower()], **options)
            self.saved[os.path.realpath(path)] = buffer.getvalue()

        def show_picture(picture: Image.Image, title: str | None = None) -> None:
            """Nothing: a window would be in whoever's way that translates."""

        return [
            (Image, "open", open_picture),
            (Image.Image, "save", save_picture),
            (Image.Image, "show", show_picture),
        ]

    def remove(self, otherwise: Callable[[Any], None], path: Any) -> None:
        if self.saved.pop(os.path.realpath(path), None) is None:
            otherwise(path)

    def compare(self) -> None:
        """Raise Different where a picture is not the one that the original left."""
        if not self.saved:
            return
        from PIL import Image

        for path, data in self.saved.items():
            name = os.path.relpath(path)
            if not os.path.exists(path):
                raise Different(f"the translation saves the picture {name}, the original does not")
            with Image.open(path) as theirs, Image.open(io.BytesIO(data)) as ours:
                lossy = ours.format == "JPEG"
                a, b = (np.asarray(picture).astype(np.int32) for picture in (theirs, ours))
            if a.shape != b.shape:
                raise Different(f"the picture {name} has the shape {b.shape}, the original's {a.shape}")
            off = np.abs(a - b)
            if off.mean() > JPEG_MEAN if lossy else off.max(initial=0) > STEP:
                raise Different(f"the picture {name} differs from the original's by up to {off.max()} of 255")
