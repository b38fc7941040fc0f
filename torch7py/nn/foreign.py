"""Layers of PyTorch's in a Torch7 model: any ``torch.nn.Module`` with Torch7's protocol around it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.copying import TensorMap
from torch7py.nn.registry import layer
from torch7py.nn.trace import Trace, same_memory
from torch7py.ops.errors import TorchError

__all__ = ["PyTorch", "as_layer"]

_layers: weakref.WeakKeyDictionary[torch.nn.Module, weakref.ref[Module]] = weakref.WeakKeyDictionary()


def as_layer(module: torch.nn.Module) -> Module:
    """The module itself where it speaks Torch7's protocol, else the one layer around it."""
    if isinstance(module, Module):
        return module
    reference = _layers.get(module)
    known = None if reference is None else reference()
    if known is None:
        known = PyTorch(module)
        _layers[module] = weakref.ref(known)
    return known


class _Call(Trace):
    """The graph of one call, with aliases of all parameters of the module inside."""

    def __init__(self, owner: PyTorch, input: Any, keep_buffers: bool = False) -> None:
        aliases = {name: p.data.requires_grad_() for name, p in owner.trained()}
        buffers = {name: b.clone() for name, b in owner.module.named_buffers()} if keep_buffers else {}
        super().__init__(
            owner, lambda value: _as_table(_called(owner.module, aliases | buffers, value)), input
        )
        self.parameters = aliases

    def is_of(self, module: Any, input: Any) -> bool:
        now = dict(module.trained())
        return (
            now.keys() == self.parameters.keys()
            and all(same_memory(alias, now[name]) for name, alias in self.parameters.items())
            and same_memory(self.input, input)
        )


def _called(module: torch.nn.Module, parameters: dict[str, torch.Tensor], input: Any) -> Any:
    arguments = tuple(input) if isinstance(input, list) else (input,)
    return torch.func.functional_call(module, parameters, arguments)


def _as_table(output: Any) -> Any:
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, (list, tuple)):
        return [_as_table(item) for item in output]
    raise TorchError(f"nn.PyTorch: the module returned a {type(output).__name__}, not a tensor or several")


@layer("nn.PyTorch", package="pytorch", takes="any", gives="any")
class PyTorch(Module):
    """``nn.PyTorch(module)``: a layer of PyTorch's, what ``runtime.globals["m"] = torch.nn.Linear(4, 3)`` is in Lua.

    A table of inputs is passed as so many arguments; several results are a table. Its parameters, with their
    ``grad`` as gradients, are those of the module, and so are training mode and type.

    Shapes: the module's.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        if not isinstance(module, torch.nn.Module):
            raise TorchError("nn.PyTorch is made of a torch.nn.Module, in Python")
        super().__init__()
        self.module = module
        self.__dict__["training"] = module.training
        first = next((p for p in module.parameters() if p.is_floating_point()), None)
        if first is not None:
            self.__dict__["_type"] = {
                torch.float32: "torch.FloatTensor",
                torch.float16: "torch.HalfTensor",
            }.get(first.dtype, "torch.DoubleTensor")

    def trained(self) -> list[tuple[str, torch.nn.Parameter]]:
        """The parameters that have gradients, by name."""
        return [(name, p) for name, p in self.module.named_parameters() if p.requires_grad]

    def forward(self, input: Any) -> Any:
        return _as_table(self.module(*input) if isinstance(input, list) else self.module(input))

    def updateOutput(self, input: Any) -> Any:
        trace = self.__dict__["_trace"] = _Call(self, input)
        return self.keep_output(trace.output)

    def trace(self, input: Any) -> Trace:
        trace: Trace | None = self.__dict__.get("_trace")
        if trace is None or not trace.is_of(self, input):
            # running statistics are of forward passes
            trace = self.__dict__["_trace"] = _Call(self, input, keep_buffers=True)
        return trace

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        trace = self.trace(input)
        gradients = trace.gradients(list(trace.parameters.values()), gradOutput)
        for (_, parameter), gradient in zip(self.trained(), gradients, strict=True):
            if gradient is not None:
                _gradient(parameter).add_(gradient, alpha=scale)

    def torch7_parameters(self) -> Any:
        trained = [p for _, p in self.trained()]
        return (list(trained), [_gradient(p) for p in trained]) if trained else None

    def set_training(self) -> None:
        super().set_training()
        self.module.train()

    def set_evaluate(self) -> None:
        super().set_evaluate()
        self.module.eval()

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        super().convert(convert, type_name, seen)
        apply: Callable[..., Any] = self.module._apply
        apply(lambda tensor: convert(tensor) if tensor.is_floating_point() else tensor)

    def reset(self, stdv: float | None = None) -> None:
        if stdv is not None:
            raise TorchError(
                "nn.PyTorch: a layer of PyTorch's draws its parameters its own way; reset takes nothing"
            )
        for part in self.module.modules():
            draw = getattr(part, "reset_parameters", None)
            if draw is not None:
                draw()

    def describe(self) -> str:
        return f"nn.PyTorch({self.module!r})"

    def engine_fields_to_save(self, lua_fields: Any = None) -> dict[str, Any]:
        raise TorchError(
            f"nn.PyTorch: a {type(self.module).__name__} of PyTorch's cannot be saved in a .t7 file; torch.save can"
        )


def _gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
