"""Importing this registers every operation of the torch package."""

from torch7py.ops import create, pointwise, shape  # noqa: F401
