"""Containers: layers made of layers."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import torch

from torch7py.nn.arguments import numbered, size_text
from torch7py.nn.base import Module
from torch7py.nn.dpnn_methods import entries, first_of, flattened_table
from torch7py.nn.foreign import as_layer
from torch7py.nn.object import TorchObject, as_parents, names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.quirks import older

__all__ = ["ConcatTable", "Container", "ParallelTable", "Sequential", "add_up", "like"]


@layer("nn.Container", takes="parts", gives="parts")
class Container(Module):
    """``nn.Container()``: holds modules in order and passes on what concerns all of them."""

    fields: ClassVar[tuple[str, ...]] = ("modules",)
    essential = ("modules",)
    structural = Module.structural | {"add", "insert", "remove"}
    appending = ("add",)
    lua_methods = names(
        "add get insert remove",
        size="__len__",
        applyToModules="apply_to_modules",
        rethrowErrors="rethrow_errors",
    )

    @as_parents
    def __init__(self, *modules: Module) -> None:
        super().__init__()
        for module in modules:
            self.add(module)

    def child_list(self) -> list[TorchObject]:
        return list(self._modules.values())  # type: ignore[arg-type]

    def set_child_list(self, children: list[Any]) -> None:
        self._modules.clear()
        for number, child in enumerate(children):
            self._modules[str(number)] = as_layer(child)

    def add(self, module: Module | None = None) -> Container:
        """``c:add(module)``: append it, nothing for nil; returns the container."""
        if module is None:
            return self
        if not isinstance(module, torch.nn.Module):
            raise TorchError(f"{self.class_name}:add expects a module")
        self._modules[str(len(self._modules))] = as_layer(module)
        return self

    def get(self, index: int) -> Any:
        """``c:get(i)``: the i-th module, 1-based; nil beyond the last."""
        children = self.child_list()
        return children[int(index) - 1] if 1 <= index <= len(children) else None

    def insert(self, module: Module, index: int | None = None) -> None:
        """``c:insert(module[, i])``: put it before the i-th module, by default at the end."""
        children = self.child_list()
        position = len(children) + 1 if index is None else int(index)
        if not 1 <= position <= len(children) + 1:
            raise TorchError(f"insert: index {position} out of range 1 to {len(children) + 1}")
        children.insert(position - 1, module)
        self.set_child_list(children)

    def remove(self, index: int | None = None) -> Any:
        """``c:remove([i])``: take out the i-th module, by default the last, and return it."""
        children = self.child_list()
        position = len(children) if index is None else int(index)
        if not 1 <= position <= len(children):
            raise TorchError(f"remove: index {position} out of range 1 to {len(children)}")
        removed = children.pop(position - 1)
        self.set_child_list(children)
        return removed

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, index: int) -> Any:
        """The child of a 0-based index, as Python counts."""
        return self.child_list()[index]

    def apply_to_modules(self, function: Any) -> None:
        """``c:applyToModules(f)``: call f with each direct child."""
        for child in self.child_list():
            function(child)

    def _pass_on(self, method: str, attribute: str, *arguments: Any) -> None:
        """Call a method of each child, through ``applyToModules`` if that is a script's.

        ``method`` is its name in a script, ``attribute`` the one in Python.
        """
        if "apply_to_modules" in self.__dict__:
            self.__dict__["_overrides"].pass_on(self, method, *arguments)
            return
        for child in self.children_of():
            getattr(child, attribute)(*arguments)

    def rethrow_errors(self, module: Any, index: int, method: str, *arguments: Any) -> Any:
        """``c:rethrowErrors(module, i, method, ...)``: call a method of the i-th module."""
        return getattr(module, type(module).exports().get(method, method))(*arguments)

    def callees(self) -> list[Any]:
        """The children for calls of forward and backward, which go through a script's ``rethrowErrors``."""
        children = self.child_list()
        if "rethrow_errors" not in self.__dict__:
            return children
        return [_Rethrowing(self, number, child) for number, child in enumerate(children, 1)]

    # -- what concerns every child ------------------------------------------------------------------------

    def torch7_parameters(self) -> Any:
        parameters: list[Any] = []
        gradients: list[Any] = []
        for child in self.children_of():
            pairs = child.torch7_parameters()
            if pairs is not None:
                parameters += flattened_table(first_of(pairs))
                gradients += (
                    flattened_table(pairs[1]) if isinstance(pairs, tuple) and pairs[1] is not None else []
                )
        return parameters, gradients

    def sparseParameters(self) -> Any:
        """``c:sparseParameters()``: those of all children, numbered on; and how many numbers there are."""
        if not any(getattr(part, "sparse", False) for part in self.modules()):
            parameters, gradients, *_ = super().sparseParameters()
            return parameters, gradients, [], len(parameters)
        tables: tuple[dict[int, Any], ...] = ({}, {}, {})
        size = 0
        for child in self.children_of():
            parameters = child.sparseParameters()
            if not parameters:
                continue
            for table, part in zip(tables, parameters, strict=False):
                table.update((size + number, value) for number, value in entries(part))
            size += parameters[3] if len(parameters) > 3 else len(parameters[0])
        return *tables, size

    def zeroGradParameters(self) -> None:
        self._pass_on("zeroGradParameters", "zeroGradParameters")

    def updateParameters(self, learningRate: float) -> None:
        self._pass_on("updateParameters", "updateParameters", learningRate)

    def set_training(self) -> None:
        # Scripts say it before every step, to every copy of a graph: of most modules it is two fields.
        if "apply_to_modules" in self.__dict__:
            self._pass_on("training", "set_training")
        else:
            for child in self.children_of():
                attributes = child.__dict__
                if type(child).set_training is Module.set_training and "_marked" not in attributes:
                    attributes["training"] = attributes["_mode_set"] = True
                else:
                    child.set_training()
        super().set_training()

    def set_evaluate(self) -> None:
        self._pass_on("evaluate", "set_evaluate")
        super().set_evaluate()

    def share(self, other: TorchObject | None, *fields: str) -> Module:
        theirs = (other.child_list() if other is not None else None) or []
        for number, one in enumerate(self.child_list()):
            one.share(theirs[number] if number < len(theirs) else None, *fields)
        return self

    def reset(self, stdv: float | None = None) -> None:
        self._pass_on("reset", "reset", stdv)

    def clearState(self) -> Module:
        self.__dict__.pop("_trace", None)
        self.let_go_of_results()
        for child in self.children_of():
            child.clearState()
        return self

    def set_output(self, value: Any) -> Any:
        """Take another module's result as the output, as it is."""
        self.__dict__["output"] = value
        return value

    def set_grad_input(self, value: Any) -> Any:
        self.__dict__["gradInput"] = value
        return value

    # -- text ---------------------------------------------------------------------------------------------

    def _branches(self) -> str:
        """The text of a container whose children stand side by side."""
        children = self.child_list()
        lines = [self.class_name + " {", "  input"]
        for number, child in enumerate(children, 1):
            last = number == len(children) and not older("last branch")
            bar = "       " if last else "  |    "
            text = child.describe().replace("\n", "\n  " + bar)
            lines.append(f"  {'   ' if last else '  |'}`-> ({number}): {text}")
        lines += ["     ... -> output", "}"]
        return "\n".join(lines)


