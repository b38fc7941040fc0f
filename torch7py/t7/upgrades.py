"""What changed in the fields of a class from one version to the next, a line each.

An upgrade is what the original does when it reads an old object. It applies to objects of a version before the one
it names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.t7.errors import T7Error
from torch7py.t7.objects import Table

__all__ = ["UPGRADES", "upgrade"]

Fields = dict[str, Any]


def _running_var(fields: Table) -> tuple[Fields, Fields] | None:
    """``running_std`` held ``1 / sqrt(var + eps)`` before it became ``running_var``."""
    std = fields.get("running_std")
    if not isinstance(std, torch.Tensor) or "running_var" in fields:
        return None
    if std.numel() * std.element_size() > std.untyped_storage().nbytes():
        raise T7Error(f"running_std has {std.numel()} elements, and its storage fewer")
    return {"running_std": std}, {"running_var": std.pow(-2).add_(-float(fields.get("eps", 1e-5)))}


_BATCH_NORMALIZATION = (
    "nn.BatchNormalization",
    "nn.SpatialBatchNormalization",
    "nn.VolumetricBatchNormalization",
)

# class -> (version of the class that brought the change, what it replaces by what)
UPGRADES: dict[str, list[tuple[int, Callable[[Table], tuple[Fields, Fields] | None]]]] = {
    name: [(2, _running_var)] for name in _BATCH_NORMALIZATION
}


def upgrade(class_name: str, version: int, fields: Table) -> tuple[Table, Fields, Fields]:
    """The fields as the class has them today; the old fields that are gone, and the new ones as they are now."""
    before: Fields = {}
    after: Fields = {}
    for since, change in UPGRADES.get(class_name, ()):
        found = change(fields) if version < since else None
        if found is not None:
            before |= found[0]
            after |= found[1]
    if not before:
        return fields, before, after
    upgraded = Table((name, value) for name, value in fields.items() if name not in before)
    for name, value in after.items():
        upgraded[name] = value
    return upgraded, before, {name: value.clone() for name, value in after.items()}
