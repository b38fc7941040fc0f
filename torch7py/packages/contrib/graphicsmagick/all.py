"""Importing this registers graphicsmagick's functions and the notes on those that are missing or restricted."""

from __future__ import annotations

from torch7py.ops.support import restricted, unsupported
from torch7py.packages.contrib.graphicsmagick import colour_spaces, colours, effects, files, metadata, scaling

__all__ = ["colour_spaces", "colours", "effects", "files", "metadata", "scaling"]

restricted(
    "graphicsmagick.Image",
    "files are read and written by Pillow (torch7py[image]): JPEG, PNG, PPM, BMP, GIF and TIFF with one image, WEBP",
)
restricted(
    "graphicsmagick.Image:size",
    "the library's filters, but for Bessel; values may differ from its own in the last of 16 bits",
)
restricted("graphicsmagick.Image:colorspace", "RGB, sRGB, GRAY, CMYK, HSL, HWB and YUV; others are an error")
restricted(
    "graphicsmagick.Image:type", "to be set: Grayscale, TrueColor and ColorSeparation, with or without Matte"
)
restricted("graphicsmagick.Image:rotate", "by multiples of 90 degrees; other angles are an error")
restricted(
    "graphicsmagick.Image:profile",
    "from one profile to another colours are converted with 8 bits; files are written with icm and exif alone",
)
restricted("graphicsmagick.Image:samplingFactors", "1,1,1 and 2,1,1 can be written")
restricted("graphicsmagick.Image:compose", "with the operator Copy of images without transparency, and No")
restricted(
    "graphicsmagick.Image:info", "format, size, bits, space and kind of colours, in lines of their own"
)
restricted("graphicsmagick.Image:blur", "an image smaller than the filter is an error")
restricted("graphicsmagick.info", "reads the file itself; moreinfo knows %m, %w and %h")
restricted("graphicsmagick.convert", "reads and writes the files itself: no program is started")
for _name in ("floodFill", "addNoise", "colorize", "affineTransform"):
    unsupported(f"graphicsmagick.Image:{_name}", "an error")
unsupported("graphicsmagick.Image:show", "an error: it draws with Qt; image:save makes a file of it")