class _Rethrowing:
    """A module of a container, whose methods the container's ``rethrowErrors`` calls."""

    def __init__(self, container: Container, number: int, module: Any) -> None:
        self._container, self._number, self._module = container, number, module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        return functools.partial(self._call, name) if name in _RETHROWN else value

    def __call__(self, input: Any) -> Any:
        return self._module(input)

    def _call(self, name: str, *arguments: Any) -> Any:
        return self._container.rethrow_errors(self._module, self._number, name, *arguments)


_RETHROWN = frozenset(
    "updateOutput updateGradInput accGradParameters backward accUpdateGradParameters".split()
)


@layer("nn.Sequential", parts="chain")
class Sequential(Container):
    """``nn.Sequential()``: one module after the other.

    Shapes: what the first takes, what the last gives. ``#m`` is the number of modules.
    """

    lua_methods = names(__len="__len__")
    appending = ("add",)

    def __len__(self) -> int:
        return super().__len__()  # of all containers this one alone has Lua's #

    def add(self, module: Module | None = None) -> Container:
        if module is None:
            raise TorchError(f"{self.class_name}:add expects a module")
        super().add(module)
        self._take_ends()
        return self

    def insert(self, module: Module, index: int | None = None) -> None:
        super().insert(module, index)
        self._take_ends()

    def remove(self, index: int | None = None) -> Any:
        removed = super().remove(index)
        self._take_ends()
        return removed

    def _take_ends(self) -> None:
        """Have the output of the last module and the gradInput of the first, before any forward too."""
        modules = self._modules.values()
        for name, module in (
            ("output", next(reversed(modules), None)),
            ("gradInput", next(iter(modules), None)),
        ):
            value = None if module is None else module.__dict__.get(name)
            if value is not None:
                self.__dict__[name] = value

    def forward(self, input: Any) -> Any:
        for module in self.child_list():
            input = module(input)
        return input

    def updateOutput(self, input: Any) -> Any:
        modules = self.callees() if "_marked" in self.__dict__ else self._modules.values()
        for module in modules:
            input = module.updateOutput(input)  # type: ignore[union-attr,operator]
        return self.set_output(input)

    def _backwards(self, input: Any) -> list[tuple[Any, Any]]:
        """The modules from the last to the first, each with its input."""
        modules = self.callees()
        inputs = [input, *(module.output for module in modules[:-1])]
        return list(zip(reversed(modules), reversed(inputs), strict=True)) if modules else []

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        for module, its_input in self._backwards(input):
            gradOutput = module.updateGradInput(its_input, gradOutput)
        return self.set_grad_input(gradOutput)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        for module, its_input in self._backwards(input):
            module.accGradParameters(its_input, gradOutput, scale)
            gradOutput = module.gradInput

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        for module, its_input in self._backwards(input):
            gradOutput = module.backward(its_input, gradOutput, scale)
            module.__dict__["gradInput"] = gradOutput
        return self.set_grad_input(gradOutput)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        for module, its_input in self._backwards(input):
            module.accUpdateGradParameters(its_input, gradOutput, lr)
            gradOutput = module.gradInput

    def describe(self) -> str:
        children = self.child_list()
        chain = " -> ".join(f"({number})" for number in range(1, len(children) + 1))
        # Upstream writes this name whatever the class.
        lines = ["nn.Sequential {", f"  [input -> {chain}{' -> ' if chain else ''}output]"]
        lines += [
            f"  ({i}): " + child.describe().replace("\n", "\n  ") for i, child in enumerate(children, 1)
        ]
        return "\n".join([*lines, "}"])


