-- graphicsmagick.info: what the package has under this name.

return require('graphicsmagick').info
