"""Layers and criterions that compute their gradients themselves, and calls of modules there and back."""

from __future__ import annotations

import copy
import inspect
import itertools
import math
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import nn

from torch7py.translate.page_library.changed_inputs import reads_alike
from torch7py.translate.page_library.nodes import Node, node
from torch7py.translate.page_library.values import NotInPage, call, items_of, listed, store


def map_tensors(function: Callable[[torch.Tensor], Any], value: Any) -> Any:
    """A function of each tensor in nested tables; other values as they are."""
    if isinstance(value, torch.Tensor):
        return function(value)
    value = listed(value)
    if isinstance(value, dict):
        return {key: map_tensors(function, part) for key, part in value.items()}
    return [map_tensors(function, part) for part in value] if isinstance(value, (list, tuple)) else value


def tensors_in(value: Any) -> list[torch.Tensor]:
    """The tensors in nested tables, one after the other."""
    if isinstance(value, torch.Tensor):
        return [value]
    value = listed(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [x for part in parts for x in tensors_in(part)]


def gradients_for(inputs: Any, gradients: Any) -> list[torch.Tensor | None]:
    """For each tensor of an input its gradient, None where there is none."""
    if isinstance(inputs, torch.Tensor):
        args = isinstance(gradients, torch.Tensor) and gradients.numel() == inputs.numel()
        return [gradients.reshape(inputs.shape).clone() if args else None]
    if not isinstance(inputs, (list, tuple, dict)):
        return []
    inputs = listed(inputs)
    parts = inputs.values() if isinstance(inputs, dict) else inputs
    result = items_of(gradients) if isinstance(gradients, (list, tuple, dict)) else []
    result += [None] * len(inputs)
    return [x for part, gradient in zip(parts, result, strict=False) for x in gradients_for(part, gradient)]


class KeptCall:
    """What a layer keeps of one call for its gradients, once the layer has been called again: see ``state_of``."""

    def __init__(self) -> None:
        self.state: list[tuple[nn.Module, dict[str, Any], Any]] = []


# The last call of each layer, for as long as somebody may ask for its gradients.
PENDING: weakref.WeakKeyDictionary[nn.Module, weakref.ref[KeptCall]] = weakref.WeakKeyDictionary()


def state_of(layer: nn.Module) -> list[tuple[nn.Module, dict[str, Any], Any]]:
    """What a layer and those in it keep of their last call: tensors and tables in their fields, and graphs.

    Weights, their gradients and buffers are no part of it. A step of a sequence is one layer that is called many
    times before it goes back; Torch7 has a copy of the layer for each of these calls, with a state of its own.
    """
    state: list[tuple[nn.Module, dict[str, Any], Any]] = []
    waiting, seen = [layer], set[nn.Module]()
    while waiting:
        part = waiting.pop()
        if part in seen:
            continue
        seen.add(part)
        waiting += [inner for inner in part._modules.values() if inner is not None]
        lasting = {id(buffer) for inner in part.modules() for buffer in inner.buffers(recurse=False)}
        own_names = vars(part).keys() if isinstance(part, Layer) else set[str]()
        names = ({"output", "returned"} | own_names) - vars(nn.Module()).keys()
        fields = {
            name: copied(value)
            for name, value in vars(part).items()
            if name in names - {*getattr(part, "WEIGHTS", {}).values()} and id(value) not in lasting
        }
        state.append((part, fields, CALLS.get(part)))
    return state


def put_back(state: list[tuple[nn.Module, dict[str, Any], Any]]) -> None:
    """Give layers what they kept of a call."""
    for part, fields, of_call in state:
        vars(part).update(fields)
        if of_call is not None:
            CALLS[part] = of_call


def copied(value: Any) -> Any:
    """A table with copies of its tensors; those of PyTorch's graph, which nothing writes to, as they are."""
    if isinstance(value, torch.Tensor):
        return value if value.grad_fn is not None or isinstance(value, nn.Parameter) else value.clone()
    if not isinstance(value, (list, dict)):
        return value
    result = copy.copy(value)
    for key in range(len(value)) if isinstance(value, list) else value:
        result[key] = copied(value[key])
    return result


def gradients_of(weights: list[nn.Parameter]) -> list[torch.Tensor | None]:
    """Copies of the gradients that weights have now."""
    return [None if weight.grad is None else weight.grad.clone() for weight in weights]


class LayerCall(torch.autograd.Function):
    """One call of a layer: its own halves compute the gradients."""

    @staticmethod
    def forward(ctx: Any, layer: Layer, inputs: tuple[Any, ...], *tensors: torch.Tensor) -> Any:
        earlier = PENDING[layer]() if layer in PENDING else None
        if earlier is not None:
            earlier.state = earlier.state or state_of(layer)
        ctx.kept = KeptCall()
        PENDING[layer] = weakref.ref(ctx.kept)
        ctx.layer, ctx.inputs, ctx.count = layer, map_tensors(torch.Tensor.detach, inputs), len(tensors)
        ctx.output = call(layer.updateOutput, *ctx.inputs)
        object.__setattr__(layer, "returned", ctx.output)
        if isinstance(ctx.output, (int, float)):  # of a criterion
            return next(x for x in tensors if x.is_floating_point()).new_tensor(ctx.output)
        result = tuple(x.clone() for x in tensors_in(ctx.output))
        ctx.mark_non_differentiable(*(x for x in result if not x.is_floating_point()))
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        layer, inputs = ctx.layer, ctx.inputs
        is_earlier = PENDING[layer]() is not ctx.kept
        present = state_of(layer) if is_earlier else []
        put_back(ctx.kept.state)
        layer.share_gradients()
        weights = list(layer.parameters())
        before = gradients_of(weights)
        for weight in weights:
            if weight.grad is not None:
                weight.grad.zero_()
        if isinstance(ctx.output, (int, float)):
            result = map_tensors(lambda x: x * gradients[0], call(layer.updateGradInput, *inputs))
        else:
            waiting = iter(gradients)
            result = call(layer.backward, *inputs, map_tensors(lambda _: next(waiting), ctx.output), 1)
        put_back(present)
        of_both = isinstance(result, (list, tuple, dict)) and isinstance(inputs[0], torch.Tensor)
        args = gradients_for(inputs if of_both else inputs[0], result)
        args += [None] * (ctx.count - len(weights) - len(args))
        # PyTorch adds them, where they are wanted; what lies in the fields is what was there.
        args += gradients_of(weights)
        for weight, gradient in zip(weights, before, strict=True):
            if weight.grad is not None and gradient is None:
                weight.grad.zero_()
            elif weight.grad is not None:
                weight.grad.copy_(gradient)
        return None, None, *args


def kept_in(layer: Any, name: str) -> Any:
    """A weight or another field that a layer has itself, None where it has none."""
    parameters = layer._parameters
    return parameters[name] if name in parameters else vars(layer).get(name)


class Layer(nn.Module):
    """A layer as Torch7's: ``updateOutput``, ``updateGradInput`` and ``accGradParameters`` are the class's own.

    ``WEIGHTS`` names its weights, each with the field of its gradient. Layers within it are its own affair: their
    weights are among its parameters only where ``INNER`` names their fields.
    """

    WEIGHTS: ClassVar[dict[str, str]] = {}
    INNER: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *_: Any, **__: Any) -> Any:
        layer: Any = super().__new__(cls)
        nn.Module.__init__(layer)  # a constructor may set fields before it calls that of its parent
        return layer

    def __init__(self) -> None:
        self.training = False  # Torch7's layers do not train before they are told to
        self.output: Any = torch.empty(0)
        self.gradInput: Any = torch.empty(0)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.WEIGHTS and isinstance(value, torch.Tensor):
            value = nn.Parameter(value)
        elif name == "modules_" and isinstance(value, list):
            value = nn.ModuleList(value)
        super().__setattr__(name, value)

    def _apply(self, function: Any, recurse: bool = True) -> Any:
        module: Any = super()
        module._apply(function, recurse)
        for name, value in list(vars(self).items()):
            if not name.startswith("_"):
                object.__setattr__(self, name, map_tensors(function, value))
        return self

    def named_modules(self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True) -> Any:
        seen = set() if memo is None else memo
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        yield prefix, self
        for name in self.INNER:
            result = getattr(self, name, None)
            parts = {name: result} if isinstance(result, nn.Module) else dict(enumerate(result or (), 1))
            for part, module in parts.items():
                path = f"{prefix}.{part}" if prefix else str(part)
                yield from module.named_modules(seen, path, remove_duplicate)

    def forward(self, *inputs: Any) -> Any:
        apply: Any = LayerCall.apply
        result = apply(self, inputs, *tensors_in(inputs), *self.parameters())
        if not isinstance(result, tuple):
            return result
        waiting = iter(result)
        return map_tensors(lambda _: next(waiting), self.returned)

    def train(self, mode: bool = True) -> Any:
        (self.set_training if mode else self.set_evaluation)()
        return self

    @property
    def train_(self) -> Any:
        """The field ``train``: most modules have none before they are told."""
        base = self._modules.get("base")
        is_known = "mode_was_set" in vars(self) or isinstance(
            base, (nn.Dropout, nn.modules.batchnorm._BatchNorm)
        )
        held: Any = self if "mode_was_set" in vars(self) else base
        return held.training if is_known else None

    @train_.setter
    def train_(self, value: Any) -> None:
        (self.set_training if value else self.set_evaluation)()

    def set_training(self) -> None:
        """``training``, which tells the layer alone."""
        self.training = vars(self)["mode_was_set"] = True

    def set_evaluation(self) -> None:
        """``evaluate``, which tells the layer alone."""
        self.training, vars(self)["mode_was_set"] = False, True

    def share_gradients(self) -> None:
        """Have each weight and its field of Torch7's share one gradient."""
        for name, field in self.WEIGHTS.items():
            weight, gradient = kept_in(self, name), kept_in(self, field)
            if weight is None or gradient is None or weight.grad is gradient:
                continue
            gradient.resize_(weight.shape).zero_()
            if weight.grad is not None:
                gradient.copy_(weight.grad)
            weight.grad = gradient

    def updateOutput(self, *_: Any) -> Any:
        return self.output

    def updateGradInput(self, *_: Any) -> Any:
        return self.gradInput

    def accGradParameters(self, *_: Any) -> None:
        pass

    def backward(self, inputs: Any, gradient: Any, scale: Any = 1) -> Any:
        """The gradient of the input; those of weights are added to what they have."""
        call(self.updateGradInput, inputs, gradient)
        call(self.accGradParameters, inputs, gradient, scale)
        return self.gradInput


