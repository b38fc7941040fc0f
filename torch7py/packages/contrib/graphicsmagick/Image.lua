-- graphicsmagick.Image: what the package has under this name.

return require('graphicsmagick').Image
