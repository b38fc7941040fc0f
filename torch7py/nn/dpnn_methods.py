"""What a training loop can ask of every module once the dpnn package is loaded.

Constraints on weights and gradients, momentum and rewards. A container passes them on to its modules; a module's own
field (``maxOutNorm``, ``cutoffNorm``, ``wdFactor``, ``momFactor``, ...) comes before the argument.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import chain, count, takewhile
from typing import Any, ClassVar

import torch

from torch7py.nn.batching import Batching
from torch7py.nn.checks import truthy
from torch7py.nn.object import as_parents, names
from torch7py.nn.sequence_methods import Stepping
from torch7py.ops import types
from torch7py.ops.errors import TorchError

__all__ = ["BATCHING_METHODS", "TRAINING_METHODS", "Training"]

BATCHING_METHODS = names("toBatch fromBatch")
TRAINING_METHODS = BATCHING_METHODS | names(
    """sparseParameters maxParamNorm gradParamClip momentumGradParameters updateGradParameters
    checkParameters contiguousInput extrapolateType reinforce""",
    weightDecay="decay_weights",  # some layers have a field of that name
    dpnn_getParameters="get_all_parameters",
)


def entries(table: Any) -> list[tuple[int, torch.Tensor]]:
    """The entries of a table of tensors with their numbers: one with holes comes as a dict."""
    return list(table.items()) if isinstance(table, dict) else list(enumerate(table, 1))


def in_order(table: Any) -> list[Any]:
    """The entries 1, 2, ... of a table, as ``#`` counts them: up to the first number without one."""
    if not isinstance(table, dict):
        return list(table)
    return [table[number] for number in takewhile(table.__contains__, count(1))]


def flattened_table(table: Any) -> list[Any]:
    """The tensors in order of a table and of the tables in it."""
    items = [flattened_table(item) if isinstance(item, (list, dict)) else [item] for item in in_order(table)]
    return list(chain.from_iterable(items))


def first_of(results: Any) -> Any:
    """The first of the results of a method, which are a tuple where there are several."""
    return results[0] if isinstance(results, tuple) else results