@layer("nn.ConcatTable", takes="any", gives="table", parts="branches")
class ConcatTable(Container):
    """``nn.ConcatTable()``: the same input to every module; the output is the table of their outputs.

    Shapes: what every module takes -> a table of what each gives.
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        self.__dict__["output"] = []
        for module in modules:
            self.add(module)

    def forward(self, input: Any) -> list[Any]:
        return [module(input) for module in self.child_list()]

    def updateOutput(self, input: Any) -> Any:
        return self.keep_list("output", [m.updateOutput(input) for m in self.callees()])

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self._sum(input, [m.updateGradInput(input, g) for m, g in self._pair_up(gradOutput)])

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        return self._sum(input, [m.backward(input, g, scale) for m, g in self._pair_up(gradOutput)])

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        for module, gradient in self._pair_up(gradOutput):
            module.accGradParameters(input, gradient, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        for module, gradient in self._pair_up(gradOutput):
            module.accUpdateGradParameters(input, gradient, lr)

    def _pair_up(self, values: Any) -> list[tuple[Any, Any]]:
        modules = self.callees()
        if isinstance(values, torch.Tensor) and values.dim() > 1:
            values = list(values)  # the original takes entries by number, of a tensor too
        values = numbered(values)
        if not isinstance(values, list) or len(values) < len(modules):
            raise TorchError(f"{self.class_name} expects a table of {len(modules)} gradients")
        return list(zip(modules, values, strict=False))

    def _sum(self, input: Any, gradients: list[Any]) -> Any:
        """The sum of the branches' gradients, in the nesting of the input."""
        present = [g for g in gradients if g is not None]
        if not present:
            return self.set_grad_input(None if gradients else self.gradInput)
        total = add_up(self, present)
        return self.keep_grad_input(total, present)

    def describe(self) -> str:
        return self._branches()


