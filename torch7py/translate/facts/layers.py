"""The facts of layers and criterions, by the names that a program calls them by.

A name that is no class of the register, a class of the program's own say, has no facts: what is asked for is not known
of it then.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache

from torch7py.nn.activation import Identity
from torch7py.nn.base import Criterion, Module
from torch7py.nn.container import Container, Sequential
from torch7py.nn.facts import PLAIN, Facts, Parameter, facts_of_class, parsed
from torch7py.nn.object import TorchObject
from torch7py.nn.original_methods import original_methods, returns_nothing
from torch7py.nn.registry import layers
from torch7py.packages.registry import packages
from torch7py.rnn.abstract import AbstractRecurrent
from torch7py.rnn.dpnn.serial import Serial

__all__ = [
    "ADDING",
    "BACKWARD",
    "FORWARD",
    "applies_to_steps",
    "argument_types",
    "batch_rank",
    "begins_training",
    "by_step",
    "carries",
    "class_of",
    "compares_elements",
    "computes_alike",
    "differs_in_training",
    "facts_of",
    "gives",
    "gives_nothing",
    "gradient_reads_output",
    "grows",
    "has_list_of_modules",
    "has_method",
    "is_base",
    "is_chain",
    "is_container",
    "is_graph",
    "is_identity",
    "is_module",
    "is_parallel",
    "is_repeatable",
    "is_sequencer",
    "is_serial",
    "is_view",
    "is_wrapping",
    "keeps_rank",
    "keeps_something",
    "may_remember",
    "may_weigh",
    "normalizes_batches",
    "only_weighs",
    "parameters",
    "parts",
    "sees_sequences",
    "shares_memory",
    "side_by_side",
    "takes",
    "takes_items",
    "target",
    "weight_rank",
    "without_weights",
]

ADDING = (
    "fbnn",
    "nnx",
    "stn",
    "tbc",
    "unsup",
)  # packages that add layers to nn, which know these when loaded
# The methods by which a program calls modules and criterions, and those that go back through them. ``forward`` and
# ``backward`` are nn's own, and call the halves of a class.
FORWARD = ("forward", "updateOutput")
BACKWARD = ("backward", "updateGradInput", "accGradParameters")


@cache
def class_of(name: str) -> type[TorchObject] | None:
    """A class of the register, of whatever package; None where there is none of this name."""
    home = name.partition(".")[0]
    if name not in layers:
        for package in ("cunn", "nngraph", *ADDING) if home == "nn" else (home,):
            if package in packages:
                packages[package].load()
    return layers.get(name)


@cache
def facts_of(name: str) -> Facts | None:
    """The facts of a class; None where it is not in the register."""
    cls = class_of(name)
    return None if cls is None else facts_of_class(cls)


@cache
def argument_types(name: str, at: int) -> frozenset[str]:
    """The types of a constructor's argument at a place from 0, as its signature states them; none is not known."""
    cls = class_of(name)
    if cls is None:
        return frozenset()
    for place, parameter in enumerate(list(inspect.signature(cls.__init__).parameters.values())[1:]):
        if place == at or parameter.kind is parameter.VAR_POSITIONAL:
            return frozenset(str(parameter.annotation).split(" | "))
    return frozenset()


# Those of a class that is not in the register: it may do what others do not.
_UNKNOWN = Facts(
    **PLAIN | {"draws": True} | dict.fromkeys(("takes", "gives", "parts", "example", "target"), "")
)


def known(name: str) -> Facts:
    """The facts of a class, or of one of which nothing is known."""
    facts = facts_of(name)
    return _UNKNOWN if facts is None else facts


@cache
def parameters(name: str) -> tuple[Parameter, ...]:
    """The parameters that a layer has itself; none where it is not known."""
    return parsed(known(name).parameters)


# What a class of a program's own may derive from


def is_module(name: str | None) -> bool:
    """Whether this is nn's class of all layers, which computes nothing itself."""
    return name is not None and class_of(name) is Module


