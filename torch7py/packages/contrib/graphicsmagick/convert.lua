-- graphicsmagick.convert: what the package has under this name.

return require('graphicsmagick').convert
