"""Torch7's modules as objects: the program sees their methods and fields, PyTorch's modules inside compute."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from torch7py.translate.page_library.graphs import Graph
from torch7py.translate.page_library.layers import (
    CALLS,
    Container,
    Derived,
    Layer,
    Object,
    are_same,
    backward,
    forward,
    map_tensors,
    run,
    steps_of,
    tensors_in,
)
from torch7py.translate.page_library.tensors import as_type
from torch7py.translate.page_library.values import SETTINGS, SIZES, NotInPage, field_of_layer, items_of

OVER_CLASSES = (nn.LogSoftmax, nn.Softmax, nn.Softmin)
# Layers whose gradient Torch7 computes from their input, which is their output where they write over it: the same, as
# long as nothing else does.
BY_THEIR_INPUT = (nn.ReLU, nn.LeakyReLU, nn.ReLU6, nn.Hardtanh, nn.Threshold)


def set_field(module: Any, name: str, value: Any) -> None:
    """A field that the program sets: PyTorch's module inside computes by it, where it is a setting."""
    base = module.base
    if base is not None and name in SETTINGS:
        if name == "sizeAverage" and hasattr(base, "reduction"):
            base.reduction = "mean" if value else "sum"
        elif name == "sizeAverage" and (value or module.summed is not None):
            object.__setattr__(module, "base", base if value else module.summed)
        elif name in ("p", "eps", "momentum") and hasattr(base, name):
            setattr(base, name, value)
        else:
            raise NotInPage(f"the field {name} of {module.NAME} is set to {value!r:.40}")


def factor(scale: Any) -> Any:
    """What gradients of weights are multiplied by: 1 where the program does not say."""
    return 1 if scale is None else scale