class Training(Stepping, Batching):
    """The part of ``Module`` that the dpnn package adds."""

    fields: ClassVar[tuple[str, ...]] = (
        "maxOutNorm",
        "maxInNorm",
        "cutoffNorm",
        "moduleLocal",
        "wdFactor",
        "wdMinDim",
        "momFactor",
        "momDamp",
        "momNesterov",
        "momGradParams",
        "dpnn_cinput",
        "dpnn_serialEmpty",
    )
    sparse: ClassVar[bool] = False  # whether sparseParameters gives other tensors than parameters
    maxOutNorm: float | None = None
    maxInNorm: float | None = None
    cutoffNorm: float | None = None
    moduleLocal: bool | None = None
    wdFactor: float | None = None
    wdMinDim: float | None = None
    momFactor: float | None = None
    momDamp: float | None = None
    momNesterov: bool | None = None
    momGradParams: Any = None
    dpnn_cinput: torch.Tensor | None = None
    dpnn_serialEmpty: Any = None

    def torch7_parameters(self) -> Any:
        raise NotImplementedError

    # -- parameters ---------------------------------------------------------------------------------------

    def sparseParameters(self) -> Any:
        """``m:sparseParameters()``: parameters, gradients and perhaps a factor of the learning rate for each.

        By default those of ``parameters()``. A script's class may give tables with holes, of what it used alone.
        """
        return self.torch7_parameters()

    def sparse_triples(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, float]]:
        """Parameters with gradient and factor, as ``updateParameters`` goes through them."""
        triples = self.sparseParameters()
        if not triples or triples[0] is None:
            return
        parameters, gradients = triples[:2]
        factors = triples[2] if len(triples) > 2 and triples[2] else None
        if any(isinstance(factor, torch.Tensor) for _, factor in entries(factors or [])):
            factors = None  # nn.hessian's parameters() has second derivatives there
        lists = isinstance(parameters, list) and isinstance(gradients, list)
        if factors is None and lists and len(parameters) == len(gradients):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                yield parameter, gradient, 1
            return
        of_number = dict(entries(gradients))
        factor_of: dict[int, Any] = dict(entries(factors or []))
        for number, parameter in entries(parameters):
            if number not in of_number:
                raise TorchError(f"{self.class_name}: parameter {number} has no gradient")
            yield parameter, of_number[number], factor_of.get(number, 1)

    def sparse_gradients(self) -> Iterator[torch.Tensor]:
        """Gradients as ``zeroGradParameters`` goes through them: a parameter need not have one."""
        triples = self.sparseParameters()
        if triples and triples[1] is not None:
            for _, gradient in entries(triples[1]):
                yield gradient

    def _numbered(self, use_gradients: bool = True) -> list[tuple[int, torch.Tensor, torch.Tensor]]:
        parameters = self.torch7_parameters()
        if not parameters or parameters[0] is None or parameters[1] is None:
            return []
        gradients = dict(entries(parameters[1]))
        for number, gradient in gradients.items():
            if use_gradients and not isinstance(gradient, torch.Tensor):
                raise TorchError(f"{self.class_name}: the gradient of parameter {number} is a table")
        return [(n, p.data, gradients[n]) for n, p in entries(parameters[0]) if n in gradients]

    def hidden_modules(self) -> list[Training]:
        """This module and all that it holds in any field, whether ``modules`` lists them or not."""
        modules: dict[int, Training] = {}

        def visit(value: Any) -> None:
            if isinstance(value, Training):
                if id(value) not in modules:
                    modules[id(value)] = value
                    within(value)
            elif isinstance(value, (list, tuple)):
                for item in value:
                    visit(item)
            elif isinstance(value, dict):
                for item in value.values():
                    visit(item)

        def within(module: Training) -> None:
            for child in module._modules.values():
                visit(child)
            for name in module.all_fields():
                value = module.__dict__.get(name)
                if name in module.lists or isinstance(value, Training):
                    visit(value)
            overrides = module.__dict__.get("_overrides")
            if overrides is not None:
                visit(overrides.foreign_modules(module))

        visit(self)
        return list(modules.values())

    def get_all_parameters(self) -> tuple[torch.Tensor, torch.Tensor]:
        """``m:getParameters()`` with dpnn: modules that are fields of others belong to the model too."""
        pairs: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        for module in self.hidden_modules():
            for all_of_them, part in zip(pairs, module.torch7_parameters() or (), strict=False):
                all_of_them += flattened_table(part)
        return self.flattened(*pairs, False)

    def flattened(
        self, parameters: list[torch.Tensor], gradients: list[torch.Tensor], alike: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        raise NotImplementedError

    def extrapolateType(self) -> str | None:
        """``m:extrapolateType()``: the tensor type that most parameters have; nil without parameters."""
        parameters = self.torch7_parameters()
        if not parameters:
            return None
        counts = Counter(types.of(p).tensor for _, p in entries(parameters[0]))
        return counts.most_common(1)[0][0] if counts else None

    def checkParameters(self) -> None:
        """``m:checkParameters()``: an error where a parameter holds NaN."""
        parameters = self.torch7_parameters()
        for number, parameter in entries(parameters[0] if parameters else ()):
            if math.isnan(parameter.data.double().sum().item()):
                raise TorchError(f"checkParameters: NaN in parameter {number}")

    # -- constraints --------------------------------------------------------------------------------------

    def maxParamNorm(self, maxOutNorm: float | None = None, maxInNorm: float | None = None) -> None:
        """``m:maxParamNorm([maxOutNorm, maxInNorm])``: scale down rows of weights, or columns, of a larger 2-norm.

        Rows, what goes into an output, are held to maxOutNorm; columns, along the last dimension, to maxInNorm.
        Vectors are left alone, and so is what has no limit or one of 0 or less.
        """
        maxOutNorm = self._setting("maxOutNorm", maxOutNorm)
        maxInNorm = self._setting("maxInNorm", maxInNorm)
        if maxOutNorm is None and maxInNorm is None:
            return
        children = self.child_list()
        if children is not None:
            for child in children:
                child.maxParamNorm(maxOutNorm, maxInNorm)
            return
        for _, parameter, _ in self._numbered(use_gradients=False):
            if parameter.dim() > 1:
                limit_norms(parameter, 0, maxOutNorm)
                limit_norms(parameter, parameter.dim() - 1, maxInNorm)

    def gradParamClip(self, cutoffNorm: float | None = None, moduleLocal: bool | None = None) -> float | None:
        """``m:gradParamClip(cutoffNorm[, moduleLocal])``: scale gradients of a larger 2-norm down to it.

        The norm is that of all gradients together, or with moduleLocal of each module's. Returns the norm before,
        nothing where cutoffNorm is 0 or less.
        """
        cutoffNorm = self._number("cutoffNorm", cutoffNorm, "gradParamClip")
        if cutoffNorm <= 0:
            return None
        moduleLocal = moduleLocal if self.moduleLocal is None else self.moduleLocal
        children = self.child_list()
        if truthy(moduleLocal) and children is not None:
            norms = [child.gradParamClip(cutoffNorm, moduleLocal) or 0.0 for child in children]
            return math.sqrt(sum(norm * norm for norm in norms))
        gradients = [gradient for _, _, gradient in self._numbered()]
        norms = [torch.linalg.vector_norm(gradient, dtype=torch.float64).item() for gradient in gradients]
        norm = math.sqrt(sum(norm * norm for norm in norms))
        if norm > cutoffNorm:
            for gradient in gradients:
                gradient.mul_(cutoffNorm / norm)
        return norm

    def decay_weights(self, wdFactor: float | None = None, wdMinDim: float | None = None) -> None:
        """``m:weightDecay(wdFactor[, wdMinDim])``: add wdFactor times the parameters to their gradients.

        Parameters of fewer than wdMinDim (2) dimensions are left alone.
        """
        wdFactor = self._number("wdFactor", wdFactor, "weightDecay")
        if wdFactor <= 0:
            return
        wdMinDim = self._setting("wdMinDim", wdMinDim)
        children = self.child_list()
        if children is not None:
            for child in children:
                child.decay_weights(wdFactor, wdMinDim)
            return
        for _, parameter, gradient in self._numbered():
            if parameter.dim() >= (2 if wdMinDim is None else wdMinDim):
                gradient.add_(parameter, alpha=wdFactor)

    def momentumGradParameters(self) -> Any:
        """``m:momentumGradParameters()``: the running means of the gradients; the first time, copies of them."""
        if not self.momGradParams:
            pairs = self._numbered()
            if not pairs:
                return None
            copies = {number: gradient.clone() for number, _, gradient in pairs}
            self.momGradParams = (
                list(copies.values()) if list(copies) == list(range(1, len(copies) + 1)) else copies
            )
        return self.momGradParams

    def updateGradParameters(
        self,
        momFactor: float | None = None,
        momDamp: float | None = None,
        momNesterov: bool | None = None,
    ) -> None:
        """``m:updateGradParameters(momFactor[, momDamp, momNesterov])``: gradients with momentum.

        The mean becomes ``momFactor * mean + (1 - momDamp) * gradient``, momDamp being momFactor where it is not
        given, and takes the gradient's place; with momNesterov the gradient gains ``momFactor * mean`` instead.
        """
        momFactor = self._number("momFactor", momFactor, "updateGradParameters")
        if momFactor <= 0:
            return
        momDamp = self._setting("momDamp", momDamp)
        momDamp = momFactor if momDamp is None else momDamp
        momNesterov = momNesterov if self.momNesterov is None else self.momNesterov
        children = self.child_list()
        if children is not None:
            for child in children:
                child.updateGradParameters(momFactor, momDamp, momNesterov)
            return
        pairs = self._numbered()
        if not pairs:
            return
        means = dict(entries(self.momentumGradParameters()))
        for number, _, gradient in pairs:
            mean = means[number].mul_(momFactor).add_(gradient, alpha=1 - momDamp)
            if truthy(momNesterov):
                gradient.add_(mean, alpha=momFactor)
            else:
                gradient.copy_(mean)

    def _setting(self, name: str, value: float | None) -> float | None:
        """A module's own setting, or the one that is given."""
        field = self.get_field(name)
        return field if truthy(field) else value

    def _number(self, name: str, argument: float | None, method: str) -> float:
        value = self._setting(name, argument)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TorchError(f"{method}: {name} must be a number")
        return value

    # -- the rest -----------------------------------------------------------------------------------------

    @as_parents
    def reinforce(self, reward: Any) -> None:
        """``m:reinforce(reward)``: the reward of the last forward, for the layers inside that learn by it."""
        for child in self.children_of():
            child.reinforce(reward)

    def contiguousInput(self, input: torch.Tensor, backward: bool | None = None) -> torch.Tensor:
        """``m:contiguousInput(input[, backward])``: the input, copied where it has gaps; in a backward that copy."""
        if truthy(backward):
            return input if self.dpnn_cinput is None else self.dpnn_cinput
        if input.is_contiguous():
            return input
        return self.keep("dpnn_cinput", input.data.contiguous())


def limit_norms(parameter: torch.Tensor, dim: int, limit: float | None) -> None:
    """Scale the slices along a dimension that have a larger 2-norm down to it."""
    if limit is not None and limit > 0:
        parameter.copy_(torch.renorm(parameter, 2, dim, limit))
