"""Importing this registers the layers of the nnx package, and why others are not there."""

from __future__ import annotations

from torch7py.nn import resampling  # noqa: F401
from torch7py.ops.support import unsupported
from torch7py.packages.contrib.nnx import classifier, color, ctc, resizing, spatial, tree  # noqa: F401

__all__: list[str] = []

unsupported("nn.SoftMaxForest", "in the original its constructor fails: it adds to a table that is not there")
for _name in (
    "Balance DataList DataSet DataSetLabelMe DataSetSamplingPascal DistMarginCriterion DistNLLCriterion "
    "FunctionWrapper PixelSort PullTable PushTable SaturatedLU SparseCriterion SpatialDownSampling "
    "SpatialFovea SpatialGraph SpatialMatching SpatialMaxSampling SpatialNormalization SpatialPyramid "
    "SpatialRadialMatching SpatialRecursiveFovea SpatialSparseCriterion SpatialUpSampling SuperCriterion Tic "
    "Toc"
).split():
    unsupported(f"nn.{_name}", "none of the 91 projects uses it")
