"""What a layer that was read from a file remembers of the file, so that it is saved as it was.

A layer's known fields live in the layer. Fields that its class does not know (a buffer of some version, a field that
a program added) are kept here, with the order of all fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

__all__ = ["SavedForm", "fields_to_save", "unchanged"]


@dataclass
class SavedForm:
    """The file's view of one object.

    ``order``: its fields in the order of the file; ``version``: its class's; ``extras``: the fields that its class
    does not know; ``absent``: those that the class knows and the file did not have, with what the class put there;
    ``tables``: what the file had for fields that hold a list or a dict here; ``before``: the fields that an upgrade
    replaced, and ``after``: what it put in their place, as long as that stays as it was; ``header``: what its class
    writes before the fields.
    """

    order: list[str] = field(default_factory=list)
    version: int = 1
    extras: dict[str, Any] = field(default_factory=dict)
    absent: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    header: Any = None

    @property
    def is_upgraded(self) -> bool:
        return bool(self.before or self.after)

    def forget_upgrade(self, version: int) -> None:
        """Treat the upgraded fields as the object's own, saved under the current version of its class."""
        if self.is_upgraded:
            self.order = [name for name in self.order if name not in self.before] + list(self.after)
            self.before, self.after, self.version = {}, {}, version

    def is_as_before(self, values: Mapping[str, Any]) -> bool:
        """Whether the fields that an upgrade created are unchanged, or share their memory with the old fields."""
        return self.is_upgraded and all(
            _is_same(values.get(name), value) for name, value in self.after.items()
        )

    def __deepcopy__(self, memo: dict[Any, Any]) -> SavedForm:
        from torch7py.nn.copying import deep_copy

        extras, absent = deep_copy(self.extras, memo), deep_copy(self.absent, memo)
        before, after = deep_copy(self.before, memo), deep_copy(self.after, memo)
        return SavedForm(list(self.order), self.version, extras, absent, {}, before, after)


def _is_same(value: Any, before: Any) -> bool:
    if isinstance(value, torch.Tensor) and isinstance(before, torch.Tensor):
        if value.data_ptr() == before.data_ptr() and value.stride() == before.stride():
            return value.shape == before.shape
        return value.dtype == before.dtype and torch.equal(value, before)
    if isinstance(value, list):
        return list(value) == list(before.values()) if hasattr(before, "values") else value == before
    return value is before or (type(value) is type(before) and bool(value == before))


def unchanged(value: Any, before: Any) -> bool:
    """Whether a field that was not in the file still has the value that the class set."""
    if isinstance(value, torch.Tensor):
        return value is before and value.numel() == 0
    if isinstance(value, (list, dict)):
        return not value
    return value is before or (type(value) is type(before) and bool(value == before))


def fields_to_save(form: SavedForm | None, known: Iterable[str], values: Mapping[str, Any]) -> list[str]:
    """The names of an object's fields in the order to save them.

    ``known`` are the names that its class knows, in their order there, ``values`` all that is not nil.
    """
    if form is None:
        return [name for name in known if name in values]
    names = [name for name in form.order if name in values]
    listed = set(names)

    def is_new(name: str) -> bool:
        if name not in values or name in listed:
            return False
        return name not in form.absent or not unchanged(values[name], form.absent[name])

    names += filter(is_new, known)
    listed.update(names)
    return names + [name for name in form.extras if name in values and name not in listed]
