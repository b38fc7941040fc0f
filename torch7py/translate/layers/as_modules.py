"""Layers as modules of PyTorch, where programs look at modules by their class, change them, or derive from them."""

from __future__ import annotations

__all__ = ["ALWAYS", "CLASSES_OF_PAGES", "DERIVED_FROM", "FUNCTIONS", "MODULES", "USUAL"]

# Layers that are written as functions and have a module of the same meaning.
MODULES = {
    "nn.Tanh": "nn.Tanh()",
    "nn.Sigmoid": "nn.Sigmoid()",
    "nn.ReLU": "nn.ReLU()",
    "nn.LogSoftMax": "nn.LogSoftmax(dim=-1)",
    "nn.SoftMax": "nn.Softmax(dim=-1)",
    "nn.LogSigmoid": "nn.LogSigmoid()",
    "nn.Identity": "nn.Identity()",
    "nn.SoftSign": "nn.Softsign()",
}
# Layers without weights that are written as modules and have a function of the same meaning.
FUNCTIONS = {"nn.Dropout": "F.dropout({x}, {p}, self.training)"}
# Layers that are classes of the page, and called with the input alone.
CLASSES_OF_PAGES = {"nn.NCEModule": "NCE", "nn.View": "ResizedView"}
# PyTorch's modules of the layers that programs look for, where they have none of them themselves.
USUAL = {
    "nn.Linear": "nn.Linear",
    "nn.SpatialConvolution": "nn.Conv2d",
    "nn.SpatialFullConvolution": "nn.ConvTranspose2d",
    "nn.VolumetricConvolution": "nn.Conv3d",
    "nn.BatchNormalization": "nn.BatchNorm1d",
    "nn.SpatialBatchNormalization": "nn.BatchNorm2d",
    "nn.LookupTable": "nn.Embedding",
    "nn.Dropout": "nn.Dropout",
    "nn.DataParallelTable": "nn.DataParallel",
}
# These are that module whatever their arguments are.
ALWAYS = ("nn.Linear", "nn.SpatialConvolution", "nn.SpatialBatchNormalization")
# Layers from which a class of a page derives, where one of the program's own does.
DERIVED_FROM = ("nn.Linear", "nn.ReLU", "nn.Tanh", "nn.Sigmoid", "nn.Identity")
