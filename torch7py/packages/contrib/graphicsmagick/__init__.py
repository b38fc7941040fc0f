"""graphicsmagick: images of GraphicsMagick: files, colours, sizes and filters."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("graphicsmagick", __name__, ".all", requires=("torch",), lua="graphicsmagick.lua", projects=3)
package("graphicsmagick.Image", __name__, requires=("graphicsmagick",), lua="Image.lua")
package("graphicsmagick.convert", __name__, requires=("graphicsmagick",), lua="convert.lua")
package("graphicsmagick.info", __name__, requires=("graphicsmagick",), lua="info.lua")
package("graphicsmagick.exif", __name__, requires=("graphicsmagick",), lua="exif.lua")
