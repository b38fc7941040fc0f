"""The results of ``gm.info``: the format and size of a file, and the camera's EXIF entries."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.packages.contrib.graphicsmagick.files import FORMATS
from torch7py.packages.image.codecs import pillow
from torch7py.packages.registry import function

__all__ = ["describe"]

POSITION, CAMERA = 0x8825, 0x8769  # the tables of positions on Earth and of the camera


def _text(value: Any) -> str:
    """A value as the library prints it: fractions with a stroke, lists with commas."""
    if hasattr(value, "numerator") and not isinstance(value, int):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_text, value))
    if isinstance(value, bytes):
        return value.decode("latin1")
    return str(value).rstrip("\0")


@function("graphicsmagick._describe")
def describe(name: str) -> tuple[str | None, int, int, list[str]]:
    """Format (None: no image), width, height, and names and values in turns."""
    from PIL import ExifTags

    image = pillow()
    try:
        picture = image.open(io.BytesIO(Path(to_file_name(name)).read_bytes()), formats=FORMATS)
        tags = picture.getexif()
        entries = {ExifTags.TAGS.get(tag, str(tag)): value for tag, value in tags.items()}
        entries |= {ExifTags.TAGS.get(tag, str(tag)): value for tag, value in tags.get_ifd(CAMERA).items()}
        entries |= {
            ExifTags.GPSTAGS.get(tag, str(tag)): value for tag, value in tags.get_ifd(POSITION).items()
        }
    except (OSError, ValueError, SyntaxError, EOFError, image.DecompressionBombError):
        return None, 0, 0, []  # the program reads this from the table that it gets
    texts = [text for key, value in entries.items() for text in (key, _text(value))]
    return picture.format, picture.width, picture.height, texts
