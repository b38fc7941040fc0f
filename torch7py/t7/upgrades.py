"""What changed in the fields of a class from one version to the next, a line each.

An upgrade is what the original does when it reads or first uses an old object. Most classes never got a version
number: of these the fields say how old an object is. Fields that are missing, and whose value is that of the
constructor's default, need no line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

from torch7py.t7.errors import T7Error
from torch7py.t7.objects import Object, Table, has_fields

__all__ = ["UPGRADES", "Upgrade", "has_upgrade", "upgrade"]

Fields = dict[str, Any]
Change = tuple[Fields, Fields]  # the fields that go, and those that come in their place


class Upgrade(NamedTuple):
    """``classes``: of which classes; ``until``: the state of its package that brought the change; ``version``: that
    of the class from which on objects have it, 0 where the class has no versions; ``change``: what it replaces by
    what, None where an object has it already."""

    classes: tuple[str, ...]
    until: str
    version: int
    change: Callable[[Table], Change | None]


def _tensor(fields: Table, name: str) -> torch.Tensor | None:
    """A field that is a tensor, of no more elements than there are numbers: a file may claim any."""
    value = fields.get(name)
    if not isinstance(value, torch.Tensor):
        return None
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise T7Error(f"{name} has {value.numel()} elements, and its storage fewer")
    return value.detach()


def _running_var(fields: Table) -> Change | None:
    """``running_std`` held ``1 / sqrt(var + eps)`` before it became ``running_var``."""
    std = _tensor(fields, "running_std")
    if std is None or "running_var" in fields:
        return None
    eps = fields.get("eps", 1e-5)
    return {"running_std": fields["running_std"]}, {"running_var": std.pow(-2).add_(-float(eps))}


def _set(**values: Any) -> Callable[[Table], Change | None]:
    """Fields that were not there meant these values, whatever the constructor gives today."""

    def change(fields: Table) -> Change | None:
        missing = {name: value for name, value in values.items() if name not in fields}
        return ({}, missing) if missing else None

    return change


def _one_padding(fields: Table) -> Change | None:
    """``padding`` was that of both directions."""
    padding = fields.get("padding")
    if not isinstance(padding, (int, float)):
        return None
    return {"padding": padding}, {"padW": padding, "padH": padding}


def _matrix(fields: Table) -> Change | None:
    """The weights were the matrix that a window is multiplied with."""
    sizes = [fields.get(name) for name in ("nOutputPlane", "nInputPlane", "kH", "kW")]
    before: Fields = {}
    after: Fields = {}
    for name in ("weight", "gradWeight"):
        tensor = _tensor(fields, name)
        if tensor is None or tensor.dim() != 2:
            continue
        numbers = [size for size in sizes if isinstance(size, int) and size > 0]
        if len(numbers) != 4:
            raise T7Error(f"a {name} of 2 dimensions, and no sizes to make 4 of them")
        before[name] = fields[name]
        try:
            after[name] = tensor.view(numbers)
        except RuntimeError:
            raise T7Error(f"a {name} of {list(tensor.shape)} for windows of {sizes}") from None
    return (before, after) if before else None


def _planes_in_front(fields: Table) -> Change | None:
    """The weights had the output planes in front, and the padding other names."""
    if "adjW" in fields:
        return None
    before: Fields = {}
    after: Fields = {"adjT": 0, "adjW": 0, "adjH": 0}
    for name in ("weight", "gradWeight"):
        tensor = _tensor(fields, name)
        if tensor is not None and tensor.dim() == 5:
            before[name] = fields[name]
            after[name] = tensor.transpose(0, 1).contiguous()
    for old, new in (("pT", "padT"), ("pW", "padW"), ("pH", "padH")):
        if old in fields and new not in fields:
            before[old] = fields[old]
            after[new] = fields[old]
    return before, after


def _one_replica(fields: Table) -> Change | None:
    """Every GPU had its copy of the module in the list; the first one has the parameters."""
    modules = fields.get("modules")
    if not isinstance(modules, Table) or len(modules) < 2 or 1 not in modules:
        return None
    return {"modules": modules}, {"modules": Table.of([modules[1]])}


def _flat_direction(fields: Table) -> Change | None:
    """The gradient of the direction was left in the shape of the weight."""
    v, gradient = _tensor(fields, "v"), _tensor(fields, "gradV")
    if v is None or gradient is None or v.dim() != 2 or gradient.shape == v.shape:
        return None
    if gradient.numel() != v.numel() or not gradient.is_contiguous():
        raise T7Error(f"a gradV of {list(gradient.shape)} for v of {list(v.shape)}")
    return {"gradV": fields["gradV"]}, {"gradV": gradient.view(v.shape)}


def _modules_at_nodes(fields: Table) -> Change | None:
    """The modules were found at the nodes alone."""
    nodes = fields.get("forwardnodes")
    if "modules" in fields or not isinstance(nodes, Table):
        return None
    data = [
        node.fields.get("data") for node in nodes.array() if isinstance(node, Object) and has_fields(node)
    ]
    modules = [part.get("module") for part in data if isinstance(part, Table)]
    return {}, {"modules": Table.of(module for module in modules if module is not None)}


def _ceiling(fields: Table) -> Change | None:
    return ({}, {"min_val": 0, "max_val": fields["ceiling"]}) if "ceiling" in fields else None


def _capital_k(fields: Table) -> Change | None:
    return ({}, {"k": fields["K"]}) if "K" in fields and "k" not in fields else None


_NORMALIZATION = ("BatchNormalization", "SpatialBatchNormalization", "VolumetricBatchNormalization")

UPGRADES = (
    Upgrade(tuple(f"nn.{name}" for name in _NORMALIZATION), "nn of 2016-04-14", 2, _running_var),
    Upgrade(tuple(f"cudnn.{name}" for name in _NORMALIZATION), "cudnn of 2016-04-15", 2, _running_var),
    Upgrade(("nn.GradientReversal",), "nn of 2016-04-22", 2, _set(**{"lambda": 1})),
    Upgrade(("nn.VolumetricMaxPooling",), "nn of 2016-01-25", 2, _set(ceil_mode=False)),
    Upgrade(("nn.SpatialAveragePooling",), "nn of 2015-03-04", 0, _set(divide=False)),
    Upgrade(
        ("nn.SpatialConvolution", "nn.SpatialConvolutionMM", "nn.SpatialDepthWiseConvolution"),
        "nn of 2015-06-18",
        0,
        _one_padding,
    ),
    Upgrade(("nn.SpatialConvolution",), "nn of 2015-02-10", 0, _matrix),
    Upgrade(("nn.VolumetricFullConvolution",), "nn of 2016-02-17", 0, _planes_in_front),
    Upgrade(("nn.DataParallelTable",), "cunn of 2016-01-11", 2, _one_replica),
    Upgrade(("nn.gModule",), "nngraph of 2015-10-16", 0, _modules_at_nodes),
    Upgrade(("nn.WeightNorm",), "every nn", 0, _flat_direction),
    # What cudnn's layers, which run as those of nn, have under other names or not at all.
    Upgrade(("cudnn.SpatialAveragePooling",), "every cudnn", 0, _set(divide=True)),
    Upgrade(("cudnn.ReLU",), "every cudnn", 0, _set(threshold=0, val=0)),
    Upgrade(("cudnn.ClippedReLU",), "every cudnn", 0, _ceiling),
    Upgrade(("cudnn.SpatialCrossMapLRN",), "every cudnn", 0, _capital_k),
)


def _lines(class_name: str, version: int) -> Iterator[Upgrade]:
    for line in UPGRADES:
        if class_name in line.classes and (line.version == 0 or version < line.version):
            yield line


def has_upgrade(class_name: str, version: int) -> bool:
    """Whether objects of this class and version may need one."""
    return any(_lines(class_name, version))


def upgrade(class_name: str, version: int, fields: Table) -> tuple[Table, Fields, Fields]:
    """The fields as the class has them today; the old fields that are gone, and the new ones as they are now."""
    before: Fields = {}
    after: Fields = {}
    for line in _lines(class_name, version):
        change = line.change(fields)
        if change is None:
            continue
        gone, new = change
        before |= {name: value for name, value in gone.items() if name not in after}
        after = {name: value for name, value in after.items() if name not in gone} | new
        changed = Table((name, value) for name, value in fields.items() if name not in gone)
        for name, value in new.items():
            changed[name] = value
        fields = changed
    return fields, before, {name: _as_now(value, before) for name, value in after.items()}


def _as_now(value: Any, before: Fields) -> Any:
    """What a new field is now, to see later whether it has changed: a tensor on old memory changes with the old."""
    if not isinstance(value, torch.Tensor):
        return value
    old = [tensor for tensor in before.values() if isinstance(tensor, torch.Tensor)]
    if any(tensor.untyped_storage()._cdata == value.untyped_storage()._cdata for tensor in old):
        return value
    return value.clone()
