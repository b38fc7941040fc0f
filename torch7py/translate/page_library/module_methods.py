"""The methods that all of Torch7's modules have, for modules that are objects."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from torch7py.translate.page_library.layers import (
    CLASS_FIELDS,
    Container,
    Derived,
    Layer,
    Object,
    kept_in,
    put_in,
    run,
)
from torch7py.translate.page_library.modules import BuiltGraph
from torch7py.translate.page_library.tensors import as_type, tensor_method, torch_type
from torch7py.translate.page_library.values import (
    LAYERS,
    NotInPage,
    attribute,
    call,
    call_all,
    index,
    items_of,
    store,
    weight_in_torch7,
)


def all_modules(module: Any) -> list[Any]:
    """A module, and those in it, each once."""
    modules: dict[Any, None] = {module: None}
    for part in children_of(module):
        modules |= dict.fromkeys(all_modules(part))
    return list(modules)


def open_modules(module: Any) -> list[Any]:
    """``module:listModules()``: one that stands in two places is there twice.

    Of a layer with modules inside that the page has not, this is an error.
    """
    if isinstance(module, Object) and module.closed:
        raise NotInPage(f"the modules inside of {module.NAME}")
    return [module, *(inner for part in children_of(module) for inner in open_modules(part))]


def children_of(module: Any) -> list[Any]:
    """The modules that a module holds itself, in Torch7's words."""
    held = vars(module).get("modules_") or module._modules.get("modules_")
    if held or isinstance(module, Layer):
        return items_of(held or [])
    if isinstance(module, (nn.Sequential, nn.ModuleList)):
        return list(module)
    if type(module).__name__ not in LAYERS:
        raise NotInPage(f"the modules inside of {type(module).__name__}")
    return []


def weights_of(module: Any) -> tuple[list[Any], list[Any]]:
    """The weights of a module, and their gradients, as its class gives them."""
    method = getattr(module, "parameters_", None)
    if method is not None:
        replaced = put_in(module, "parameters_", "parameters")
        if callable(replaced):
            method = partial(replaced, module)
        weights, gradients = (*call_all(method), None, None)[:2]
        return items_of(weights or []), items_of(gradients or [])
    return weights_inside(module)


def weights_inside(module: Any) -> tuple[list[Any], list[Any]]:
    """The weights of a module, and their gradients, as all modules give them."""
    children = children_of(module)
    if children and not isinstance(module, BuiltGraph):
        parts = [weights_of(child) for child in children]
        return [w for part in parts for w in part[0]], [g for part in parts for g in part[1]]
    for part in module.modules():
        for name, field in getattr(part, "WEIGHTS", {}).items():
            weight, gradient = kept_in(part, name), kept_in(part, field)
            if weight is not None and gradient is not None:
                weight.grad = gradient
    weights = [weight for weight in module.parameters() if weight.requires_grad]  # Torch7's has no others
    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    return weights, [weight.grad for weight in weights]


def listed_weights(module: Any) -> tuple[list[Any], ...]:
    """``module:parameters()``: each weight, where all have Torch7's form. A layer without any gives nothing."""
    for part in all_modules(module):
        if part.closed or {"weight", "bias"}.intersection(part.UNKNOWN):
            raise NotInPage(f"the weights of {part.NAME} one by one, which have another form")
    turned = {id(part.weight) for part in all_modules(module) if getattr(part, "_is_turned", False)}
    weights, gradients = weights_inside(module)
    if not weights and not isinstance(module, (Container, BuiltGraph)):
        return ()
    are_turned = [id(weight) in turned for weight in weights]
    return (
        [weight_in_torch7(w) if is_turned else w for w, is_turned in zip(weights, are_turned, strict=True)],
        [weight_in_torch7(g) if is_turned else g for g, is_turned in zip(gradients, are_turned, strict=True)],
    )


