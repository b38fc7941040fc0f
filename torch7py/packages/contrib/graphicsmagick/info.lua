-- graphicsmagick.info: the entry of the package with this name.

return require('graphicsmagick').info
