"""Importing this registers the image package's functions and the notes on those that are missing."""

from __future__ import annotations

from torch7py.ops.support import restricted, unsupported
from torch7py.packages.image import codecs, color, geometry, kernels, scaling, warping

__all__ = ["codecs", "color", "geometry", "kernels", "scaling", "warping"]

restricted(
    "image.display",
    "shows the images in a notebook; elsewhere nothing, which is said once. What it returns for a window does nothing",
)
restricted("image.window", "shows nothing, which is said once; what it returns for a window does nothing")
for _name in ("lena", "fabio"):
    restricted(
        f"image.{_name}",
        f"the photograph is not part of this project: the environment variable IMAGE_{_name.upper()} names a file",
    )
for _name in ("polar", "logpolar"):
    unsupported(f"image.{_name}", "an error")
unsupported("image.drawText", "an error: the font is not part of this project")
for _name in ("load", "save"):
    restricted(
        f"image.{_name}",
        "needs Pillow (torch7py[image]) for PNG and JPEG; PNG with 16 bits is read in grey alone",
    )
