"""Names for inner parameters of a layer, instead of the path of numbers that leads to them.

PyTorch names parameters and the entries of a ``state_dict`` after the modules on the path. A layer built as in the
original has its weights at paths such as ``0.1.0.0.1``; here they are named as in the layer's formula. A state with
the paths as names can be loaded too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

__all__ = ["PartNames"]


class PartNames(torch.nn.Module):
    """A module some of whose parts have names."""

    def part_names(self) -> dict[str, torch.nn.Module]:
        """The parts that have a name, by it."""
        raise NotImplementedError

    def _paths(self) -> dict[str, str]:
        """The path to each such part, to its name."""
        name_of = {id(part): name for name, part in self.part_names().items()}
        return {
            path: name_of[id(part)]
            for path, part in super().named_modules(remove_duplicate=False)
            if id(part) in name_of
        }

    def __getattr__(self, name: str) -> Any:
        if name in ("_modules", "_parameters", "_buffers"):  # not there yet
            raise AttributeError(name)
        part = self.part_names().get(name) if not name.startswith("__") else None
        return super().__getattr__(name) if part is None else part

    def named_modules(
        self, memo: set[torch.nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, torch.nn.Module]]:
        name_of = {id(part): name for name, part in self.part_names().items()}
        start = f"{prefix}." if prefix else ""
        renamed: list[tuple[str, str]] = []
        for name, module in super().named_modules(memo, prefix, remove_duplicate):
            if id(module) in name_of:
                renamed.append((name, start + name_of[id(module)]))
            for path, new in renamed:
                if name == path or name.startswith(f"{path}."):
                    name = new + name[len(path) :]
                    break
            yield name, module

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        state = super().state_dict(*args, destination=destination, prefix=prefix, keep_vars=keep_vars)
        _rename(state, prefix, self._paths())
        return state

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any) -> None:
        _rename(state_dict, prefix, {name: path for path, name in self._paths().items()})
        super()._load_from_state_dict(state_dict, prefix, *others)


def _rename(state: Any, prefix: str, names: dict[str, str]) -> None:
    """Rename the entries of these parts in place, in their order."""
    entries = [(key, value) for key, value in state.items() if key.startswith(prefix)]
    for key, _ in entries:
        del state[key]
    for key, value in entries:
        name = key[len(prefix) :]
        for old, new in names.items():
            if name.startswith(f"{old}."):
                name = new + name[len(old) :]
                break
        state[prefix + name] = value
