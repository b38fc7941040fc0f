"""GraphicsMagick's images: files, colours, sizes, filters. The class ``Image`` is in ``pkg_graphicsmagick.lua``."""
