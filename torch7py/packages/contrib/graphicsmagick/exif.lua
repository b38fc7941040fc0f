-- graphicsmagick.exif: what the package has under this name.

return require('graphicsmagick').parseExif