class Container(Layer):
    """A layer that has others in ``modules``, whose weights are its own and which are told what it is told."""

    INNER = ("modules_",)

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.modules_: Any = []

    def set_training(self) -> None:
        super().set_training()
        for module in self.modules_:
            module.train()

    def set_evaluation(self) -> None:
        super().set_evaluation()
        for module in self.modules_:
            module.eval()

    def add(self, module: nn.Module) -> Any:
        self.modules_.append(module)
        return self

    def get(self, index: Any) -> Any:
        return self.modules_[int(index) - 1]

    def size(self) -> int:
        return len(self.modules_)


# Modules whose weights are drawn as Torch7 draws them by ``reset``.
WITH_RESET = (nn.Linear, nn.Embedding, nn.modules.conv._ConvNd)


def draw_weights(model: nn.Module, deviation: Any) -> None:
    """Draw all weights of a model, with a standard deviation."""
    bound = deviation * math.sqrt(3)
    for layer in model.modules():
        for weight in layer.parameters(recurse=False):
            if isinstance(layer, nn.Embedding):
                nn.init.normal_(weight, 0, deviation)
            else:
                nn.init.uniform_(weight, -bound, bound)


class Derived(Layer):
    """A layer that derives from one of PyTorch's, ``base``, which computes what the class leaves to its parent."""

    WEIGHTS: ClassVar[dict[str, str]] = {"weight": "gradWeight", "bias": "gradBias"}

    def derive(self, base: Any) -> None:
        """What the parent's constructor does: it makes the weights, and calls ``reset``."""
        self.base = base
        for name, weight in base.named_parameters(recurse=False):
            if name in self.WEIGHTS:
                self.register_parameter(name, weight)
                setattr(self, self.WEIGHTS[name], torch.zeros_like(weight))
            else:
                setattr(self, name, weight.detach())
        for name, buffer in base.named_buffers(recurse=False):
            object.__setattr__(self, name, buffer)
        if type(self).reset is not Derived.reset:
            call(self.reset)
        elif put_in(self, "reset", "reset") is not None:
            vars(self)["_is_drawn"] = True
            run(self, "reset")
            del vars(self)["_is_drawn"]

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self.WEIGHTS and "base" in self._modules:
            setattr(self.base, name, getattr(self, name))

    def reset(self, deviation: Any = None) -> Any:
        """Draw the weights anew, unless they just were. Of a linear layer this gives the layer."""
        if not any(True for _ in self.base.parameters()):
            return None
        if deviation is None and "_is_drawn" in vars(self):
            return self if isinstance(self.base, nn.Linear) else None
        if not isinstance(self.base, WITH_RESET):
            raise NotInPage(f"reset of {type(self.base).__name__}")
        if deviation is None and isinstance(self.base, nn.Embedding):
            deviation = 1
        elif deviation is None:
            deviation = (3 * self.base.weight[0].numel()) ** -0.5
        draw_weights(self.base, deviation)
        return self if isinstance(self.base, nn.Linear) else None

    def set_training(self) -> None:
        super().set_training()
        self.base.train()

    def set_evaluation(self) -> None:
        super().set_evaluation()
        self.base.eval()

    def updateOutput(self, *inputs: Any) -> Any:
        self.output = forward(self.base, *inputs)
        return self.output

    def updateGradInput(self, inputs: Any, gradient: Any) -> Any:
        if any(x.is_floating_point() for x in tensors_in(inputs)):
            self.gradInput = backward(self.base, inputs, gradient, which="inputs")
        else:
            self.gradInput = map_tensors(torch.zeros_like, inputs)  # of items
        return self.gradInput

    def accGradParameters(self, inputs: Any, gradient: Any, scale: Any = 1) -> None:
        if any(True for _ in self.base.parameters()):
            backward(self.base, inputs, gradient, 1 if scale is None else scale, which="weights")


