"""From Torch7 source and models to PyTorch source."""
