"""Module and Criterion: the two faces of every layer.

A layer is first a ``torch.nn.Module``: ``forward`` is its maths, written once. From it the base class makes
Torch7's protocol, in which a script asks for each thing by itself::

    output = m.updateOutput(input)
    gradInput = m.updateGradInput(input, gradOutput)
    m.accGradParameters(input, gradOutput, scale)    # adds to gradWeight, gradBias

By default the gradients are autograd's over ``forward``. A layer for which that is measured to cost too much,
or whose gradient in Torch7 is not the derivative, says ``traced = False`` and brings kernels of its own:
``grad_input`` and, with parameters, ``accGradParameters``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import torch

from torch7py.nn import touched_rows
from torch7py.nn.batching import Batching
from torch7py.nn.copying import TensorMap, clone_of
from torch7py.nn.dense import dense
from torch7py.nn.dpnn_methods import Training, in_order
from torch7py.nn.facts import facts_of_class
from torch7py.nn.flat_parameters import flatten_both
from torch7py.nn.object import TorchObject, as_parents, names
from torch7py.nn.registry import layer
from torch7py.nn.trace import Trace, leaves_of, same_sizes
from torch7py.ops import memory, types
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.tracing import in_transform

__all__ = ["Criterion", "Module"]


def detached(value: Any) -> Any:
    """A result without its graph."""
    return [detached(item) for item in value] if isinstance(value, (list, tuple)) else value.data


def _is_apart(result: torch.Tensor, inputs: Any) -> bool:
    """Whether a result is known to lie in none of the tensors that it was computed from."""
    if in_transform():  # whose tensors have no memory that one could ask for
        return False
    memory = result.untyped_storage().data_ptr()
    return inputs is not None and all(x.untyped_storage().data_ptr() != memory for x in leaves_of(inputs))


def nest(input: Any, gradients: list[torch.Tensor | None]) -> Any:
    """Gradients of an input's floating tensors, in order, in the nesting of the input; zeros for the others."""
    leaves = iter(gradients)

    def build(value: Any) -> Any:
        if isinstance(value, list):
            return [build(item) for item in value]
        gradient = next(leaves) if value.is_floating_point() else None
        return torch.zeros_like(value.data) if gradient is None else gradient

    return build(input)