def flat_weights(*modules: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """``module:getParameters()``: all weights in one vector, and their gradients, of which they become views."""
    parts = [weights_of(module) for module in modules]
    return one_vector([w for part in parts for w in part[0]]), one_vector(
        [g for part in parts for g in part[1]]
    )


def one_vector(values: list[torch.Tensor]) -> torch.Tensor:
    """One vector of tensors, each of which becomes a view of it; those in the same memory are there once."""
    places: dict[tuple[int, int], int] = {}
    size = 0
    for value in values:
        if places.setdefault((value.data_ptr(), value.numel()), size) == size:
            size += value.numel()
    flat = values[0].detach().new_empty(size) if values else torch.empty(0)
    for value, start in [(v, places[v.data_ptr(), v.numel()]) for v in values]:
        view = flat[start : start + value.numel()]
        is_dense = torch.empty_like(value).stride() == value.stride()
        strides = value.stride() if is_dense else torch.empty(value.shape).stride()
        view = view.as_strided(value.shape, strides)
        view.copy_(value.detach())
        value.data = view
    return flat


def clone_object(module: Any, *names: Any) -> Any:
    """``module:clone(...)``: a copy; the fields that are named are the module's own."""
    result = copy.deepcopy(module)
    for part in all_modules(result):
        for name, field in getattr(part, "WEIGHTS", {}).items():
            if kept_in(part, name) is not None:
                kept_in(part, name).grad = kept_in(part, field)
    return share_fields(result, module, *names) if names else result


def share_fields(module: Any, other: Any, *names: Any) -> Any:
    """``module:share(other, ...)``: the fields that are named become the other's."""
    for mine, theirs in zip(open_modules(module), open_modules(other), strict=True):
        for name in names:
            value = kept_in(theirs, name)
            if isinstance(value, torch.Tensor) and kept_in(mine, name) is not None:
                kept_in(mine, name).data = value.data
        inside = getattr(mine, "base", None)
        if inside is not None and not mine._parameters and "weight" in names:  # a layer of several in PyTorch
            for weight, other_weight in zip(inside.parameters(), theirs.base.parameters(), strict=True):
                weight.data = other_weight.data
                if "gradWeight" in names:
                    other_weight.grad = (
                        torch.zeros_like(weight) if other_weight.grad is None else other_weight.grad
                    )
                    weight.grad = other_weight.grad
    return module


def update_weights(module: Any, rate: Any, once: Any = None) -> None:
    """``module:updateParameters(rate)``; ``once``: weights that several modules share move once."""
    if once == "shared weights once":  # in the class of nn.StochasticGradient
        places = {w.data_ptr(): (w, g) for w, g in zip(*weights_of(module), strict=True)}
        for weight, gradient in places.values():
            weight.add_(gradient, alpha=-rate)
        return
    children = children_of(module)
    for child in children:
        object_method(child, "updateParameters", rate)
    for weight, gradient in zip(*weights_of(module), strict=True) if not children else ():
        weight.add_(gradient, alpha=-rate)


def clear_gradients(module: Any) -> None:
    """``module:zeroGradParameters()``"""
    children = children_of(module)
    for child in children:
        object_method(child, "zeroGradParameters")
    for gradient in weights_of(module)[1] if not children else ():
        gradient.zero_()


def apply_to_all(module: Any, function: Any) -> None:
    """``module:apply(function)``"""
    for part in open_modules(module):
        call(function, part)


def apply_to_parts(module: Any, function: Any) -> None:
    """``module:applyToModules(function)``"""
    for part in children_of(module):
        call(function, part)


def find_modules(module: Any, name: Any) -> tuple[list[Any], list[Any]]:
    """``module:findModules(name)``: the modules of a class, and the containers that they are in."""
    open_modules(module)
    parts = [module] if name == torch_type(module) else []
    homes = list(parts)
    for child in children_of(module):
        below = find_modules(child, name)
        parts += below[0]
        homes += [module if part is child else home for part, home in zip(*below, strict=True)]
    return parts, homes


def replace_modules(module: Any, function: Any) -> Any:
    """``module:replace(function)``: what the function gives for each module stands in its place."""
    open_modules(module)
    result = call(function, module)
    for number, part in enumerate(children_of(result)):
        result.modules_[number] = replace_modules(part, function)
    return result


def module_type(module: Any, kind: Any = None) -> Any:
    """``module:type([kind])`` of a module of PyTorch's: itself converted, or the name of its type."""
    if kind is not None:
        return as_type(module, kind)
    weights = [*module.parameters(), *module.buffers()]
    if not weights:
        raise NotInPage(f"the type of {type(module).__name__}, which has no weights")
    return tensor_method(weights[0], "type")


def converted_module(module: Any, kind: Any = None) -> Any:
    """``module:type([kind])``"""
    result = module_type(module, kind)
    for part in all_modules(module):
        part.share_gradients() if isinstance(part, Layer) else None
    return result


def cleared_module(module: Any) -> Any:
    """``module:clearState()``"""
    for child in children_of(module):
        object_method(child, "clearState")
    module.output = module.gradInput = torch.empty(0)
    return module


def clear_fields(owner: Any, *names: Any) -> Any:
    """``nn.utils.clear(object, name, ...)``: tensors lose what they hold, tables are new ones, all else goes."""
    for name in names if not names or isinstance(names[0], str) else items_of(names[0]):
        value = index(owner, name)
        if isinstance(value, torch.Tensor):
            value.data = value.new_empty(0)
        else:
            store(owner, name, type(value)() if isinstance(value, (list, dict)) else None)
    return owner


def insert_module(module: Any, part: Any, place: Any = None) -> None:
    """``module:insert(part, place)``, counted from 1, or at the end."""
    module.modules_.insert(len(module.modules_) if place is None else int(place) - 1, part)


def take_module(module: Any, place: Any = None) -> None:
    """``module:remove(place)``, counted from 1, or the last one."""
    module.modules_.pop(len(module.modules_) - 1 if place is None else int(place) - 1)


def rounding_up(module: Any, is_up: bool) -> Any:
    """``pooling:ceil()`` and ``pooling:floor()``"""
    base = module.base if isinstance(module, Object) else module
    if not hasattr(base, "ceil_mode"):
        raise NotInPage(f"the rounding of {torch_type(module)}")
    base.ceil_mode = is_up
    return module


def set_probability(module: Any, p: Any) -> None:
    """``dropout:setp(p)``"""
    module.p = p


def without_bias(module: Any) -> Any:
    """``module:noBias()``"""
    module.bias = None
    return module


def reset_all(module: Any, *deviation: Any) -> None:
    """``module:reset(deviation)`` of a container."""
    for part in children_of(module):
        object_method(part, "reset", *deviation)


def own_or(module: Any, name: str, given: Any) -> Any:
    """A module's own setting, which comes before the one that a call gives."""
    return getattr(module, name, None) or given


def clip_gradients(module: Any, longest: Any = None, each: Any = None) -> Any:
    """``module:gradParamClip(longest)``: scale all gradients down to a norm; the norm before."""
    longest = own_or(module, "cutoffNorm", longest)
    if own_or(module, "moduleLocal", each):
        raise NotInPage("gradParamClip of each module by itself")
    if longest <= 0:
        return None
    gradients = weights_of(module)[1]
    norm = math.sqrt(sum(gradient.double().norm().item() ** 2 for gradient in gradients))
    for gradient in gradients if norm > longest else ():
        gradient.mul_(longest / norm)
    return norm


def add_momentum(module: Any, factor: Any = None, damping: Any = None, is_nesterov: Any = None) -> None:
    """``module:updateGradParameters(factor, damping, nesterov)``: gradients become their running means."""
    factor = own_or(module, "momFactor", factor)
    damping = own_or(module, "momDamp", damping)
    is_nesterov = own_or(module, "momNesterov", is_nesterov)
    children = children_of(module)
    for child in children:
        object_method(child, "updateGradParameters", factor, damping, is_nesterov)
    gradients = weights_of(module)[1] if not children and factor > 0 else []
    means = vars(module).setdefault("_means", [gradient.clone() for gradient in gradients])
    for mean, gradient in zip(means, gradients, strict=True):
        mean.mul_(factor).add_(gradient, alpha=1 - (factor if damping is None else damping))
        if is_nesterov:
            gradient.add_(mean, alpha=factor)
        else:
            gradient.copy_(mean)


def reward_modules(module: Any, reward: Any) -> None:
    """``module:reinforce(reward)``: the reward of all layers inside that learn by it."""
    for child in children_of(module):
        object_method(child, "reinforce", reward)


def set_mode(module: Any, is_training: bool) -> None:
    """``module:training()`` and ``module:evaluate()``"""
    for part in all_modules(module):
        (part.set_training if is_training else part.set_evaluation)()


def go_forward(module: Any, *inputs: Any) -> Any:
    """``module:forward(...)``; of a criterion over classes also the sum of their weights."""
    output = run(module, "updateOutput", *inputs)
    return (
        (output, module.counted(inputs[1]))
        if isinstance(getattr(module, "base", None), nn.NLLLoss)
        else output
    )


def move_at_once(module: Any, inputs: Any, gradient: Any, rate: Any) -> None:
    """``module:accUpdateGradParameters(input, gradOutput, rate)``: a step by the gradients of one pass.

    Gradients stay as they were, but those of a module that shares its weights with others.
    """
    weights, gradients = weights_of(module)
    before = [gradient_before.clone() for gradient_before in gradients]
    for part in gradients:
        part.zero_()
    run(module, "accGradParameters", inputs, gradient, 1)
    for weight, part, kept in zip(weights, gradients, before, strict=True):
        weight.add_(part, alpha=-rate)
        if module.shared is None or module.shared is False:
            part.copy_(kept)


OBJECT_METHODS: dict[str, Callable[..., Any]] = {
    "accUpdateGradParameters": move_at_once,
    "apply": apply_to_all,
    "applyToModules": apply_to_parts,
    "ceil": lambda module: rounding_up(module, True),
    "clearState": cleared_module,
    "clone": clone_object,
    "cuda": lambda module: converted_module(module, "cuda"),
    "double": lambda module: converted_module(module, "double"),
    "evaluate": lambda module: set_mode(module, False),
    "findModules": find_modules,
    "floor": lambda module: rounding_up(module, False),
    "float": lambda module: converted_module(module, "float"),
    "forward": go_forward,
    "getParameters": flat_weights,
    "gradParamClip": clip_gradients,
    "get": lambda module, place: module.modules_[int(place) - 1],
    "insert": insert_module,
    "listModules": open_modules,
    "noBias": without_bias,
    "parameters": listed_weights,
    "reinforce": reward_modules,
    "remove": take_module,
    "reset": reset_all,
    "replace": replace_modules,
    "setp": set_probability,
    "share": share_fields,
    "training": lambda module: set_mode(module, True),
    "type": converted_module,
    "updateGradParameters": add_momentum,
    "updateParameters": update_weights,
    "zeroGradParameters": clear_gradients,
}


# Those that give no value.
GIVING_NOTHING = frozenset(
    """accGradParameters accUpdateGradParameters
    apply applyToModules evaluate insert reinforce remove setp training updateGradParameters
    updateParameters zeroGradParameters""".split()
)


def of_all_modules(name: str, module: Any, *args: Any) -> tuple[Any, ...]:
    """All values of a method as all modules have it, which a class has replaced."""
    if name not in OBJECT_METHODS:
        raise NotInPage(f"the method {name} of all modules")
    values = call_all(OBJECT_METHODS[name], module, *args)
    return () if name in GIVING_NOTHING else values


def object_method(value: Any, name: str, *args: Any) -> tuple[Any, ...]:
    """All values of a method of an object, whatever the program has put in its place."""
    replaced = put_in(value, attribute(value, name), name)
    return call_all(replaced, value, *args) if callable(replaced) else own_method(name, value, *args)


def own_method(name: str, value: Any, *args: Any) -> tuple[Any, ...]:
    """All values of a method as Torch7's class has it, or the program's own."""
    field = attribute(value, name)
    method = getattr(type(value), field, None)
    if name in OBJECT_METHODS and method is None:
        return of_all_modules(name, value, *args)
    base = value._modules.get("base")
    inner = base if method is None and base is not None else value
    return call_all(getattr(inner, field), *args)


def class_field(name: str, field: str) -> Any:
    """``nn.Linear.reset``: what the program has put there, or the method of Torch7's class."""
    fields = CLASS_FIELDS.get(name, {})
    if field not in fields and not (field in OBJECT_METHODS or hasattr(Derived, field)):
        raise NotInPage(f"the field {field} of {name}")
    return fields[field] if field in fields else partial(own_method, field)


def store_in_class(name: str, field: str, value: Any) -> None:
    """``nn.Linear.reset = value``, which all modules of the class have then."""
    CLASS_FIELDS.setdefault(name, {})[field] = value