class Object:
    """What the program calls method by method, and which may have any field: a module or a criterion of Torch7's."""

    NAME = "nn.Module"
    PARENT = ""  # the layer that a class of the program's derives from
    UNKNOWN: tuple[str, ...] = ()  # fields that Torch7's class has, and the page does not know

    @property
    def _typename(self) -> str:
        return self.NAME

    def called_by_lua(self, *args: Any) -> Any:
        """``module(x)``: of nodes a node, of anything else what the module gives."""
        first = args[0] if args else None
        parts = items_of(first) if isinstance(first, (list, tuple)) else [first]
        if not args or any(isinstance(part, Node) for part in parts):
            return node(self, *args)
        return run(self, "updateOutput", *args)

    def backward(self, inputs: Any, gradient: Any, scale: Any = 1) -> Any:
        """Both halves, which the program may have replaced."""
        run(self, "updateGradInput", inputs, gradient)
        run(self, "accGradParameters", inputs, gradient, scale)
        held: Any = self
        return held.gradInput

    def register_parameter(self, name: str, weight: Any) -> None:
        held: Any = self
        held._parameters[name] = weight

    def __getattr__(self, name: str) -> Any:
        """A field that there is not is None."""
        held: Any = self
        for parts in (held.__dict__.get("_parameters", {}), held.__dict__.get("_modules", {})):
            if name in parts:
                return parts[name]
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.UNKNOWN:
            raise NotInPage(f"the field {name} of {self.NAME}")
        return put_in_class(self, name)