@layer("nn.Module")
class Module(Training):
    """``nn.Module()``: the protocol of all layers; alone it is a layer that returns its (empty) output.

    ``forward(input) -> output`` must be a differentiable function of the input and of the parameters; inputs
    and outputs are tensors or, for layers of tables, lists of tensors.
    """

    fields: ClassVar[tuple[str, ...]] = ("weight", "bias", "gradWeight", "gradBias", "train", "shared")
    structural = frozenset({"__init", "replace"})
    lua_methods = names(
        """clone updateOutput updateGradInput accGradParameters backward backwardUpdate accUpdateGradParameters
        defaultAccUpdateGradParameters sharedAccUpdateGradParameters zeroGradParameters updateParameters share
        getParameters reset clearState findModules listModules replace""",
        forward="torch7_forward",
        parameters="torch7_parameters",
        training="set_training",
        evaluate="set_evaluate",
        apply="torch7_apply",
        __call__="call",
    )
    traced: ClassVar[bool] = True  # False: updateOutput makes no graph, grad_input needs none
    exact_gradient: ClassVar[bool] = (
        False  # whether a gradOutput must have the output's shape, not only its size
    )
    # Whether gradInput gets gradOutput's sizes, where these are others than the input's for as many elements.
    resizes_as_grad_output: ClassVar[bool] = False
    cleared_by_type: ClassVar[bool] = False  # whether ``type`` begins with ``clearState``
    converted_first: ClassVar[tuple[str, ...]] = (
        "gradInput",
    )  # results that ``type`` converts before children
    copies_parameters: ClassVar[bool] = False  # whether forward computes with copies of the parameters
    # The graph that a backward goes through: that of the last forward if it ran on this input, else a new one
    # ("input"); that of the last forward on any input of these sizes, as the original keeps a view of it ("forward");
    # or always a new one ("memory"), as the last forward's holds results that the original computes again.
    graph_of: ClassVar[str] = "input"
    # Of a layer that computes each row of its input alone, in whatever batch it comes: the rank of a batch, and the
    # highest rank of an input for which this is so. A sequence can then be done as one batch (rnn/stages.py).
    rows_alone: tuple[int, int] | None = None

    # -- PyTorch's face -----------------------------------------------------------------------------------

    def forward(self, input: Any) -> Any:
        return self.output

    def train(self, mode: bool = True) -> Module:
        """PyTorch's switch; ``set_training`` and ``set_evaluate`` are Torch7's two."""
        if mode:
            self.set_training()
        else:
            self.set_evaluate()
        return self

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """PyTorch's, after parameters that are the same memory have become one object."""
        self.unify()
        return super().named_parameters(*args, **kwargs)

    def unify(self) -> None:
        """Make parameters on the same memory one Parameter object, so that an optimizer moves it once."""
        first: dict[tuple[Any, ...], torch.nn.Parameter] = {}
        for module in self.modules():
            overrides = module.__dict__.get("_overrides")
            if overrides is not None:
                overrides.name_parameters(module)
            for name, p in module._parameters.items():
                if p is not None and p.numel():
                    key = (p.data_ptr(), p.dtype, p.shape, p.stride())
                    one = first.setdefault(key, p)
                    if one is not p:
                        module._parameters[name] = one

    # -- forward ------------------------------------------------------------------------------------------

    def updateOutput(self, input: Any) -> Any:
        """``m:updateOutput(input)``: compute and keep the output."""
        if type(self) is Module:  # a class of a script's that computes nothing
            return self.output
        if not self.traced or self.graph_of == "memory":
            attributes = self.__dict__
            attributes["noting"] = True
            try:
                output = self.forward(input)
            finally:
                attributes["noting"] = False
            return self.keep_output(output, input)
        trace = self.__dict__["_trace"] = Trace(
            self, partial(self.noted, self.forward), input, self.copies_parameters
        )
        return self.keep_output(trace.output, input)

    def keep_output(self, value: Any, input: Any = None) -> Any:
        """Make a result of ``forward`` the content of ``output``. Of an unknown ``input`` it may be a view."""
        if isinstance(value, torch.Tensor):
            result = value.data
            if facts_of_class(type(self)).shares_memory or self.__dict__.get("inplace"):
                return self.keep("output", result)
            return self.keep("output", dense(result), _is_apart(result, input))
        if input is None:
            return self.keep_list("output", detached(value))
        return self.keep_results("output", detached(value), input)

    def own_read_results(self) -> None:
        if not (facts_of_class(type(self)).shares_memory or self.__dict__.get("inplace")):
            super().own_read_results()

    def show_results(self, output: Any, gradInput: Any) -> None:
        """Show these as ``output`` and, unless None, ``gradInput``."""
        for name, value in (("output", output), ("gradInput", gradInput)):
            if isinstance(value, list):
                self.keep_list(name, value)
            elif value is not None:
                self.keep(name, value)

    def torch7_forward(self, input: Any) -> Any:
        """``m:forward(input)``: Torch7's name for computing the output."""
        return self.updateOutput(input)

    def call(self, input: Any, gradOutput: Any = None) -> Any:
        """``m(input[, gradOutput])``: forward, and with a gradient backward too."""
        self.torch7_forward(input)
        if gradOutput is None:
            return self.output
        self.backward(input, gradOutput)
        return self.output, self.gradInput

    # -- backward -----------------------------------------------------------------------------------------

    def trace(self, input: Any) -> Trace:
        """The graph of the last forward, or of a new one when this input or the parameters are others.

        ``graph_of`` says where it is otherwise. The new one leaves buffers, random masks and running statistics alone.
        """
        if self.graph_of == "memory":
            return Trace(self, self.retrace, input, self.copies_parameters)
        trace: Trace | None = self.__dict__.get("_trace")
        apart = self.__dict__.pop("_apart", None)
        if trace is not None and self.graph_of == "forward" and same_sizes(trace.input, input):
            input = trace.input
        if trace is not None and trace.is_of(self, input):
            if (
                apart is not None
            ):  # what a script has done to the output since, the graph is to go back through
                shown = self.output
                if isinstance(shown, torch.Tensor) and shown.shape == apart.shape:
                    apart.copy_(shown)
        else:
            trace = self.__dict__["_trace"] = Trace(self, self.retrace, input, self.copies_parameters)
        return trace

    def retrace(self, input: Any) -> Any:
        """``forward`` once more for a backward: a layer with random or running state does not advance it."""
        return self.forward(input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """``m:updateGradInput(input, gradOutput)``: the gradient with respect to the input.

        With ``gradInput`` set to nil nothing is computed and nil returned.
        """
        if self.gradInput is None:
            return None
        if type(self) is Module:  # a class of a script's, say, whose output says nothing about a gradient
            return self.gradInput
        gradient = self.laid_out(gradOutput, self.grad_input(input, gradOutput))
        return self.keep_grad_input(gradient, gradOutput)

    def laid_out(self, gradOutput: Any, gradient: Any) -> Any:
        """A gradient with the sizes and strides that ``gradInput`` is to have."""
        if isinstance(gradient, list):
            return [self.laid_out(gradOutput, item) for item in gradient]
        if not isinstance(gradient, torch.Tensor):
            return gradient
        if self.resizes_as_grad_output and not gradient.is_same_size(gradOutput):
            gradient = gradient.reshape(gradOutput.shape)
        return gradient if gradient is gradOutput or self.__dict__.get("inplace") else dense(gradient)

    def grad_input(self, input: Any, gradOutput: Any) -> Any:
        """The gradient with respect to the input, in its nesting: the kernel behind ``updateGradInput``."""
        trace = self.trace(input)
        wanted = [leaf for leaf in leaves_of(trace.input) if leaf.requires_grad]
        return nest(input, trace.gradients(wanted, gradOutput))

    def keep_grad_input(self, value: Any, gradOutput: Any = None) -> Any:
        """Make a gradient the content of ``gradInput``. Of an unknown ``gradOutput`` it may be a view."""
        if isinstance(value, torch.Tensor):
            apart = _is_apart(value, gradOutput)
            if not apart and self.traced and gradOutput is not None:
                shares = facts_of_class(type(self)).shares_memory or self.__dict__.get("inplace")
                if not shares and not in_transform():  # autograd hands on the gradient of a sum as it is
                    value, apart = value.data.clone(), True
            return self.keep("gradInput", value.data, apart)
        if gradOutput is None:
            return self.keep_list("gradInput", detached(value))
        return self.keep_results("gradInput", detached(value), gradOutput)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """``m:accGradParameters(input, gradOutput[, scale])``: add the parameters' gradients, scaled."""
        if type(self) is Module or not any(buffer is not None for buffer in self._gradients.values()):
            return
        trace = self.trace(input)
        self._accumulate(trace, trace.gradients(list(trace.parameters.values()), gradOutput), scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        """``m:backward(input, gradOutput[, scale])``: both of the above; returns ``gradInput``."""
        if self._default_backward() and self.gradInput is not None:
            trace = self.trace(input)
            wanted = [leaf for leaf in leaves_of(trace.input) if leaf.requires_grad]
            gradients = trace.gradients(wanted + list(trace.parameters.values()), gradOutput)
            self.keep_grad_input(self.laid_out(gradOutput, nest(input, gradients[: len(wanted)])), gradOutput)
            self._accumulate(trace, gradients[len(wanted) :], scale)
        else:
            self.updateGradInput(input, gradOutput)
            self.accGradParameters(input, gradOutput, scale)
        return self.gradInput

    def _default_backward(self) -> bool:
        """Whether both halves are this class's own, so that one pass over the graph can do them."""
        cls = type(self)
        return (
            cls.updateGradInput is Module.updateGradInput
            and cls.grad_input is Module.grad_input
            and cls.accGradParameters is Module.accGradParameters
            and "_marked" not in self.__dict__
        )

    def _accumulate(self, trace: Trace, gradients: list[torch.Tensor | None], scale: float) -> None:
        for name, gradient in zip(trace.parameters, gradients, strict=True):
            buffer = self.gradient(name)
            if buffer is not None and gradient is not None:
                buffer.add_(gradient, alpha=scale)

    def backwardUpdate(self, input: Any, gradOutput: Any, lr: float) -> Any:
        """``m:backwardUpdate(input, gradOutput, lr)``: backward that moves the parameters at once."""
        self.updateGradInput(input, gradOutput)
        self.accUpdateGradParameters(input, gradOutput, lr)
        return self.gradInput

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """``m:accUpdateGradParameters(input, gradOutput, lr)``: move the parameters by ``-lr`` times gradient."""
        if self.__dict__.get("shared"):
            self.sharedAccUpdateGradParameters(input, gradOutput, lr)
        else:
            self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def defaultAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """The gradient goes straight into the parameters; the gradient buffers stay as they are."""
        gradients = dict(self._gradients)
        try:
            for name in gradients:
                parameter = self._parameters.get(name)
                self.__dict__["_gradients"][name] = None if parameter is None else parameter.data
            self.accGradParameters(input, gradOutput, -lr)
        finally:
            self.__dict__["_gradients"].update(gradients)

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        """The same where others share the parameters: through zeroed gradient buffers."""
        if self.torch7_parameters() is not None:
            self.zeroGradParameters()
            self.accGradParameters(input, gradOutput, 1)
            self.updateParameters(lr)

    # -- parameters ---------------------------------------------------------------------------------------

    def torch7_parameters(self) -> tuple[list[torch.Tensor], list[torch.Tensor]] | None:
        """``m:parameters()``: tables of parameters and of their gradients; nothing where there are none."""
        pairs = [
            (value, self.gradient(name))
            for name in ("weight", "bias")
            if (value := self.get_field(name)) is not None
        ]
        if not pairs:
            return None
        return [p for p, _ in pairs], [g for _, g in pairs if g is not None]

    def _plain_pairs(self) -> list[tuple[torch.Tensor, torch.Tensor]] | None:
        """Weight and bias with their gradients, where ``parameters()`` is this class's own and gives just these."""
        attributes = self.__dict__
        cls = type(self)
        if (
            cls.torch7_parameters is not Module.torch7_parameters
            or cls.sparseParameters is not Module.sparseParameters
            or "_marked" in attributes
            or "_saved_form" in attributes
        ):
            return None
        pairs = []
        for name in ("weight", "bias"):
            parameter = attributes["_parameters"].get(name)
            if parameter is not None:
                gradient = self.own_gradient(name)
                if gradient is None:
                    return None
                pairs.append((parameter, gradient))
            elif name in attributes or name in attributes["_buffers"]:
                return None
        return pairs

    @as_parents
    def zeroGradParameters(self) -> None:
        """``m:zeroGradParameters()``"""
        pairs = self._plain_pairs()
        for gradient in self.sparse_gradients() if pairs is None else [g for _, g in pairs]:
            touched_rows.zero(gradient)

    @as_parents
    def updateParameters(self, learningRate: float) -> None:
        """``m:updateParameters(learningRate)``: one step against the gradient."""
        pairs = self._plain_pairs()
        if pairs is not None:
            for parameter, gradient in pairs:
                touched_rows.move(parameter.data, gradient, learningRate)
            return
        for parameter, gradient, factor in self.sparse_triples():
            parameter.data.add_(gradient, alpha=-learningRate * factor)

    def parameter_pairs(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Both lists of ``parameters()``; of more results, which a script's own method may give, no more."""
        parameters = self.torch7_parameters()
        if not isinstance(parameters, tuple):
            return in_order(parameters or []), []
        return in_order(parameters[0] or []), in_order(parameters[1] or [])

    def getParameters(self) -> tuple[torch.Tensor, torch.Tensor]:
        """``m:getParameters()``: all parameters in one flat tensor, all gradients in another.

        The parameters become views of it, each shared one once. A flat tensor fetched before goes stale.
        """
        return self.flattened(*self.parameter_pairs())

    def flattened(
        self, parameters: list[torch.Tensor], gradients: list[torch.Tensor], alike: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both lists, each made one flat tensor; ``alike``: an error where they do not lie alike."""
        return flatten_both(parameters, gradients, self.new, alike)

    @as_parents
    def share(self, other: TorchObject | None, *fields: str) -> Module:
        """``m:share(other, 'weight', 'bias', ...)``: use the other's tensors in place of these."""
        for name in fields:
            mine = self.get_field(name)
            if mine is None:
                continue
            if not isinstance(other, Module):
                raise TorchError(f"share: there is no module to take field '{name}' from")
            theirs = other.get_field(name)
            if not isinstance(mine, torch.Tensor) or not isinstance(theirs, torch.Tensor):
                raise TorchError(f"share: field '{name}' is not a tensor in both modules")
            mine.data = theirs.data
            self.__dict__["shared"] = other.__dict__["shared"] = True
        return self

    @as_parents
    def reset(self, stdv: float | None = None) -> Any:
        """``m:reset([stdv])``: draw the parameters anew."""

    # -- modes and state: to a script `train` is nil until somebody sets it ----------------------------------

    @as_parents
    def set_training(self) -> None:
        """``m:training()``"""
        self.__dict__["training"] = self.__dict__["_mode_set"] = True

    @as_parents
    def set_evaluate(self) -> None:
        """``m:evaluate()``"""
        self.__dict__["training"], self.__dict__["_mode_set"] = False, True

    def get_field(self, name: str) -> Any:
        if name == "train":
            return self.training if "_mode_set" in self.__dict__ else None
        return super().get_field(name)

    def set_field(self, name: str, value: Any) -> Any:
        if name == "train":
            self.__dict__["training"] = value is not False
            if value is None:
                self.__dict__.pop("_mode_set", None)
            else:
                self.__dict__["_mode_set"] = True
            return value
        self.__dict__.pop("_trace", None)
        return super().set_field(name, value)

    @as_parents
    def clearState(self) -> Module:
        """``m:clearState()``: empty output and gradInput, drop everything kept for a backward."""
        self.__dict__.pop("_trace", None)
        self.clear("output", "gradInput")
        return self

    def clear(self, *fields: str) -> None:
        """Empty these fields: a tensor loses its memory, a table its entries, anything else becomes nil."""
        for name in fields:
            value = self.get_field(name)
            if isinstance(value, torch.Tensor):
                memory.point_at(value, value.new_empty(0).untyped_storage(), 0, (0,), (1,))
            elif isinstance(value, (list, dict)):
                value.clear()
            elif value is not None:
                self.set_field(name, None)

    def let_go_of_results(self) -> None:
        """Begin anew with output and gradInput: they are another module's, or the input, and not to be emptied."""
        for name in ("output", "gradInput"):
            value = self.get_field(name)
            if isinstance(value, torch.Tensor):
                self.__dict__[name] = value.new_empty(0)
            elif value is not None:
                self.__dict__[name] = [] if isinstance(value, (list, dict)) else None

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        if type_name is not None and seen is None:
            self._clear_for_type(type_name, frozenset(), set())
        super().convert(convert, type_name, seen)

    def _clear_for_type(self, type_name: str, kept: frozenset[int], seen: set[int]) -> None:
        """Have modules of the tree clear themselves, before the results of those around them are converted.

        Tensors in ``kept`` have been converted by then in the original. One that has the type already stays the same,
        and is emptied with the results of the module that it is from.
        """
        if id(self) in seen:
            return
        seen.add(id(self))
        if self.cleared_by_type:
            attributes = self.__dict__
            results = {name: attributes[name] for name in ("output", "gradInput")}
            spared = [name for name in results if any(id(leaf) in kept for leaf in leaves_of(results[name]))]
            attributes.update(dict.fromkeys(spared))
            self.clearState()
            attributes.update((name, results[name]) for name in spared)
        first = [leaf for name in self.converted_first for leaf in leaves_of(getattr(self, name))]
        inside = kept.union(id(leaf) for leaf in first if types.of(leaf).tensor != type_name)
        for child in self.inner():
            if isinstance(child, Module) and not child.converts_by_type():
                child._clear_for_type(type_name, inside, seen)

    # -- the tree -----------------------------------------------------------------------------------------

    @as_parents
    def torch7_apply(self, callback: Callable[[Any], Any]) -> None:
        """``m:apply(f)``: call f with this module, then with those inside, depth first."""
        callback(self)
        for child in self.children_of():
            child.torch7_apply(callback)

    def findModules(
        self, typename: str, container: Module | None = None
    ) -> tuple[list[Module], list[Module]]:
        """``m:findModules(typename)``: the modules of exactly that class, and the container of each."""
        matches, containers = [], []
        if self.class_name == typename:
            matches.append(self)
            containers.append(container or self)
        for child in self.children_of():
            inner, inner_containers = child.findModules(typename, self)
            matches += inner
            containers += inner_containers
        return matches, containers

    def listModules(self) -> list[Module]:
        """``m:listModules()``: this module and all inside it, depth first."""
        modules: list[Module] = [self]
        for child in self.children_of():
            modules += child.listModules()
        return modules

    # A script's class that is no container may keep modules in the field `modules` all the same.

    def child_list(self) -> list[Any] | None:
        return self.__dict__.get("_listed")

    def set_child_list(self, children: list[Any]) -> None:
        if type(self).child_list is not Module.child_list:  # a layer that says itself what it is made of
            super().set_child_list(children)
        for number in range(len(self.__dict__.get("_listed", ()))):
            self._modules.pop(f"listed_{number}", None)
        self.__dict__["_listed"] = list(children)
        self._modules.update((f"listed_{number}", child) for number, child in enumerate(children))

    def known_fields(self) -> list[str]:
        known = super().known_fields()
        return [*known, "modules"] if "_listed" in self.__dict__ and "modules" not in known else known

    def replace(self, callback: Callable[[Any], Any]) -> Any:
        """``m:replace(f)``: put f(module) in place of each module, this one last; returns what replaces it."""
        result = callback(self)
        children = self.child_list()
        if children is not None:
            self.set_child_list([child.replace(callback) for child in children])
        return result

    @as_parents
    def clone(self, *fields: str) -> Any:
        """``m:clone(['weight', ...])``: a deep copy; the fields named stay shared with this module."""
        copied = clone_of(self)
        if fields:
            copied.share(self, *fields)
        return copied


@layer("nn.Criterion", gives="number", target="values")
class Criterion(Batching):
    """``nn.Criterion()``: the protocol of losses; alone its output is 0.

    ``forward(input, target)`` gives the loss as a tensor of one element, differentiable in ``input``.
    """

    unsaved: ClassVar[tuple[str, ...]] = ("_type",)
    skips_unwritable = True
    tells_type = False
    # Whether the loss is a sum of losses of single rows, or of elements, or where ``sizeAverage`` their mean.
    rows_alone: bool = False
    lua_methods = names(
        "updateOutput updateGradInput backward clone", forward="torch7_forward", __call__="call"
    )

    @as_parents
    def __init__(self) -> None:
        super().__init__()
        self.__dict__["output"] = 0

    def forward(self, input: Any, target: Any) -> Any:
        raise TorchError(f"{self.class_name} has no forward")

    def updateOutput(self, input: Any, target: Any) -> Any:
        """``c:updateOutput(input, target)``: the loss, a number."""
        with torch.no_grad():
            self.__dict__["output"] = self.noted(self.forward, input, target).item()
        return self.output

    def _ask(self, method: str, name: str, input: Any, target: Any) -> Any:
        """A half of a criterion; one that is the program's own may do without a target."""
        if target is None and method not in self.__dict__:
            raise ArgumentError(f"{self.class_name}: argument #2 ('target') of {name} is missing")
        return getattr(self, method)(input, target)

    def torch7_forward(self, input: Any, target: Any = None) -> Any:
        """``c:forward(input, target)``"""
        return self._ask("updateOutput", "forward", input, target)

    def updateGradInput(self, input: Any, target: Any) -> Any:
        """``c:updateGradInput(input, target)``: the gradient of the loss with respect to the input."""
        trace = Trace(self, lambda alias: self.forward(alias, target), input)
        wanted = [leaf for leaf in leaves_of(trace.input) if leaf.requires_grad]
        built = nest(input, trace.gradients(wanted, torch.ones_like(trace.output)))
        if isinstance(built, torch.Tensor):
            return self.keep("gradInput", built)
        return self.keep_results("gradInput", built)

    def backward(self, input: Any, target: Any = None) -> Any:
        """``c:backward(input, target)``"""
        return self._ask("updateGradInput", "backward", input, target)

    def call(self, input: Any, target: Any = None) -> Any:
        """``c(input, target)``: forward and backward; returns the loss and the gradient."""
        self.torch7_forward(input, target)
        self.backward(input, target)
        return self.output, self.gradInput

    def clone(self) -> Any:
        """``c:clone()``: a deep copy."""
        return clone_of(self)
