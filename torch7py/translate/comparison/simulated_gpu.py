"""A GPU for a page whose original computed with ``--cuda-as cpu``.

Tensors on it are of a class of their own, and lie in ordinary memory. What is computed of them is there as well; an
operation of one that is there with one that is not is the error that it would be on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

__all__ = ["changes"]

_FROM_ANYWHERE = {"copy_", "__setitem__", "__getitem__", "__set__", "to", "type_as", "set_", "new_tensor"}
_IS_CUDA: Any = torch.Tensor.is_cuda
_FACTS: dict[Any, Any] = {
    torch.Tensor.get_device: lambda x: 0,
    _IS_CUDA.__get__: lambda x: True,
    torch.Tensor.cuda: lambda x: x,
    torch.Tensor.cpu: lambda x: _leave(x),
}


class OnCard(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _FACTS:
            return _FACTS[func](args[0])
        if func is torch.Tensor.type and len(args) == 1 and not kwargs:
            return torch.Tensor.type(args[0].as_subclass(torch.Tensor)).replace("torch.", "torch.cuda.")
        name = getattr(func, "__name__", "")
        if name not in _FROM_ANYWHERE and any(type(x) in _ELSEWHERE and x.dim() for x in _tensors(args)):
            raise RuntimeError(f"{name}: expected all tensors to be on the same device")
        with torch._C.DisableTorchFunctionSubclass():
            return _placed(func(*args, **(kwargs or {})))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            with torch._C.DisableTorchFunctionSubclass():
                copy = self.detach().clone().as_subclass(torch.Tensor)
                if isinstance(self, ParameterOnCard):
                    copy = nn.Parameter(copy, self.requires_grad)
                    copy.__class__ = ParameterOnCard
                else:
                    copy = copy.as_subclass(OnCard).requires_grad_(self.requires_grad)
                if self.grad is not None:
                    copy.grad = self.grad.clone()
            memo[id(self)] = copy
        return memo[id(self)]


class ParameterOnCard(OnCard, nn.Parameter):
    pass


_ELSEWHERE = (torch.Tensor, nn.Parameter)


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _placed(result: Any) -> Any:
    """What an operation gives, on the GPU."""
    if type(result) is torch.Tensor:
        return result.as_subclass(OnCard)
    if isinstance(result, (list, tuple)) and any(type(x) is torch.Tensor for x in result):
        placed = [_placed(x) for x in result]
        return type(result)(placed) if type(result) in (list, tuple) else type(result)(iter(placed))
    return result


def _leave(x: torch.Tensor) -> torch.Tensor:
    with torch._C.DisableTorchFunctionSubclass():
        return x.clone().as_subclass(torch.Tensor)


def _move(module: nn.Module, parameter: type[nn.Parameter], tensor: type[torch.Tensor]) -> nn.Module:
    """All weights and statistics of a module to the GPU, or from it: the same objects, as PyTorch has it."""
    with torch._C.DisableTorchFunctionSubclass():
        for part in module.modules():
            for p in part._parameters.values():
                if p is not None:
                    p.__class__ = parameter
                    if p.grad is not None:
                        p.grad = p.grad.as_subclass(tensor)
            for name, buffer in part._buffers.items():
                part._buffers[name] = None if buffer is None else buffer.as_subclass(tensor)
    return module


class _DataParallel(nn.Module):
    """Of one GPU."""

    def __init__(self, module: nn.Module, *_: Any, **__: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Any) -> Any:
        return self.module(*inputs)


def changes(gpu: bool) -> list[tuple[Any, str, Any]]:
    """What of PyTorch is replaced: with one GPU, or with none, as the original had."""
    if not gpu:
        return [(torch.cuda, "is_available", lambda: False)]
    return [
        (torch.cuda, "is_available", lambda: True),
        (torch.cuda, "device_count", lambda: 1),
        (torch.cuda, "current_device", lambda: 0),
        (torch.cuda, "set_device", lambda device: None),
        (torch.cuda, "synchronize", lambda *_: None),
        (torch.cuda, "manual_seed", lambda seed: None),
        (torch.cuda, "manual_seed_all", lambda seed: None),
        (torch.cuda, "get_rng_state", torch.get_rng_state),
        (torch.cuda, "set_rng_state", lambda state: None),
        (
            torch.Tensor,
            "cuda",
            lambda x, *_, **__: x if isinstance(x, OnCard) else x.clone().as_subclass(OnCard),
        ),
        (torch.Tensor, "cpu", lambda x: _leave(x) if isinstance(x, OnCard) else x),
        (nn.Module, "cuda", lambda module, *_: _move(module, ParameterOnCard, OnCard)),
        (nn.Module, "cpu", lambda module: _move(module, nn.Parameter, torch.Tensor)),
        (nn, "DataParallel", _DataParallel),
    ]