class Built(Object, Derived):
    """One of Torch7's layers, which ``base`` computes.

    ``steps``: whether that takes a sequence as one tensor. ``gives_table``: whether the layer gives a table, for which
    ``base`` may have one tensor. ``in_place``: whether the layer writes its output over its input, and the gradient of
    that over the output's. ``closed``: whether Torch7's has modules inside. ``reads_output``: whether its gradients are
    computed from its output, which must not have changed then. ``turned``: whether the last two dimensions of its
    weight are one in Torch7, and the other way about there.
    """

    INNER = ("base",)

    def __init__(
        self,
        name: str,
        base: Any,
        steps: bool = False,
        unknown: tuple[str, ...] = (),
        in_place: Any = None,
        closed: bool = False,
        reads_output: bool = True,
        turned: bool = False,
        gives_table: bool = False,
        **fields: Any,
    ) -> None:
        super().__init__()
        vars(self)["_is_turned"] = turned
        if turned:  # its elements lie in memory as they do in Torch7
            base.weight.data = base.weight.data.mT.contiguous().mT
        self.NAME, self.steps, self.UNKNOWN = name, steps, unknown
        self.in_place, self.closed = in_place is True, closed
        self.gives_table, self.is_whole = gives_table, False
        for field, value in fields.items():
            setattr(self, field, value)
        object.__setattr__(base, "output_is_free", not reads_output)
        self.derive(base)
        self.share_gradients()

    def __setattr__(self, name: str, value: Any) -> None:
        set_field(self, name, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name in self.UNKNOWN and name in ("eps", "momentum") and hasattr(self.base, name):
            return getattr(self.base, name)
        if name in self.UNKNOWN and name in SIZES and hasattr(self.base, "kernel_size"):
            return field_of_layer(self.base, name)
        return super().__getattr__(name)

    def updateOutput(self, *inputs: Any) -> Any:
        if isinstance(self.base, OVER_CLASSES):  # classes of planes come before the planes
            is_of_planes = isinstance(inputs[0], torch.Tensor) and inputs[0].dim() > 2
            self.base.dim = -3 if is_of_planes else -1
        if not self.steps or isinstance(inputs[0], torch.Tensor):
            result = super().updateOutput(*inputs)
            self.is_whole = self.gives_table and isinstance(result, torch.Tensor)
            if self.is_whole:
                self.output = list(result.unbind(0))
            if self.in_place:
                first = inputs[0] if isinstance(inputs[0], torch.Tensor) else items_of(inputs[0])[0]
                self.output = first.copy_(result)
                vars(self)["_version"] = first._version
            return self.output
        self.output = list(forward(self.base, steps_of(inputs[0]), *inputs[1:]).unbind(0))
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        if self.in_place and not isinstance(inputs, torch.Tensor):
            self.gradInput = [gradient for _ in items_of(inputs)]  # of a sum, in the same memory
            return self.gradInput
        if self.in_place:
            if self.output._version != vars(self)["_version"]:
                self._read_output_again()
            inputs = CALLS[self.base][0][0]  # before they were written over
        self.refuse_earlier(inputs)
        if not self.steps or isinstance(inputs, torch.Tensor):
            super().updateGradInput(inputs, steps_of(gradient) if self.is_whole else gradient)
            if self.in_place and isinstance(inputs, torch.Tensor):
                self.gradInput = gradient.copy_(self.gradInput)
            return self.gradInput
        whole = backward(self.base, steps_of(inputs), steps_of(gradient), which="inputs")
        self.gradInput = list(whole.unbind(0))
        return self.gradInput

    def _read_output_again(self) -> None:
        """Where something else has written over the output since, such a layer goes back by what lies there now."""
        if isinstance(self.base, nn.Dropout):
            return  # by its mask alone
        if not isinstance(self.base, BY_THEIR_INPUT):
            raise NotInPage(f"the way back of {self.NAME} in place, whose output was written over")
        forward(self.base, self.output)

    def refuse_earlier(self, inputs: Any) -> None:
        """Refuse the way back of another sequence, or another step of one, than the last: its state is gone."""
        if self.steps and not are_same(steps_of(inputs), CALLS[self.base][0][0]):
            raise NotInPage(f"the way back of an earlier call of {self.NAME}")

    def accGradParameters(self, inputs: Any, gradient: Any, scale: Any = 1) -> None:
        if self.in_place:
            return  # such a layer has no weights
        self.refuse_earlier(inputs)
        if not self.steps or isinstance(inputs, torch.Tensor):
            super().accGradParameters(inputs, steps_of(gradient) if self.is_whole else gradient, scale)
        else:
            backward(self.base, steps_of(inputs), steps_of(gradient), factor(scale), which="weights")


class BuiltGraph(Object, Layer):
    """``nn.gModule``, whose modules are objects as well: it goes there and back node by node."""

    INNER = ("base",)
    NAME = "nn.gModule"

    def __init__(self, inputs: Any, outputs: Any) -> None:
        super().__init__()
        self.base = Graph(inputs, outputs)
        self.modules_ = list(self.base.modules_)
        self.forwardnodes = self.base.nodes
        self._inputs: list[Any] = []  # what each node has been given, and the gradient of what it has given
        self._gradients: list[Any] = []

    def updateOutput(self, inputs: Any) -> Any:
        entries = [inputs] if len(self.base.first) == 1 else items_of(inputs)
        of_inputs = dict(zip(self.base.first, entries, strict=True))
        self._inputs = []
        values: list[Any] = []
        for place, (function, sources) in enumerate(self.base.steps):
            parts = [values[source] for source in sources]
            self._inputs.append(of_inputs.get(place, parts[0] if len(parts) == 1 else parts))
            is_module = isinstance(function, nn.Module)
            values.append(forward(function, self._inputs[-1]) if is_module else function(self._inputs[-1]))
        outputs = [values[place] for place in self.base.last]
        self.output = outputs if len(outputs) > 1 else outputs[0]
        return self.output

    def updateGradInput(self, _: Any, gradient: Any) -> Any:
        steps = self.base.steps
        self._gradients = [None] * len(steps)
        of_outputs = [gradient] if len(self.base.last) == 1 else items_of(gradient)
        results = list(zip(self.base.last, of_outputs, strict=True))
        first: dict[int, Any] = {}
        for place in reversed(range(len(steps))):
            own = [result for target, result in results if target == place]
            function, sources = steps[place]
            inputs = self._inputs[place]
            if isinstance(function, nn.Module):
                result = self._gradients[place] = summed_tables(own)
                if not isinstance(function.base, nn.Identity):  # which may be given an empty one
                    result = backward(function, inputs, result, which="inputs")
            else:  # an entry of a table, or whole numbers
                leaves = map_tensors(lambda x: x.detach().requires_grad_(x.is_floating_point()), inputs)
                with torch.enable_grad():
                    taken = tensors_in(function(leaves))
                if own and taken[0].requires_grad:
                    torch.autograd.backward(taken, tensors_in(summed_tables(own)))
                result = map_tensors(lambda x: torch.zeros_like(x) if x.grad is None else x.grad, leaves)
            if not sources:
                first[place] = result
            else:
                results += zip(sources, [result] if len(sources) == 1 else items_of(result), strict=True)
        gradients = [first[place] for place in self.base.first]
        self.gradInput = gradients if len(gradients) > 1 else gradients[0]
        return self.gradInput

    def accGradParameters(self, _: Any, gradient: Any, scale: Any = 1) -> None:
        for (function, _sources), inputs, own in zip(
            self.base.steps, self._inputs, self._gradients, strict=True
        ):
            if isinstance(function, nn.Module) and not isinstance(function.base, nn.Identity):
                backward(function, inputs, own, factor(scale), which="weights")


class View(Object, Layer):
    """``nn.View``: the elements of the input in another shape, that of each example of a batch."""

    NAME = "nn.View"

    def __init__(self, *sizes: Any) -> None:
        super().__init__()
        self.resetSize(*sizes)

    def resetSize(self, *sizes: Any) -> Any:
        flat_sizes = (
            list(sizes)
            if not sizes or isinstance(sizes[0], (int, float))
            else [*items_of(sizes[0]), *sizes[1:]]
        )
        self.batchMode = flat_sizes.pop() if flat_sizes and isinstance(flat_sizes[-1], bool) else None
        self.size = torch.Size(int(size) for size in flat_sizes)
        self.numElements = math.prod(size for size in self.size if size != -1)
        return self

    def setNumInputDims(self, dims: Any) -> Any:
        self.numInputDims = int(dims)
        return self

    def updateOutput(self, inputs: Any) -> Any:
        first = inputs.dim() - (self.numInputDims or inputs.dim())
        elements = math.prod(inputs.shape[first:])
        if self.numElements == 0 or elements % self.numElements:
            raise ValueError(f"nn.View of {list(inputs.shape)} as {list(self.size)}")
        batch = (1 if -1 in self.size else elements // self.numElements) * math.prod(inputs.shape[:first])
        single = batch == 1 and first == 0
        self.output = inputs.detach().reshape(self.size if single else (batch, *self.size))
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        self.gradInput = gradient.reshape(inputs.shape)
        return self.gradInput


class Reshape(View):
    """``nn.Reshape``, whose last argument tells whether its input is a batch."""

    NAME = "nn.Reshape"

    def updateOutput(self, inputs: Any) -> Any:
        single = inputs.numel() == self.numElements and inputs.shape[0] != 1
        single = single if self.batchMode is None else not self.batchMode
        self.output = inputs.detach().reshape(self.size if single else (inputs.shape[0], *self.size)).clone()
        return self.output


class MaxUnpooling(Object, Layer):
    """``nn.SpatialMaxUnpooling(pooling)``: elements go back to where a pooling has taken them from in its last call."""

    NAME = "nn.SpatialMaxUnpooling"

    def __init__(self, pooling: Any) -> None:
        super().__init__()
        vars(self)["pooling"] = pooling  # which is no part of this
        self.places = torch.empty(0)

    def updateOutput(self, inputs: Any) -> Any:
        base, whole = vars(self)["pooling"].base, CALLS[vars(self)["pooling"].base][0][0]
        sizes = base.kernel_size, base.stride, base.padding, base.dilation, base.ceil_mode
        self.places = nn.functional.max_pool2d(whole, *sizes, return_indices=True)[1].flatten(-2)
        flat = inputs.new_zeros(whole.shape).flatten(-2).scatter_(-1, self.places, inputs.flatten(-2))
        self.output = flat.view(whole.shape)
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        self.gradInput = gradient.flatten(-2).gather(-1, self.places).view_as(inputs)
        return self.gradInput


class Padded(nn.Module):
    """An input with more entries along a dimension, which a batch does not count."""

    def __init__(self, dim: Any, pad: Any, dims: Any = None, value: Any = None, index: Any = None) -> None:
        super().__init__()
        self.settings = int(dim), int(pad), dims, value or 0, int(index or 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dim, pad, dims, value, index = self.settings
        at = dim - 1 + (dims is not None and x.dim() != dims)
        before = x.shape[at] - index + 1 if pad > 0 else index - 1
        filling = x.new_full((*x.shape[:at], abs(pad), *x.shape[at + 1 :]), value)
        return torch.cat([x.narrow(at, 0, before), filling, x.narrow(at, before, x.shape[at] - before)], at)


class Padding(Built):
    """``nn.Padding``: so many entries more, before the place if they are less than 0, and behind it from the end."""

    NAME = "nn.Padding"

    def __init__(
        self, dim: Any, pad: Any, nInputDim: Any = None, value: Any = None, index: Any = None
    ) -> None:
        base = Padded(dim, pad, nInputDim, value, index)
        super().__init__("nn.Padding", base, dim=dim, pad=pad, nInputDim=nInputDim)


class Copied(nn.Module):
    """A copy of another type."""

    def __init__(self, intype: Any = None, outtype: Any = None, *_: Any) -> None:
        super().__init__()
        self.outtype = outtype

    def forward(self, x: torch.Tensor) -> Any:
        return (x if self.outtype is None else as_type(x, self.outtype)).clone()


class OnDevice(nn.Sequential):
    """A module that Torch7 computes on a GPU, and a page where its input is: on the CPU."""

    def __init__(self, module: nn.Module, device: Any, *_: Any) -> None:
        super().__init__(module)
        self.device = device

    def forward(self, x: Any) -> Any:
        refuse_gpu(x, self.device)
        return self[0](x)


# Modules of layers whose form in PyTorch hangs on what is only known when the page runs.
LAYER_MODULES: dict[str, Callable[..., nn.Module]] = {
    "nn.Copy": Copied,
    "nn.GPU": OnDevice,
    "nn.Padding": Padded,
}


def layer(name: str, *args: Any) -> nn.Module:
    """The module of such a layer."""
    return LAYER_MODULES[name](*args)


class Copy(Built):
    """``nn.Copy(intype, outtype)``, which hands on its input in another type."""

    NAME = "nn.Copy"

    def __init__(self, intype: Any = None, outtype: Any = None, *_: Any) -> None:
        super().__init__("nn.Copy", Copied(intype, outtype), intype=intype, outtype=outtype)


class AddConstant(Object, Layer):
    """``nn.AddConstant(constant[, inplace])``: adds a constant to its input.

    In place, the output lies in the input's memory, and ``updateGradInput`` restores the input there.
    """

    NAME = "nn.AddConstant"

    def __init__(self, constant_scalar: Any, inplace: Any = None) -> None:
        super().__init__()
        self.constant_scalar, self.inplace = constant_scalar, inplace is not None and inplace is not False

    def changed(self, x: Any, back: bool = False) -> Any:
        return x - self.constant_scalar if back else x + self.constant_scalar

    def updateOutput(self, inputs: Any) -> Any:
        vars(self)["before"] = inputs.clone()
        self.output = inputs.copy_(self.changed(inputs)) if self.inplace else self.changed(inputs)
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        self.gradInput = gradient if self.inplace else gradient.clone()
        if self.inplace:  # but for its roundings, which layers before this do not look at
            before, now = vars(self)["before"], self.changed(inputs, back=True)
            inputs.copy_(torch.where(torch.isclose(now, before), before, now))
        return self.gradInput


class MulConstant(AddConstant):
    """``nn.MulConstant(constant[, inplace])``: multiplies its input by a constant.

    In place, ``updateGradInput`` restores the input, and writes into the gradient that it is given.
    """

    NAME = "nn.MulConstant"

    def changed(self, x: Any, back: bool = False) -> Any:
        return x / self.constant_scalar if back else x * self.constant_scalar

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        super().updateGradInput(inputs, gradient)
        self.gradInput.mul_(self.constant_scalar)
        return self.gradInput


class SelectTable(Object, Layer):
    """``nn.SelectTable``: an entry of a table, counted from 1, or from -1 back from the end."""

    NAME = "nn.SelectTable"

    def __init__(self, place: Any) -> None:
        super().__init__()
        self.index = place

    def place(self, inputs: Any) -> int:
        at = self.index - 1 if self.index > 0 else len(items_of(inputs)) + self.index
        if not 0 <= at < len(items_of(inputs)):
            raise IndexError(f"entry {self.index} of a table of {len(items_of(inputs))}")
        return int(at)

    def updateOutput(self, inputs: Any) -> Any:
        self.output = items_of(inputs)[self.place(inputs)]
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        self.gradInput = map_tensors(torch.zeros_like, items_of(inputs))
        self.gradInput[self.place(inputs)] = map_tensors(torch.clone, gradient)
        return self.gradInput


class Group(Object, Container):
    """``nn.Container``: holds modules, and computes nothing."""

    NAME = "nn.Container"


class Sequential(Object, Container):
    """``nn.Sequential``"""

    NAME = "nn.Sequential"

    def updateOutput(self, inputs: Any) -> Any:
        self.output = inputs
        for module in self.modules_:
            self.output = run(module, "updateOutput", self.output)
        return self.output

    def _back(self, inputs: Any, gradient: Any, half: Callable[[Any, Any, Any], Any]) -> Any:
        for module, before in zip(self.modules_[::-1], self.modules_[-2::-1], strict=False):
            gradient = half(module, before.output, gradient)
        return half(self.modules_[0], inputs, gradient) if len(self.modules_) else gradient

    def backward(self, inputs: Any, gradient: Any, scale: Any = 1) -> Any:
        self.gradInput = self._back(inputs, gradient, lambda m, x, g: run(m, "backward", x, g, factor(scale)))
        return self.gradInput

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        self.gradInput = self._back(inputs, gradient, lambda m, x, g: run(m, "updateGradInput", x, g))
        return self.gradInput

    def accGradParameters(self, inputs: Any, gradient: Any, scale: Any = 1) -> None:
        def half(module: Any, x: Any, g: Any) -> Any:
            run(module, "accGradParameters", x, g, factor(scale))
            return module.gradInput

        self._back(inputs, gradient, half)


def refuse_gpu(inputs: Any, device: Any) -> None:
    """Refuse tensors on a GPU where a module computes on the GPU of another number, as a page has one."""
    if any(tensor.is_cuda for tensor in tensors_in(inputs)):
        raise NotInPage(f"nn.GPU, with a module on the GPU of number {device}")


class GPU(Sequential):
    """``nn.GPU(module, device)``, on the CPU: the module as it is."""

    NAME = "nn.GPU"

    def __init__(self, module: Any, device: Any, *_: Any) -> None:
        super().__init__()
        self.add(module)
        self.device = device

    def updateOutput(self, inputs: Any) -> Any:
        refuse_gpu(inputs, self.device)
        return super().updateOutput(inputs)


class DataParallelTable(Sequential):
    """``nn.DataParallelTable`` on one GPU, or on none: the whole batch goes to the first module."""

    NAME = "nn.DataParallelTable"

    def __init__(self, dimension: Any = None, flat: Any = None, nccl: Any = None) -> None:
        super().__init__()
        self.dimension, self.gpuAssignments = dimension, list[Any]()

    def add(self, module: Any, gpus: Any = None) -> Any:
        self.gpuAssignments += [gpus] if isinstance(gpus, (int, float)) else items_of(gpus)
        if len(self.gpuAssignments) > 1:
            raise NotInPage("a batch that several GPUs share, of modules that are objects")
        return super().add(module)

    def threads(self, begin: Any = None, copies: Any = None) -> Any:
        return self

    def syncParameters(self) -> None:
        """There is one copy of the parameters."""


class Branches(Object, Container):
    """A container whose modules each take a part of the input, and give a part of the output."""

    def parts(self, inputs: Any) -> list[Any]:
        """What each module is given."""
        return [inputs] * len(self.modules_)

    def joined(self, outputs: list[Any]) -> Any:
        return outputs

    def split(self, gradient: Any) -> list[Any]:
        """The gradient of each module's output."""
        return items_of(gradient)

    def together(self, inputs: Any, gradients: list[Any]) -> Any:
        """The gradient of the input, of those that the modules give."""
        return gradients

    def updateOutput(self, inputs: Any) -> Any:
        modules = zip(self.modules_, self.parts(inputs), strict=False)
        self.output = self.joined([run(module, "updateOutput", part) for module, part in modules])
        return self.output

    def _each(self, inputs: Any, gradient: Any, method: str, *scale: Any) -> list[Any]:
        parts = zip(self.modules_, self.parts(inputs), self.split(gradient), strict=False)
        return [run(module, method, part, g, *scale) for module, part, g in parts]

    def backward(self, inputs: Any, gradient: Any, scale: Any = 1) -> Any:
        self.gradInput = self.together(inputs, self._each(inputs, gradient, "backward", factor(scale)))
        return self.gradInput

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        self.gradInput = self.together(inputs, self._each(inputs, gradient, "updateGradInput"))
        return self.gradInput

    def accGradParameters(self, inputs: Any, gradient: Any, scale: Any = 1) -> None:
        self._each(inputs, gradient, "accGradParameters", factor(scale))


def summed_tables(values: list[Any]) -> Any:
    """The sum of tensors, or of tables of such entry by entry."""
    if isinstance(values[0], torch.Tensor):
        return torch.stack(values).sum(0) if len(values) > 2 else sum(values[1:], values[0])
    return [summed_tables(list(parts)) for parts in zip(*map(items_of, values), strict=True)]


class ConcatTable(Branches):
    """``nn.ConcatTable``: each module takes the whole input."""

    NAME = "nn.ConcatTable"

    def together(self, inputs: Any, gradients: list[Any]) -> Any:
        return summed_tables(gradients)


class ParallelTable(Branches):
    """``nn.ParallelTable``: each module takes an entry of the input."""

    NAME = "nn.ParallelTable"

    def parts(self, inputs: Any) -> list[Any]:
        return items_of(inputs)


class Concat(ConcatTable):
    """``nn.Concat``: the outputs along a dimension."""

    NAME = "nn.Concat"

    def __init__(self, dimension: Any = 1) -> None:
        super().__init__()
        self.dimension = int(dimension)

    def joined(self, outputs: list[Any]) -> Any:
        return torch.cat(outputs, self.dimension - 1)

    def split(self, gradient: Any) -> list[Any]:
        sizes = [module.output.shape[self.dimension - 1] for module in self.modules_]
        return [part.contiguous() for part in gradient.split(sizes, self.dimension - 1)]


class Parallel(Concat):
    """``nn.Parallel``: each module takes a slice of the input along a dimension; without one it only holds them."""

    NAME = "nn.Parallel"

    def __init__(self, input_dimension: Any = None, dimension: Any = 1) -> None:
        super().__init__(dimension)
        self.inputDimension = None if input_dimension is None else int(input_dimension)

    def parts(self, inputs: Any) -> list[Any]:
        if self.inputDimension is None:
            raise NotInPage("nn.Parallel without a dimension goes forward")
        return [part.contiguous() for part in inputs.unbind(self.inputDimension - 1)]

    def together(self, inputs: Any, gradients: list[Any]) -> Any:
        return torch.stack(gradients, (self.inputDimension or 1) - 1)


class Loss(Object, Layer):
    """One of Torch7's criterions, which ``base`` computes: a module of PyTorch's or a function.

    ``summed`` is another function for it where the program may ask for sums in place of means.
    """

    BASE = "nn.Criterion"

    def __init__(self, name: str, base: Any, summed: Any = None) -> None:
        super().__init__()
        self.NAME, self.summed = name, summed
        object.__setattr__(self, "base", base)
        self.went_forward = False

    def __setattr__(self, name: str, value: Any) -> None:
        set_field(self, name, value)
        super().__setattr__(name, value)

    def updateOutput(self, inputs: Any, target: Any = None) -> Any:
        self.went_forward = True
        self.output = forward(self.base, inputs, self._of_tensors(target))
        return self.output

    def counted(self, target: Any) -> Any:
        """The sum of the weights of the target's classes, each 1 where there are none."""
        classes = torch.as_tensor(target).long().flatten() - 1
        return len(classes) if self.base.weight is None else self.base.weight[classes].sum().item()

    def _of_tensors(self, target: Any) -> Any:
        """A target that is a number, as a tensor: a criterion of classes counts these, another one takes tensors."""
        is_number = isinstance(target, (int, float)) and not isinstance(self.base, nn.Module)
        return torch.tensor(float(target)) if is_number else target

    def updateGradInput(self, inputs: Any, target: Any = None) -> Any:
        target = self._of_tensors(target)
        if not self.went_forward:
            base = copy.copy(self.base)
            if isinstance(base, nn.NLLLoss):
                base.reduction = "sum"  # it averages over what its forward has counted
            forward(base, inputs, target)
            self.gradInput = backward(base, inputs, target)
            return self.gradInput
        self.gradInput = backward(self.base, inputs, target)
        return self.gradInput

    def backward(self, inputs: Any, gradient: Any = None, scale: Any = 1) -> Any:
        return run(self, "updateGradInput", inputs, gradient)

    def as_module(self) -> Any:
        return CriterionNode(self)


class CriterionNode(Object, Layer):
    """``nn.ModuleFromCriterion``: a criterion in a graph, which gives its loss as a tensor of one element."""

    NAME = "nn.ModuleFromCriterion"

    def __init__(self, criterion: Any) -> None:
        super().__init__()
        self.criterion = criterion

    def updateOutput(self, inputs: Any) -> Any:
        prediction, target = items_of(inputs)
        self.output = torch.tensor([float(run(self.criterion, "updateOutput", prediction, target))])
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        prediction, target = items_of(inputs)
        of_loss = run(self.criterion, "updateGradInput", prediction, target)
        factor_of_loss = gradient[0]
        self.gradInput = [
            map_tensors(lambda x: x * factor_of_loss, of_loss),
            map_tensors(torch.zeros_like, target),
        ]
        return self.gradInput


class MultiCriterion(Object, Layer):
    """``nn.MultiCriterion``: a weighted sum of criterions of one input."""

    NAME = "nn.MultiCriterion"

    def as_module(self) -> Any:
        return CriterionNode(self)

    def __init__(self) -> None:
        super().__init__()
        self.criterions: list[Any] = []
        self.weights: list[Any] = []

    def add(self, criterion: Any, weight: Any = 1) -> Any:
        self.criterions.append(criterion)
        self.weights.append(weight)
        return self

    def pairs(self, inputs: Any, target: Any) -> list[tuple[Any, Any]]:
        """The input and the target of each criterion."""
        return [(inputs, target)] * len(self.criterions)

    def updateOutput(self, inputs: Any, target: Any) -> Any:
        parts = zip(self.criterions, self.weights, self.pairs(inputs, target), strict=False)
        self.output = sum(weight * run(c, "updateOutput", *pair) for c, weight, pair in parts)
        return self.output

    def updateGradInput(self, inputs: Any, target: Any) -> Any:
        parts = zip(self.criterions, self.weights, self.pairs(inputs, target), strict=False)
        self.gradInput = self.together([run(c, "updateGradInput", *p) * weight for c, weight, p in parts])
        return self.gradInput

    def together(self, gradients: list[Any]) -> Any:
        return summed_tables(gradients)

    def backward(self, inputs: Any, gradient: Any, scale: Any = 1) -> Any:
        return run(self, "updateGradInput", inputs, gradient)


class ParallelCriterion(MultiCriterion):
    """``nn.ParallelCriterion``: a weighted sum of criterions, each of an entry of input and target."""

    NAME = "nn.ParallelCriterion"

    def __init__(self, repeat_target: Any = None) -> None:
        super().__init__()
        self.repeatTarget = bool(repeat_target)

    def pairs(self, inputs: Any, target: Any) -> list[tuple[Any, Any]]:
        targets = [target] * len(self.criterions) if self.repeatTarget else items_of(target)
        return list(zip(items_of(inputs), targets, strict=False))

    def together(self, gradients: list[Any]) -> Any:
        return gradients
