"""Torch7's image package: files, geometry, colours, kernels. Its functions' forms are in ``pkg_image.lua``."""
