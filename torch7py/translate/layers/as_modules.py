"""Layers as modules of PyTorch, where programs look at modules by their class, change them, or derive from them."""

from __future__ import annotations

from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.registry import Layer, NotNative, natives

__all__ = [
    "ALWAYS",
    "BASES",
    "CLASSES_OF_PAGES",
    "DERIVED_FROM",
    "FUNCTIONS",
    "MODULES",
    "REORDERED",
    "TURNED",
    "USUAL",
    "draws_weights",
    "weight_rank",
]

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
# Layers that are a module of PyTorch's with its dimensions turned about: alone they are a class that derives from it.
TURNED = {"nn.TemporalConvolution": "TemporalConvolution"}
# PyTorch's modules of the layers that programs look for, where they have none of them themselves.
USUAL = {
    "nn.Linear": "nn.Linear",
    "nn.SpatialConvolution": "nn.Conv2d",
    "nn.SpatialFullConvolution": "nn.ConvTranspose2d",
    "nn.VolumetricConvolution": "nn.Conv3d",
    "nn.SpatialMaxPooling": "nn.MaxPool2d",
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
# What a class of a page derives from, by what the program's class does.
BASES = {
    "nn.Module": "nn.Module",
    "nn.Criterion": "nn.Module",
    "nn.Sequential": "nn.Sequential",
    "nn.Container": "nn.Module",
    **{name: name for name in DERIVED_FROM},
}


def draws_weights(parent: str | None) -> bool:
    """Whether the constructor of a class that one of a page derives from makes weights, and calls what draws them."""
    return parent in DERIVED_FROM and facts.may_weigh(parent)


# Layers whose weight is a matrix in Torch7, and has a dimension more for each of the kernel's in PyTorch.
_FLAT = ("nn.SpatialConvolutionMM", "nn.TemporalConvolution")
# Layers whose weight has its elements in another order in PyTorch.
REORDERED = ("nn.TemporalConvolution",)


def weight_rank(name: str) -> int | None:
    """How many dimensions the weight of a layer has in both forms; None where it is not known, or they differ."""
    return facts.weight_rank(name) if name in natives and name not in _FLAT else None


def only_weight(layer: Layer) -> str:
    """The field of Torch7's that is the one parameter of a layer's form in a page; empty where it has another form."""
    if layer.name not in natives or layer.slots or layer.children:
        return ""
    try:
        weights = natives[layer.name](layer.args).weights
    except NotNative:
        return ""
    field = weights.get("") if len(weights) == 1 else None
    return field if isinstance(field, str) else ""