def add_up(layer: TorchObject, gradients: list[Any]) -> Any:
    """The sum of what the modules of a layer give back, in the nesting and the sizes of the first.

    Torch7 adds tensors of different sizes element by element where they have as many, and broadcasts none.
    """
    first, *others = [gradient for gradient in gradients if gradient is not None] or [None]
    if first is None:
        return None
    if isinstance(first, list):
        if any(not isinstance(other, list) or len(other) != len(first) for other in others):
            raise TorchError(
                f"{layer.class_name}: the gradients of its modules are tables of different lengths"
            )
        return [add_up(layer, [gradient[i] for gradient in (first, *others)]) for i in range(len(first))]
    total = first.data.clone()
    for other in others:
        total.add_(
            other
            if other.__class__ is torch.Tensor and other.shape == total.shape
            else like(layer, other, total)
        )
    return total


def like(layer: TorchObject, gradient: Any, first: torch.Tensor) -> torch.Tensor:
    """A gradient in the sizes of the first; it must have as many elements."""
    if not isinstance(gradient, torch.Tensor) or gradient.numel() != first.numel():
        sizes = size_text(gradient) if isinstance(gradient, torch.Tensor) else "not a tensor"
        raise TorchError(
            f"{layer.class_name}: a module's gradient is {sizes}, to be added to {size_text(first)}"
        )
    return gradient.reshape(first.shape)


@layer("nn.ParallelTable", takes="table", gives="table", parts="entries")
class ParallelTable(Container):
    """``nn.ParallelTable()``: the i-th module gets the i-th entry of the input table.

    Shapes: a table of inputs, a table of as many outputs.
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        self.__dict__.update(output=[], gradInput=[])
        for module in modules:
            self.add(module)

    def forward(self, input: list[Any]) -> list[Any]:
        return [module(item) for module, item in self._pair_up(input, "inputs")]

    def updateOutput(self, input: Any) -> Any:
        pairs = self._pair_up(input, "inputs")
        return self.keep_list("output", [m.updateOutput(x) for m, x in pairs])

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        return self.keep_list(
            "gradInput", [m.updateGradInput(x, g) for m, x, g in self._triples(input, gradOutput)]
        )

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        for module, item, gradient in self._triples(input, gradOutput):
            module.accGradParameters(item, gradient, scale)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        for module, item, gradient in self._triples(input, gradOutput):
            module.accUpdateGradParameters(item, gradient, lr)

    def _pair_up(self, values: Any, what: str) -> list[tuple[Any, Any]]:
        modules = self.callees()
        if isinstance(values, torch.Tensor) and values.dim() > 1:
            values = list(values)  # the original takes entries by number, of a tensor too
        if not isinstance(values, list) or len(values) < len(modules):
            raise TorchError(f"{self.class_name} expects a table of {len(modules)} {what}")
        return list(zip(modules, values, strict=False))

    def _triples(self, input: Any, gradOutput: Any) -> list[tuple[Any, Any, Any]]:
        gradients = self._pair_up(gradOutput, "gradients")
        return [(m, x, g) for (m, x), (_, g) in zip(self._pair_up(input, "inputs"), gradients, strict=True)]

    def describe(self) -> str:
        return self._branches()
