"""Texts that are written out into a page: what PyTorch has no plain equivalent for. One family a file."""

from __future__ import annotations

from torch7py.translate.layers.helpers import (
    datasets,
    estimation,
    gradients,
    images,
    initial,
    normalization,
    passes,
    pictures,
    programs,
    recurrent,
    spatial_transformer,
    values,
)
from torch7py.translate.layers.helpers.register import DERIVED, DRAWING, HELPERS

__all__ = [
    "DERIVED",
    "DRAWING",
    "HELPERS",
    "datasets",
    "estimation",
    "gradients",
    "images",
    "initial",
    "normalization",
    "passes",
    "pictures",
    "programs",
    "recurrent",
    "spatial_transformer",
    "values",
]
