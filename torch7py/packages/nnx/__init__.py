"""Layers of the nnx package, those that programs use."""