def is_base(name: str | None) -> bool:
    """Whether this is nn's class of all layers, or that of all criterions."""
    return name is not None and class_of(name) in (Module, Criterion)


def derives(name: str, base: str) -> bool:
    """Whether a layer's class is that of a name, or derives from it."""
    first, second = class_of(name), class_of(base)
    return name == base or (first is not None and second is not None and issubclass(first, second))


def derived_from(base: str) -> list[str]:
    """The layers and criterions whose classes derive from that of a name."""
    return sorted(name for name in layers if name != base and derives(name, base))


def is_container(name: str | None) -> bool:
    """Whether this is nn's class of all containers, which only holds its modules."""
    return name is not None and class_of(name) is Container


def has_list_of_modules(name: str) -> bool:
    """Whether a layer has a field ``modules``, as all containers have."""
    layer_class = class_of(name)
    return layer_class is not None and issubclass(layer_class, Container)


# What is in a layer


def parts(name: str) -> str:
    """What a layer does with modules in it, as its facts say it; an empty text where it is not known."""
    return known(name).parts


def is_chain(name: str | None) -> bool:
    """Whether a container applies its modules one after the other."""
    return name is not None and parts(name) == "chain"


def side_by_side(name: str) -> bool:
    """Whether a container gives a table of what its modules give, each of the input or of an entry of it."""
    return parts(name) in ("branches", "entries") and gives(name) == "table"


def is_graph(name: str) -> bool:
    """Whether a layer applies its modules as the nodes of a graph."""
    return parts(name) == "graph"


def is_parallel(name: str | None) -> bool:
    """Whether a layer holds one module, of which each of several devices has a copy."""
    return name is not None and parts(name) == "replicas"


def is_serial(name: str | None) -> bool:
    """Whether a layer does what its module does, and only says how much of it a file has."""
    return name is not None and class_of(name) is Serial


def is_identity(name: str | None) -> bool:
    """Whether a layer gives what it is given, whatever that is."""
    return name is not None and class_of(name) is Identity


def has_method(name: str, method: str) -> bool:
    """Whether a layer's class itself has a method of this name in the original."""
    return method in original_methods().get(name, ())


def is_wrapping(name: str) -> bool:
    """Whether a layer gives what modules in it give, one or a chain of them."""
    facts = known(name)
    return facts.gives == "parts" and facts.parts in ("chain", "one", "replicas")


def grows(name: str) -> bool:
    """Whether a container is given its modules one by one, each for the input, a part of it, or what came before."""
    return parts(name) in ("chain", "branches", "entries")


def without_weights(name: str) -> bool:
    """Whether it is known that a layer has no parameters but those of modules that it is given."""
    facts = known(name)
    return not facts.parameters and facts.parts not in ("", "built", "steps", "graph")


def may_weigh(name: str) -> bool:
    """Whether a layer, or what may be in it, may have parameters."""
    facts = known(name)
    return bool(facts.parameters) or facts.parts not in ("none", "fixed")


def weight_rank(name: str) -> int | None:
    """How many dimensions the weight of a layer has; None where it is not known."""
    return next((parameter.rank for parameter in parameters(name) if parameter.name == "weight"), None)


def only_weighs(name: str) -> bool:
    """Whether ``weight`` is all that a layer may learn itself, if anything."""
    return without_weights(name) or [parameter.name for parameter in parameters(name)] == ["weight"]


# What goes in and comes out


def keeps_rank(name: str) -> bool:
    """Whether it is known that a layer's output has as many dimensions as its input."""
    return known(name).keeps_rank


def gives(name: str) -> str:
    """What a layer gives, as its facts say it; an empty text where it is not known."""
    return known(name).gives


def target(name: str) -> str:
    """What the target of a criterion is, as its facts say it; an empty text where it is not known."""
    return known(name).target


