"""Pictures that the translation saves: kept in memory, and at the end compared with the original's files.

Of drawings in other formats than a picture's (SVG, PDF, PostScript) it is only compared that there are such files.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from torch7py.translate.verify import Different

__all__ = ["Pictures"]

# Numbers of the same picture may lie on both sides of a whole one. What JPEG makes of that is more, but little of it.
STEP = 1
JPEG_MEAN = 1.0


class Pictures:
    """What saving does, by Pillow or matplotlib, and Pillow's ``Image.open`` while a translation runs."""

    def __init__(self) -> None:
        self.saved: dict[str, bytes] = {}
        self.drawings: set[str] = set()

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
            *self._drawing_changes(),
        ]

    def _drawing_changes(self) -> list[tuple[Any, str, Any]]:
        """Nothing where the original has not drawn by matplotlib."""
        figures = sys.modules.get("matplotlib.figure")
        if figures is None:
            return []
        saved = figures.Figure.savefig

        def save_figure(figure: Any, path: Any, **options: Any) -> None:
            if isinstance(path, str) and options.get("format") not in (None, "png"):
                self.drawings.add(os.path.realpath(path))
                path = io.BytesIO()
            saved(figure, path, **options)

        return [(figures.Figure, "savefig", save_figure)]

    def exists(self, otherwise: Callable[[Any], bool], path: Any) -> bool:
        return os.path.realpath(path) in (*self.saved, *self.drawings) or otherwise(path)

    def remove(self, otherwise: Callable[[Any], None], path: Any) -> None:
        real_path = os.path.realpath(path)
        if self.saved.pop(real_path, None) is None and real_path not in self.drawings:
            otherwise(path)
        self.drawings.discard(real_path)

    def compare(self) -> None:
        """Raise Different where a picture is not the one that the original left."""
        for path in (*self.saved, *self.drawings):
            if not os.path.exists(path):
                name = os.path.relpath(path)
                raise Different(f"the translation saves the picture {name}, the original does not")
        if not self.saved:
            return
        from PIL import Image

        for path, data in self.saved.items():
            name = os.path.relpath(path)
            with Image.open(path) as theirs, Image.open(io.BytesIO(data)) as ours:
                lossy = ours.format == "JPEG"
                a, b = (np.asarray(picture).astype(np.int32) for picture in (theirs, ours))
            if a.shape != b.shape:
                raise Different(f"the picture {name} has the shape {b.shape}, the original's {a.shape}")
            off = np.abs(a - b)
            if off.mean() > JPEG_MEAN if lossy else off.max(initial=0) > STEP:
                raise Different(f"the picture {name} differs from the original's by up to {off.max()} of 255")
