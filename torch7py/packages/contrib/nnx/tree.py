"""SoftMaxTree: the log likelihood of a leaf as a path of softmaxes through a tree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import torch

from torch7py.nn.arguments import size_text
from torch7py.nn.base import Module
from torch7py.nn.checks import any_true
from torch7py.nn.copying import TensorMap
from torch7py.nn.dpnn_methods import entries, limit_norms
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say
from torch7py.ops.random import uniform_

__all__ = ["SoftMaxTree"]


class _Level(NamedTuple):
    """The nodes of a batch's paths at one distance from their targets."""

    below: torch.Tensor  # which examples have one
    rows: torch.Tensor  # of its parent's children, (batch, maxFamily), in the weight
    other: torch.Tensor  # which of these are no children of it
    position: torch.Tensor  # its own among them, (batch, 1)


TABLES = ("childIds", "parentIds", "parentChildren", "childParent")


@layer(
    "nn.SoftMaxTree",
    package="nnx",
    takes="table",
    parameters="weight:2~uniform(1/sqrt(inputSize)) bias:1~uniform(1/sqrt(inputSize))",
)
class SoftMaxTree(Module):
    """``nn.SoftMaxTree(inputSize, hierarchy[, rootId, accUpdate, static, verbose])``: a path of softmaxes.

    Gives for each example the logarithm of the product of the softmaxes from the root to its target (Morin and
    Bengio, Hierarchical Probabilistic Neural Network Language Model, 2005). ``hierarchy`` holds for each parent's
    number an IntTensor with the numbers of its children, of one tree with the root ``rootId`` (1). Each parent has
    a Linear and a LogSoftMax over its children; ``weight`` and ``bias`` have a row a child, in the order of the
    hierarchy. They are drawn from ``uniform(-s, s)``, ``s = 1 / sqrt(children * inputSize)``.

    ``updates`` counts the backward passes, by scale, of each parent since ``zeroGradParameters``. ``parameters()``
    in Lua gives the rows of these parents, by their numbers, or without ``static`` (true) as lists; of all parents
    where ``updates`` is empty. With ``accUpdate`` there are no gradient buffers.

    Shapes: ``{(batch, inputSize), IntTensor (batch)}`` -> ``(batch)``.
    """

    fields: ClassVar[tuple[str, ...]] = (
        *"inputSize rootId accUpdate static nChildNode nParentNode minNodeId maxNodeId maxParentId".split(),
        *"maxChildId maxFamily maxFamilyPath maxDept childIds parentIds parentChildren childParent".split(),
        "updates",
    )
    lua_methods = names("getNodeParameters maxNorm")
    sparse = True
    traced = False

    inputSize: int
    rootId: int
    static: bool
    updates: dict[int, float]

    def __init__(
        self,
        inputSize: int,
        hierarchy: Any,
        rootId: int | None = None,
        accUpdate: bool = False,
        static: bool = True,
        verbose: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(hierarchy, (list, dict)) or not hierarchy:
            raise TorchError("nn.SoftMaxTree expects a table of the children of each parent as argument 2")
        families = {int(parent): self._numbers(children) for parent, children in entries(hierarchy)}
        fields = self.__dict__
        fields.update(inputSize=int(inputSize), rootId=1 if rootId is None else int(rootId), updates={})
        fields.update(accUpdate=accUpdate, static=static)
        self._grow(families)
        if verbose:
            self._print_sizes()
        self.add_parameter("weight", self.new(fields["nChildNode"], int(inputSize)))
        self.add_parameter("bias", self.new(fields["nChildNode"]))
        if accUpdate:
            self.set_field("gradWeight", None)
            self.set_field("gradBias", None)
        self.reset()

    def prepare_blank(self) -> None:
        super().prepare_blank()
        self.__dict__.update(accUpdate=False, static=True, updates={})

    @staticmethod
    def _numbers(children: Any) -> list[int]:
        if not isinstance(children, torch.Tensor) or children.dim() != 1:
            raise TorchError("nn.SoftMaxTree: the children of a parent are a tensor of 1 dimension")
        return [int(child) for child in children.tolist()]

    def _grow(self, families: dict[int, list[int]]) -> None:
        """Fill the tables of the tree: for each parent the first row and the number of its children, for each child
        its parent and its position among the children; -1 for unused numbers."""
        fields = self.__dict__
        children = [child for family in families.values() for child in family]
        node_ids = [*families, *children]
        if min(node_ids) < 1:
            raise TorchError(f"nn.SoftMaxTree: node {min(node_ids)}; nodes count from 1")
        fields.update(
            nChildNode=len(children), nParentNode=len(families), maxFamily=max(map(len, families.values()))
        )
        fields.update(
            minNodeId=min(node_ids),
            maxNodeId=max(node_ids),
            maxParentId=max(families),
            maxChildId=max(children),
        )
        begin = torch.full((fields["maxParentId"], 2), -1, dtype=torch.int32)
        child_parent = torch.full((fields["maxChildId"], 2), -1, dtype=torch.int32)
        row = 1
        for parent, family in families.items():
            begin[parent - 1] = torch.tensor([row, len(family)])
            row += len(family)
            for number, child in enumerate(family, 1):
                child_parent[child - 1] = torch.tensor([parent, number])
        parents = {child: parent for parent, family in families.items() for child in family}
        widths, depths = [], []
        for parent in families:
            path = [parent]
            while path[-1] != fields["rootId"]:
                if path[-1] not in parents or len(path) > len(families):
                    raise TorchError(
                        f"nn.SoftMaxTree: no path from node {parent} to the root {fields['rootId']}"
                    )
                path.append(parents[path[-1]])
            widths.append(sum(len(families[node]) for node in path))
            depths.append(len(path))
        fields.update(maxFamilyPath=max(widths), maxDept=max(depths))
        for name, values in (("childIds", children), ("parentIds", list(families))):
            fields[name] = torch.tensor(values, dtype=torch.int32)
        fields.update(parentChildren=begin, childParent=child_parent)

    def _print_sizes(self) -> None:
        fields = self.__dict__
        say("The hierarchy has:")
        say(f"{fields['nParentNode']} parent nodes")
        say(f"{fields['nChildNode']} child nodes")
        say(f"{fields['nChildNode'] - fields['nParentNode']} leaf nodes")
        say(f"an index of {fields['maxNodeId']} nodes")

    def reset(self, stdv: float | None = None) -> None:
        children = self.weight.shape[0]
        bound = 1 / math.sqrt(children * self.inputSize) if stdv is None else stdv * math.sqrt(3)
        uniform_(self.weight.data, -bound, bound)
        uniform_(self.bias.data, -bound, bound)

    # -- the paths ----------------------------------------------------------------------------------------

    def _parts(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows and targets, checked."""
        if (
            not isinstance(input, list)
            or len(input) != 2
            or not all(isinstance(x, torch.Tensor) for x in input)
        ):
            raise TorchError(f"{self.class_name} expects a table of a batch and its targets")
        x, target = input
        if x.dim() != 2 or x.shape[1] != self.inputSize:
            raise TorchError(
                f"{self.class_name}: the input must be (batch, {self.inputSize}), not {size_text(x)}"
            )
        if target.shape != x.shape[:1]:
            raise TorchError(f"{self.class_name}: {size_text(target)} targets for {len(x)} examples")
        return x, target.long()

    def _paths(self, target: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Walk from the targets to the root, level by level: which examples have a node there, its parent and its
        position.

        Examples that have reached the root count as its first child, so that sizes do not depend on values.
        """
        fields = self.__dict__
        child_parent = fields["childParent"].to(target.device).long()
        nodes, below = target, torch.ones_like(target, dtype=torch.bool)
        for _ in range(int(fields["maxDept"])):
            wrong = (nodes < 1) | (nodes > len(child_parent))
            parents, positions = child_parent[torch.where(wrong, 1, nodes) - 1].unbind(1)
            wrong = below & (wrong | (parents < 0))
            if any_true(wrong):
                raise TorchError(f"{self.class_name}: node {int(nodes[wrong][0])} has no parent in the tree")
            parents, positions = torch.where(below, parents, self.rootId), torch.where(below, positions, 1)
            yield below, parents, positions
            below, nodes = below & (parents != self.rootId), parents

    def _levels(self, target: torch.Tensor) -> Iterator[_Level]:
        """The same walk, with the rows of the children."""
        family = torch.arange(int(self.__dict__["maxFamily"]), device=target.device)
        tree = self.__dict__["parentChildren"].to(target.device).long()
        for below, parents, positions in self._paths(target):
            begin, count = tree[parents - 1].unbind(1)
            other = family >= count.unsqueeze(1)
            yield _Level(
                below,
                (begin.unsqueeze(1) - 1 + family).masked_fill(other, 0),
                other,
                positions.unsqueeze(1) - 1,
            )

    def forward(self, input: Any) -> torch.Tensor:
        x, target = self._parts(input)
        total = x.new_zeros(len(x))
        kept = []
        for level in self._levels(target):
            scores = torch.einsum("bfi,bi->bf", self.weight[level.rows], x) + self.bias[level.rows]
            likelihoods = scores.masked_fill(level.other, -math.inf).log_softmax(1)
            kept.append(likelihoods.detach().masked_fill(level.other | ~level.below.unsqueeze(1), 0))
            total = total + torch.where(level.below, likelihoods.gather(1, level.position).squeeze(1), 0)
        if self.noting:
            self.__dict__["_kept"] = kept
        return total

    def _kept_of(self, x: torch.Tensor) -> list[torch.Tensor]:
        """What the last forward kept of each level, which ``updateGradInput`` makes the gradient of the scores."""
        kept: list[torch.Tensor] = self.__dict__.get("_kept") or []
        if not kept or len(kept[0]) != len(x):
            raise TorchError(f"{self.class_name}: no forward of {len(x)} examples came before this backward")
        return kept

    def grad_input(self, input: Any, gradOutput: torch.Tensor) -> list[torch.Tensor]:
        """The gradient of the input; for the targets zeros."""
        x, target = self._parts(input)
        if not isinstance(gradOutput, torch.Tensor) or gradOutput.shape != target.shape:
            raise TorchError(f"{self.class_name}: gradOutput must be a tensor of {len(x)} numbers")
        kept, weight, gradient = self._kept_of(x), self.weight.data, torch.zeros_like(x)
        grads = gradOutput.unsqueeze(1)
        for number, level in enumerate(self._levels(target)):
            scores = (-kept[number].to(x.dtype).exp() * grads).scatter_add(1, level.position, grads)
            kept[number] = scores.masked_fill(level.other | ~level.below.unsqueeze(1), 0)
            gradient += torch.einsum("bf,bfi->bi", kept[number], weight[level.rows])
        return [gradient, torch.zeros_like(input[1])]

    def accGradParameters(self, input: Any, gradOutput: torch.Tensor, scale: float = 1) -> None:
        """By the gradient of the scores that ``updateGradInput`` has left."""
        x, target = self._parts(input)
        weight, bias = self.gradient("weight"), self.gradient("bias")
        for scores, level in zip(self._kept_of(x), self._levels(target), strict=True):
            rows = level.rows.flatten()
            if weight is not None:
                products = torch.einsum("bf,bi->bfi", scores, x).flatten(0, 1)
                weight.index_add_(0, rows, products, alpha=scale)
            if bias is not None:
                bias.index_add_(0, rows, scores.flatten(), alpha=scale)
        for below, parents, _ in self._paths(target):
            for parent in parents[below].tolist():
                self.updates[parent] = self.updates.get(parent, 0) + scale

    def sharedAccUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        self.defaultAccUpdateGradParameters(input, gradOutput, lr)

    def convert(self, convert: TensorMap, type_name: str | None, seen: set[int] | None = None) -> None:
        """The tables of the tree stay IntTensors."""
        tables = {name: self.__dict__.pop(name) for name in TABLES if name in self.__dict__}
        try:
            super().convert(convert, type_name, seen)
        finally:
            self.__dict__.update(tables)

    # -- parameters ---------------------------------------------------------------------------------------

    def shared_by_clones(self) -> list[Any]:
        return [self.updates]

    def _node(self, parent: int, tensor: torch.Tensor | None) -> torch.Tensor | None:
        """The rows of a parent's children."""
        begin, count = (int(n) for n in self.__dict__["parentChildren"][int(parent) - 1])
        return None if tensor is None else tensor[begin - 1 : begin - 1 + count]

    def getNodeParameters(self, parentId: int) -> Any:
        """``m:getNodeParameters(parent)``: ``{weight, bias}`` of a parent, and the same of the gradients."""
        tree = self.__dict__["parentChildren"]
        if not 1 <= parentId <= len(tree) or int(tree[int(parentId) - 1][0]) < 0:
            raise TorchError(f"{self.class_name}: node {parentId} has no children")
        parameters = [self._node(parentId, p.data) for p in (self.weight, self.bias)]
        gradients = [self._node(parentId, self.gradient(name)) for name in ("weight", "bias")]
        return parameters if gradients[0] is None else (parameters, gradients)

    def torch7_parameters(self) -> Any:
        """``m:parameters()``: those of the parents in ``updates``; see the class."""
        parents = list(self.updates) or ([int(n) for n in self.__dict__["parentIds"]] if self.static else [])
        if not parents:
            return super().torch7_parameters()
        parameters: dict[int, Any] = {}
        gradients: dict[int, Any] = {}
        for parent in parents:
            weight = int(parent) if self.static else len(parameters) + 1
            bias = int(parent + self.__dict__["maxParentId"]) if self.static else weight + 1
            for number, name in ((weight, "weight"), (bias, "bias")):
                parameters[number] = self._node(parent, self.get_field(name).data)
                rows = self._node(parent, self.gradient(name))
                if rows is not None:
                    gradients[number] = rows
        size = 2 * int(self.__dict__["nChildNode"])
        if self.static:
            return parameters, gradients, {}, size
        return list(parameters.values()), list(gradients.values()), {}, size

    def updateParameters(self, learningRate: float) -> None:
        if self.gradient("weight") is None:
            raise TorchError(f"{self.class_name}: with accUpdate there are no gradients to update with")
        super().updateParameters(learningRate)

    def zeroGradParameters(self) -> None:
        for _, gradient in entries(self.torch7_parameters()[1]):
            gradient.zero_()
        self.updates.clear()

    def maxNorm(self, maxNorm: float | None = None) -> None:
        """``m:maxNorm(norm)``: scale down rows of the weights in ``parameters()`` of a larger 2-norm."""
        for _, parameter in entries(self.torch7_parameters()[0]):
            if parameter.dim() == 2:
                limit_norms(parameter.data, 0, maxNorm)

    def momentumGradParameters(self) -> Any:
        """``m:momentumGradParameters()``: the running means, of the rows that ``parameters()`` gives."""
        if self.gradient("weight") is None:
            raise TorchError(f"{self.class_name}: with accUpdate there is no momentum")
        if not self.momGradParams:
            self.momGradParams = [torch.zeros_like(p.data) for p in (self.weight, self.bias)]
        if not self.updates:
            return self.momGradParams
        if not self.static:
            raise TorchError(
                f"{self.class_name}: momentum needs static, for other rows have a number each time"
            )
        weight, bias = self.momGradParams
        means = {int(parent): self._node(parent, weight) for parent in self.updates}
        last = self.__dict__["maxParentId"]
        return means | {int(parent + last): self._node(parent, bias) for parent in self.updates}