def compares_elements(name: str) -> bool:
    """Whether a criterion compares each element of a tensor with the one of its target at the same place."""
    return takes(name) == "tensor" and target(name) in ("values", "shares", "sign", "truths")


def takes(name: str) -> str:
    """What a layer takes, as its facts say it; an empty text where it is not known."""
    return known(name).takes


def shares_memory(name: str) -> bool:
    """Whether a layer's output may lie in its input's memory, though it does not work in place."""
    return known(name).shares_memory


def is_view(name: str) -> bool:
    """Whether a layer gives the tensor that it is given, or a view of it."""
    facts = known(name)
    return facts.shares_memory and not {facts.takes, facts.gives} & {"table", "parts"}


def gradient_reads_output(name: str) -> bool:
    """Whether a layer's gradient is computed with its output, as that is in memory by then."""
    return known(name).gradient_reads_output


def takes_items(name: str) -> bool:
    """Whether a layer looks up items by whole numbers."""
    return bool(known(name).items)


# What depends on more than the input


def is_repeatable(name: str) -> bool:
    """Whether a layer that is run again in training surely gives the same."""
    facts = known(name)
    return not facts.draws and facts.keeps != "always"


def carries(name: str) -> bool:
    """Whether a layer is given a sequence step by step, and keeps a state from one to the next."""
    return known(name).keeps == "always"


def may_remember(name: str) -> bool:
    """Whether a layer may go on where the last sequence ended."""
    return known(name).keeps == "remembered"


def by_step(name: str) -> bool:
    """Whether a layer is one of those of rnn that are called once for each step of a sequence."""
    cls = class_of(name)
    return cls is not None and issubclass(cls, AbstractRecurrent)


def applies_to_steps(name: str) -> bool:
    """Whether a layer applies the module that it is given to each step of a sequence."""
    facts = known(name)
    return facts.gives == "steps" and facts.parts == "each"


def is_sequencer(name: str) -> bool:
    """Whether a layer applies one module to each step, and may go on where the last sequence ended."""
    return applies_to_steps(name) and may_remember(name)


def sees_sequences(name: str) -> bool:
    """Whether a layer sees a sequence, or what it kept from the call before, or is a graph with several inputs."""
    facts = known(name)
    whole = facts.takes in ("steps", "sequence") or facts.gives == "steps" or facts.parts == "graph"
    return whole or by_step(name)


def normalizes_batches(name: str) -> bool:
    """Whether a layer treats the examples of a batch together in training, and each alone in evaluation."""
    facts = known(name)
    return facts.over_batch and facts.differs_in_training


def batch_rank(name: str) -> int:
    """How many dimensions a batch of a layer has that says what the axes of an example are."""
    return len(known(name).example.split()) + 1 if class_of(name) is not None else 0


def keeps_something(name: str) -> bool:
    """Whether a layer keeps something from one call for the next: a state, or running statistics."""
    facts = known(name)
    return facts.keeps != "nothing" or facts.gives == "steps" or by_step(name) or normalizes_batches(name)


def begins_training(name: str) -> bool:
    """Whether a new layer is in training, before anybody says in which mode it is."""
    return known(name).begins_training


def gives_nothing(method: str, names: Iterable[str]) -> bool:
    """Whether a method that modules have gives no value, and is no other one of the layers of these names."""
    of_all = any(returns_nothing(base.torch7_name, method) for base in (Module, Container, Sequential))
    own = (name for name in names if method in original_methods().get(name, ()))
    return of_all and all(returns_nothing(name, method) for name in own)


def computes_alike(name: str) -> bool:
    """Whether it is known that a layer itself computes the same in training and in evaluation."""
    return class_of(name) not in (None, Module, Container) and not differs_in_training(name)


def differs_in_training(name: str) -> bool:
    """Whether a layer, or the way in which it goes through a sequence, is another in training."""
    facts = known(name)
    return facts.differs_in_training or facts.gives == "steps" or by_step(name)
