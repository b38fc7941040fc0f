-- graphicsmagick.Image: the entry of the package with this name.

return require('graphicsmagick').Image