# What the program has put into the classes of Torch7's layers, by their names.
CLASS_FIELDS: dict[str, dict[str, Any]] = {}


def put_in(module: Any, field: str, name: str) -> Any:
    """What the program has put into a module as an attribute, or into its class under a name."""
    value = vars(module).get(field)
    return put_in_class(module, name) if value is None else value


def put_in_class(module: Any, name: str) -> Any:
    """What the program has put into a module's class, or the layer's that this derives from and leaves as it is."""
    own = CLASS_FIELDS.get(getattr(module, "NAME", ""), {}).get(name)
    inherited = CLASS_FIELDS.get(getattr(module, "PARENT", ""), {}).get(name)
    is_own = getattr(getattr(type(module), name, None), "__module__", __name__) != __name__
    return inherited if own is None and not is_own else own


def run(module: Any, name: str, *args: Any) -> Any:
    """A method, which the program may have replaced for this module alone, or for all of its class."""
    replaced = put_in(module, name, name)
    return call(replaced, module, *args) if callable(replaced) else call(getattr(module, name), *args)


# The last call of each module, for ``backward``.
CALLS: weakref.WeakKeyDictionary[nn.Module, Any] = weakref.WeakKeyDictionary()


# Of modules that compute weights of others, these with what they were at the last call.
COMPUTING: weakref.WeakKeyDictionary[nn.Module, list[tuple[torch.Tensor, torch.Tensor]]] = (
    weakref.WeakKeyDictionary()
)


