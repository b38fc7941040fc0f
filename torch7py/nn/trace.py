"""One call of a layer's ``forward`` under autograd, kept so that its backward can be asked for.

Torch7 computes gradients layer by layer from what is in memory at that moment: inputs, weights and outputs
as the script has since left them. So the call runs on aliases: tensors of the same memory that autograd has
not seen before. Whatever is written to that memory later is seen by the backward, and no version counter
objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = ["Trace", "derivatives", "leaves_of", "same_memory", "same_sizes"]

# What ``torch.autograd.grad`` calls at its end; not every version need have it.
_engine: Callable[..., Sequence[torch.Tensor | None]] | None = getattr(
    torch.autograd.graph, "_engine_run_backward", None
)


def leaves_of(value: Any) -> Iterator[torch.Tensor]:
    """The tensors in a tensor or a nested list of tensors, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves_of(item)


def same_memory(a: Any, b: Any) -> bool:
    """Whether two inputs are the same tensors: same memory, sizes and strides, in the same nesting."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a is b or (
            a.data_ptr() == b.data_ptr()
            and a.dtype == b.dtype
            and a.is_same_size(b)
            and a.stride() == b.stride()
        )
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_memory, a, b))
    return a is b


def same_sizes(a: Any, b: Any) -> bool:
    """Whether two inputs have the same sizes and types, in the same nesting."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.dtype == b.dtype and a.is_same_size(b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_sizes, a, b))
    return a is b


def _alias(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        alias = value.data
        return alias.requires_grad_() if alias.is_floating_point() else alias
    if isinstance(value, list):
        return [_alias(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """A nested list as it is now, so that a later refill of the original does not change it."""
    return [_plain(item) for item in value] if isinstance(value, list) else value


def derivatives(
    outputs: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]
) -> list[torch.Tensor | None]:
    """``torch.autograd.grad`` of outputs whose gradients have their sizes; the graph stays.

    Its own check of those sizes imports what PyTorch has for symbolic ones, sympy among it, which takes a third of a
    second at the first call and at every call a quarter of the time of a small backward.
    """
    if _engine is None:
        return list(torch.autograd.grad(outputs, wanted, gradients, retain_graph=True, allow_unused=True))
    return list(
        _engine(tuple(outputs), tuple(gradients), True, False, tuple(wanted), True, accumulate_grad=False)
    )


class Trace:
    """The graph of one call: ``output`` on aliases of ``input`` and of the layer's parameters."""

    __slots__ = ("aliases", "exact", "held", "input", "output", "parameters", "sources")

    def __init__(
        self,
        module: torch.nn.Module,
        forward: Callable[[Any], Any],
        input: Any,
        copies_parameters: bool = False,
    ) -> None:
        """``copies_parameters``: ``forward`` computes with copies, and the graph sees nothing of later changes."""
        self.input = _alias(input)
        self.exact = getattr(module, "exact_gradient", False) and not older("gradients of any shape")
        self.sources = {name: p for name, p in module._parameters.items() if p is not None}
        self.parameters = {name: p.data.requires_grad_() for name, p in self.sources.items()}
        self.held = {n: p.detach().clone() for n, p in self.sources.items()} if copies_parameters else {}
        module._parameters.update(self.parameters)  # type: ignore[arg-type]
        try:
            with torch.enable_grad():
                self.output = forward(self.input)
        finally:
            module._parameters.update(self.sources)

    def is_of(self, module: torch.nn.Module, input: Any) -> bool:
        """Whether this is the call on this input with the parameters that the module has now."""
        for name, parameter in module._parameters.items():
            if parameter is not None:
                alias = self.parameters.get(name)
                if alias is None or not same_memory(alias, parameter):
                    return False
                held = self.held.get(name)
                if held is not None and not torch.equal(held, parameter):
                    return False
        return same_memory(self.input, input)

    def gradients(self, wanted: list[torch.Tensor], grad_output: Any) -> list[torch.Tensor | None]:
        """The gradients of ``sum(output * grad_output)``; None where there is no dependence."""
        gradients = list(leaves_of(grad_output))
        outputs = list(leaves_of(self.output))
        if len(gradients) != len(outputs):
            raise TorchError(f"gradOutput has {len(gradients)} tensors, the output {len(outputs)}")
        pairs = [
            (o, _shaped(g, o, self.exact)) for o, g in zip(outputs, gradients, strict=True) if o.requires_grad
        ]
        if not pairs or not wanted:
            return [None] * len(wanted)
        outs, grads = zip(*pairs, strict=True)
        return derivatives(outs, wanted, grads)


def _shaped(gradient: torch.Tensor, output: torch.Tensor, exact: bool) -> torch.Tensor:
    """A gradient in the shape of its output: tensors of as many elements fit each other, unless it must have it."""
    if gradient.is_same_size(output):
        return gradient
    if exact or gradient.numel() != output.numel():
        sizes = ("x".join(map(str, t.shape)) if t.numel() else "empty" for t in (gradient, output))
        raise TorchError("gradOutput is {}, the output {}".format(*sizes))
    return gradient.reshape(output.shape)