def counted_from_0(module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a module of PyTorch takes: items and classes count from 0 there."""
    first = module
    while isinstance(first, nn.Sequential) and len(first):
        first = first[0]
    if isinstance(first, nn.Embedding):
        return (inputs[0].long() - 1, *inputs[1:])
    if isinstance(module, (nn.NLLLoss, nn.CrossEntropyLoss, nn.MultiMarginLoss)):
        target = inputs[1]
        whole = target.long() if isinstance(target, torch.Tensor) else torch.tensor(int(target))
        if inputs[0].dim() == 1 and whole.numel() == 1:  # of one example
            whole = whole.reshape(())
        return inputs[0], whole - 1
    if isinstance(module, (nn.MultiLabelMarginLoss, nn.EmbeddingBag)):
        raise NotInPage(f"places in a call of {type(module).__name__}")
    return inputs


def written_over(old: Any, new: Any) -> Any:
    """New numbers in the tensors that a module had before: in Torch7 its next call writes over them."""
    if isinstance(new, torch.Tensor):
        same = isinstance(old, torch.Tensor) and old.dtype == new.dtype and old.device == new.device
        same = same and not old.requires_grad
        same = same and (
            old.shape == new.shape or old.untyped_storage().resizable()
        )  # not one that was loaded
        if same:
            return old.resize_(new.shape).copy_(new.detach())
        return new.detach().clone(memory_format=torch.contiguous_format)
    if isinstance(new, (list, tuple)):
        before = items_of(old) if isinstance(old, (list, tuple)) else []
        return [written_over(*pair) for pair in zip([*before, *[None] * len(new)], new, strict=False)]
    return new


def taken_by(module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs as a module takes them: a table one by one where it takes so many, a target in its prediction's shape.

    Torch7's own criterions, here PyTorch's and functions, go through the elements of both in their order.
    """
    first, *rest = inputs
    function = module.forward if isinstance(module, nn.Module) else module
    parameters = [x for x in inspect.signature(function).parameters.values() if x.default is x.empty]
    several = all(x.kind is x.POSITIONAL_OR_KEYWORD for x in parameters) and len(parameters) > len(inputs)
    several = several and isinstance(first, (list, tuple)) and len(first) + len(rest) == len(parameters)
    # a graph of any number of inputs; a layer's own halves take a table as it is
    rests = [x.kind for x in parameters] == [inspect.Parameter.VAR_POSITIONAL]
    rests = rests and isinstance(first, (list, tuple)) and not isinstance(module, Layer)
    if several or rests:
        return (*first, *rest)
    is_user_defined = isinstance(module, nn.Module) and not type(module).__module__.startswith("torch.")
    if len(inputs) == 2 and all(isinstance(x, torch.Tensor) for x in inputs) and not is_user_defined:
        target = rest[0]
        if target.numel() == first.numel():
            return first, target.reshape(first.shape)
        if target.dim() == first.dim():
            raise NotInPage(f"a target of the sizes {list(target.shape)} for {list(first.shape)}")
    return inputs


def keep_output(module: Any, _: Any, output: Any) -> None:
    """Write over the output of a module, also where another one calls it."""
    old = None if vars(module).pop("output_is_passed_on", False) else vars(module).get("output")
    object.__setattr__(module, "output", written_over(old, output))


def passed_on(original: Any, taken: Any, output: Any) -> Any:
    """The output of a module that gives a view of its input, as a view of what it was given; None of another one."""
    tensors = [x for x in (original, taken, output) if isinstance(x, torch.Tensor)]
    if len(tensors) < 3 or not original.is_contiguous():
        return None
    if taken.untyped_storage().data_ptr() != output.untyped_storage().data_ptr():
        return None
    return original.detach().as_strided(
        output.size(), output.stride(), original.storage_offset() + output.storage_offset()
    )


# Whether a module is being called by ``forward``.
RUNNING = [False]


# How many dimensions an example has that these take in a batch alone, and Torch7's without one as well.
EXAMPLES = {nn.BatchNorm1d: 1, nn.BatchNorm2d: 3, nn.BatchNorm3d: 4}


def applied(module: Any, *inputs: Any) -> Any:
    """What a module of PyTorch gives; where it takes batches alone, an example is a batch of one."""
    dims = next((dims for kind, dims in EXAMPLES.items() if isinstance(module, kind)), None)
    if dims is not None and inputs[0].dim() == dims:
        return module(inputs[0][None])[0]
    return module(*inputs)


def computes_weights(module: Any) -> bool:
    """Whether a module computes weights of others, as ``torch.nn.utils.parametrizations`` do."""
    return isinstance(module, nn.Module) and any(hasattr(m, "parametrizations") for m in module.modules())


def weights_as_they_are(module: Any) -> Any:
    """Have the way back read weights as they are by then, as Torch7 does: they may have moved since the call.

    What else is kept for it must be as it was.
    """
    weights = module.parameters() if isinstance(module, nn.Module) else ()
    memory = {x.untyped_storage().data_ptr() for x in weights}

    def keep(x: torch.Tensor) -> tuple[torch.Tensor, int | None]:
        return x.detach(), None if x.untyped_storage().data_ptr() in memory else x._version

    def use(kept: tuple[torch.Tensor, int | None]) -> torch.Tensor:
        x, version = kept
        if version not in (None, x._version):
            raise NotInPage("what the way back needs has been written over since the call")
        return x

    return torch.autograd.graph.saved_tensors_hooks(keep, use)


def forward(module: Any, *inputs: Any) -> Any:
    """``module:forward(...)``, without its graph. The module keeps that, of this call alone, for ``backward``.

    A criterion may be a function.
    """
    if isinstance(module, Object):
        return run(module, "updateOutput", *inputs)
    if RUNNING[0] and torch.is_grad_enabled():
        raise NotInPage("a call without its graph within a module that PyTorch goes back through")
    if isinstance(module, nn.Module) and not isinstance(module, Layer) and module not in CALLS:
        module.register_forward_hook(keep_output)
    args = map_tensors(lambda x: x.detach().clone(memory_format=torch.contiguous_format), inputs)
    first, *targets = counted_from_0(module, args)
    leaves = [
        map_tensors(lambda x: x.detach().requires_grad_(x.is_floating_point()), first),
        *targets,
    ]
    outer, RUNNING[0] = RUNNING[0], True
    try:
        with torch.enable_grad(), weights_as_they_are(module):
            output = applied(module, *taken_by(module, tuple(leaves)))
    finally:
        RUNNING[0] = outer
    for x, taken in zip(tensors_in(inputs), tensors_in(args), strict=True):
        if taken._version:  # the module has written over its input
            x.data.copy_(taken)
    CALLS[module] = args, leaves, output
    if computes_weights(module):
        COMPUTING[module] = [(x, x.detach().clone()) for x in module.parameters()]
    if isinstance(output, torch.Tensor) and output.dim() == 0:
        object.__setattr__(module, "output", output.item())
        return module.output
    if isinstance(module, Layer):
        return module.returned
    if not isinstance(module, nn.Module):
        keep_output(module, inputs, output)
    view = passed_on(inputs[0], leaves[0], output)
    if view is not None:
        object.__setattr__(module, "output", view)
        object.__setattr__(module, "output_is_passed_on", True)
    return module.output


def are_same(first: Any, second: Any) -> bool:
    """Whether two nested tables hold the same numbers."""
    pairs = list(itertools.zip_longest(tensors_in(first), tensors_in(second), fillvalue=torch.empty(0)))
    return all(x.shape == y.shape and bool(((x == y) | (x != x) & (y != y)).all()) for x, y in pairs)


def take_as_it_is(module: Any, inputs: Any) -> None:
    """Have the way back of a module's last call read other numbers as its input, if Torch7's would do the same."""
    args, leaves, output = CALLS[module]
    before, now = tensors_in(args[0]), tensors_in(inputs)
    are_items = isinstance(module, nn.Embedding)
    if (
        [x.shape for x in before] != [x.shape for x in now]
        or not (are_items or all(x.is_floating_point() for x in now))
        or not reads_alike(tensors_in(output), tensors_in(leaves[0]))
    ):
        raise NotInPage(f"the {type(module).__name__} has been called with another input since")
    for old, leaf, new in zip(before, tensors_in(leaves[0]), now, strict=True):
        old.data.copy_(new)
        leaf.data.copy_(new - 1 if are_items else new)


def backward(module: Any, inputs: Any, gradient: Any, scale: float = 1, *, which: str = "both") -> Any:
    """``module:backward(input, gradient, scale)``, or ``which`` half of it: ``inputs`` or ``weights``."""
    if isinstance(module, Object):
        method = {"inputs": "updateGradInput", "weights": "accGradParameters"}.get(which, "backward")
        return run(module, method, inputs, gradient, *([] if which == "inputs" else [scale]))
    if module not in CALLS:
        raise ValueError("the module has not been called")
    args, leaves, output = CALLS[module]
    is_criterion = isinstance(output, torch.Tensor) and output.dim() == 0
    if is_criterion and gradient is not None and not are_same([inputs, gradient], list(args)):
        forward(module, inputs, gradient)  # it keeps nothing, and several may be one function
        args, leaves, output = CALLS[module]
    elif not are_same(inputs, args[0]):
        take_as_it_is(module, inputs)
    is_view = isinstance(module, nn.Module) and vars(module).get("output_is_passed_on", False)
    is_free = is_view or getattr(module, "output_is_free", False)
    kept = None if isinstance(module, Layer) or is_free else module.output
    if isinstance(kept, (torch.Tensor, list)) and not are_same(kept, output):
        raise NotInPage(f"the output of the {type(module).__name__} has been changed since")
    if is_criterion:
        gradient = torch.ones_like(output)  # where it is given its target
    elif isinstance(output, torch.Tensor) and isinstance(gradient, (list, tuple)):
        gradient = torch.stack(tensors_in(gradient))  # of the steps of a sequence
    if any(not torch.equal(x, before) for x, before in COMPUTING.get(module, [])):
        raise NotInPage("weights of which others are computed have moved since the call")
    for leaf in tensors_in(leaves):
        leaf.grad = None
    inner = [x for x in tensors_in(leaves[0]) if x.requires_grad]
    weights = [x for x in module.parameters() if x.requires_grad] if isinstance(module, nn.Module) else []
    halves: list[tuple[list[Any], float]] = [(inner, 1), (weights, scale)]
    if which == "both" and scale == 1:
        halves = [([*inner, *weights], 1)]
    for wanted, factor in {"inputs": halves[:1], "weights": halves[1:]}.get(which, halves):
        if wanted and any(
            x.requires_grad for x in tensors_in(output)
        ):  # a constant does not hang on its input
            gradients = [x.clone() if factor == 1 else x * factor for x in tensors_in(gradient)]
            torch.autograd.backward(tensors_in(output), gradients, retain_graph=True, inputs=wanted)
    if which != "weights":
        result = map_tensors(lambda x: torch.zeros_like(x) if x.grad is None else x.grad, leaves[0])
        if isinstance(module, Layer):
            return result
        object.__setattr__(module, "gradInput", written_over(vars(module).get("gradInput"), result))
        return module.gradInput
    return None


def steps_of(values: Any) -> torch.Tensor:
    """The steps of a sequence as one tensor, as modules of PyTorch take them."""
    return values if isinstance(values, torch.Tensor) else torch.stack(items_of(values))


# The calls of each module that remembers its steps, since it was told to forget; None once it has gone back.
STEPS: weakref.WeakKeyDictionary[nn.Module, list[Any]] = weakref.WeakKeyDictionary()


def forward_step(module: Any, inputs: Any) -> Any:
    """``module:forward(input)`` of a module that remembers its steps, each with an output of its own."""
    if module not in STEPS:
        forget = module.forget

        def forget_steps() -> None:
            STEPS[module] = []
            forget()

        module.forget = forget_steps
        STEPS[module] = []
    if None in STEPS[module]:
        raise NotInPage("a step after the way back of others that the module has not forgotten")
    object.__setattr__(module, "output", None)
    result = forward(module, inputs)
    STEPS[module].append(CALLS[module])
    return result


def backward_step(module: Any, inputs: Any, gradient: Any) -> Any:
    """``module:backward(input, gradient)`` of the last step that has not gone back.

    What the gradients of the steps behind it add to that of its input came along with theirs.
    """
    steps = [step for step in STEPS.get(module, []) if step is not None]
    if not steps or not are_same(inputs, steps[-1][0][0]):
        raise NotInPage("the way back of another step than the last")
    _, leaves, output = steps[-1]
    wanted = [x for _, taken, _ in steps for x in tensors_in(taken[0]) if x.requires_grad]
    wanted += [x for x in module.parameters() if x.requires_grad]
    torch.autograd.backward(tensors_in(output), tensors_in(gradient), retain_graph=True, inputs=wanted)
    STEPS[module] = [None, *steps[:-1]]
    return map_tensors(lambda x: torch.zeros_like(x) if x.grad is None else x.grad, leaves[0])


def store_idle_gradient(owner: Any, function: Any) -> None:
    """``module.updateGradInput = function() end``: nothing goes back to what the module is given.

    Its own weights have their gradients. ``owner`` may be something else with such a field.
    """
    if isinstance(owner, nn.Module) and not isinstance(owner, Object):
        owner.register_forward_pre_hook(
            lambda _, inputs: tuple(map_tensors(torch.Tensor.detach, x) for x in inputs)
        )
    else:
        store(owner, "updateGradInput", function)
