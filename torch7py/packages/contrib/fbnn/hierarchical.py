"""Losses of a softmax over clusters of classes and another one within the target's cluster."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import argument_text, rows, size_text
from torch7py.nn.checks import check_type, number
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.nn.trace import Trace
from torch7py.ops.errors import TorchError
from torch7py.ops.random import normal_
from torch7py.packages.contrib.fbnn.criterion import LearnedCriterion

__all__ = ["HSM", "ClassHierarchicalNLLCriterion", "TwoLevelLoss"]


class TwoLevelLoss(LearnedCriterion):
    """The loss ``-log p(cluster) - log p(class in cluster)``, each computed by a separate linear layer.

    ``names_of`` are the names of the weight and the bias of the clusters, then of the classes, and ``gradients_of``
    those of their gradients. A cluster's classes are rows of the class weights one after the other.
    """

    names_of: ClassVar[tuple[str, str, str, str]]
    gradients_of: ClassVar[tuple[str, str, str, str]]
    mapping: torch.Tensor

    def get_field(self, name: str) -> Any:
        return super().get_field(self._plain(name))

    def set_field(self, name: str, value: Any) -> Any:
        return super().set_field(self._plain(name), value)

    def _plain(self, name: str) -> str:
        """A gradient's name as that of any parameter's gradient."""
        if name not in self.gradients_of:
            return name
        parameter = self.names_of[self.gradients_of.index(name)]
        return f"grad{parameter[0].upper()}{parameter[1:]}"

    def make_parameters(self, clusters: int, classes: int, inputs: int) -> None:
        cluster_weight, cluster_bias, class_weight, class_bias = self.names_of
        self.add_parameter(cluster_weight, self.new(clusters, inputs))
        self.add_parameter(cluster_bias, self.new(clusters))
        self.add_parameter(class_weight, self.new(classes, inputs))
        self.add_parameter(class_bias, self.new(classes))

    def starts_and_counts(self) -> tuple[torch.Tensor, torch.Tensor]:
        """For each cluster the row of its first class, from 0, and its number of classes."""
        raise NotImplementedError

    def examples(self, input: Any, target: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The input as rows, and the class of each, from 0."""
        weight = self.get_field(self.names_of[0])
        if not isinstance(input, torch.Tensor) or input.dim() not in (1, 2) or input.numel() == 0:
            raise TorchError(
                f"{self.class_name}: the input must be a vector or a matrix, not {argument_text(input)}"
            )
        if input.shape[-1] != weight.shape[1]:
            raise TorchError(
                f"{self.class_name}: the input of {size_text(input)} has not {weight.shape[1]} columns"
            )
        check_type(self, "the input", input, weight)
        batch = input if input.dim() == 2 else input.unsqueeze(0)
        if isinstance(target, (int, float)) and not isinstance(target, bool):
            target = torch.tensor([target], device=input.device)
        if not isinstance(target, torch.Tensor) or target.dim() != 1 or len(target) != len(batch):
            raise TorchError(
                f"{self.class_name}: {argument_text(target)} is no target for an input of {size_text(input)}"
            )
        return batch, rows(self, target, len(self.mapping)).to(input.device)

    def positions(self, classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The cluster of each class and its position within the cluster, both from 0."""
        cluster, position = (self.mapping.to(classes.device).long()[classes] - 1).unbind(1)
        return cluster, position

    def forward(self, input: Any, target: Any) -> torch.Tensor:
        batch, classes = self.examples(input, target)
        cluster, position = self.positions(classes)
        cluster_weight, cluster_bias, class_weight, class_bias = (self._parameters[n] for n in self.names_of)
        assert cluster_weight is not None
        assert class_weight is not None
        assert class_bias is not None
        loss = F.cross_entropy(F.linear(batch, cluster_weight, cluster_bias), cluster, reduction="sum")
        starts, counts = (t.to(batch.device)[cluster].unsqueeze(1) for t in self.starts_and_counts())
        family = torch.arange(int(counts.max()) if not counts.is_meta else 1, device=batch.device)
        other = family >= counts
        members = (starts + family).masked_fill(other, 0)
        scores = torch.einsum("bfi,bi->bf", class_weight[members], batch) + class_bias[members]
        return loss + F.cross_entropy(scores.masked_fill(other, -math.inf), position, reduction="sum")

    def _trace(self, input: Any, target: Any) -> Trace:
        """The graph of the last ``updateGradInput``, or of a new one for another input or target."""
        kept = self.__dict__.get("_seen")
        if kept is None or kept[1] is not target or not kept[0].is_of(self, input):
            kept = self.__dict__["_seen"] = (Trace(self, lambda x: self.forward(x, target), input), target)
        trace: Trace = kept[0]
        return trace

    def updateGradInput(self, input: Any, target: Any) -> Any:
        self.__dict__.pop("_seen", None)
        trace = self._trace(input, target)
        gradient = trace.gradients([trace.input], torch.ones_like(trace.output))[0]
        assert gradient is not None
        return self.keep("gradInput", gradient)

    def add_gradients(self, input: Any, target: Any, scale: float, into: list[torch.Tensor | None]) -> None:
        """Add the parameters' gradients, scaled, to other tensors."""
        trace = self._trace(input, target)
        values = trace.gradients(list(trace.parameters.values()), torch.ones_like(trace.output))
        gradients = dict(zip(trace.parameters, values, strict=True))
        for name, buffer in zip(self.names_of, into, strict=True):
            gradient = gradients[name]
            if buffer is not None and gradient is not None:
                buffer.add_(gradient, alpha=scale)

    def torch7_parameters(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        values = [self._parameters[name] for name in self.names_of]
        gradients = [self.gradient(name) for name in self.names_of]
        return [p for p in values if p is not None], [g for g in gradients if g is not None]

    def zero_class_gradients(self, target: Any) -> None:
        """Zero the gradients of the classes in the clusters of these targets."""
        if isinstance(target, (int, float)):
            target = torch.tensor([target])
        cluster = self.positions(rows(self, target, len(self.mapping)))[0]
        starts, counts = self.starts_and_counts()
        for number_of in torch.unique(cluster).tolist():
            start, count = int(starts[number_of]), int(counts[number_of])
            for name in self.names_of[2:]:
                gradient = self.gradient(name)
                if gradient is not None:
                    gradient[start : start + count] = 0


def _check_mapping(name: str, mapping: torch.Tensor) -> None:
    """Refuse clusters, or numbers within one, that do not count from 1 without gaps."""
    if mapping.dim() != 2 or mapping.shape[1] != 2 or mapping.numel() == 0:
        raise TorchError(f"{name}: the mapping must have a cluster and a number in it for each class")
    members: dict[int, list[int]] = {}
    for cluster, position in mapping.tolist():
        members.setdefault(cluster, []).append(position)
    for cluster in range(1, max(members) + 1):
        if sorted(members.get(cluster, ())) != list(range(1, len(members.get(cluster, ())) + 1)):
            raise TorchError(f"{name}: bad mapping: the numbers in cluster {cluster} do not count from 1")
        if cluster not in members:
            raise TorchError(f"{name}: bad mapping: cluster {cluster} has no class")


@layer("nn.HSM", package="fbnn", target="class")
class HSM(TwoLevelLoss):
    """``nn.HSM(mapping, input_size[, unk_index])``: a softmax in two levels, over clusters and over the classes of the
    target's cluster.

    ``mapping`` has for each class its cluster and its number in it, both from 1 without gaps. Shapes:
    ``(input_size)`` or ``(batch, input_size)`` with a LongTensor of as many targets, from 1. The loss is the sum over
    the batch, of a CUDA type a tensor of one element; ``forward`` in Lua also returns the number of examples. All
    parameters are drawn from ``normal(0, 0.1)``. ``c:accGradParameters(input, target, scale, true)`` adds to the
    parameters themselves. An unk_index other than 0 is an error, as in the original.
    """

    names_of = ("cluster_weight", "cluster_bias", "class_weight", "class_bias")
    gradients_of = ("cluster_grad_weight", "cluster_grad_bias", "class_grad_weight", "class_grad_bias")
    parameter_fields = names_of
    fields: ClassVar[tuple[str, ...]] = (
        *"mapping n_classes n_class_in_cluster n_clusters n_max_class_in_cluster class_start_indices".split(),
        *("unk_index", *names_of, *gradients_of, "batch_size"),
        *"cluster_score cluster_logsum class_score class_logsum tmp_ones logSMCluster logLossCluster".split(),
    )
    lua_methods = names("reset zeroGradParametersClass")

    def __init__(self, mapping: Any, input_size: int, unk_index: int | None = None) -> None:
        super().__init__()
        name = self.torch7_name
        if isinstance(mapping, list):
            mapping = torch.tensor(mapping)
        if not isinstance(mapping, torch.Tensor):
            raise TorchError(f"{name}: the mapping must be a table or a tensor")
        mapping = mapping.long()
        _check_mapping(name, mapping)
        counts = mapping[:, 0].bincount()[1:]
        settings: dict[str, Any] = {
            "mapping": mapping,
            "n_classes": len(mapping),
            "n_class_in_cluster": counts,
        }
        settings |= {"n_clusters": len(counts), "n_max_class_in_cluster": int(counts.max())}
        settings |= {"class_start_indices": counts.cumsum(0) - counts, "batch_size": 0}
        self.__dict__.update(settings, unk_index=0 if unk_index is None else unk_index)
        self.make_parameters(len(counts), len(mapping), int(number(name, "input_size", input_size)))
        self.reset()

    def reset(self, weight_stdv: float | None = None, bias_stdv: float | None = None) -> None:
        """``c:reset([weight_stdv, bias_stdv])``: draw the parameters with these standard deviations (0.1)."""
        weight = 0.1 if weight_stdv is None else weight_stdv
        bias = 0.1 if bias_stdv is None else bias_stdv
        for name, stdv in zip(self.names_of, (weight, bias, weight, bias), strict=True):
            normal_(self.get_field(name).data, 0, 1).mul_(stdv)

    def starts_and_counts(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.class_start_indices.long(), self.n_class_in_cluster.long()

    def updateOutput(self, input: Any, target: Any) -> Any:
        if self.unk_index != 0:
            raise TorchError(f"{self.class_name}: an unk_index is not supported, in the original either")
        with torch.no_grad():
            loss = self.forward(input, target)
        self.batch_size = 1 if input.dim() == 1 else len(input)
        if self._type.startswith("torch.Cuda"):
            self.keep("output", loss.view(1))
        else:
            self.__dict__["output"] = loss.item()
        return self.output, self.batch_size

    def updateGradInput(self, input: Any, target: Any) -> Any:
        if self.unk_index != 0:
            raise TorchError(f"{self.class_name}: there is no backward with an unk_index")
        return super().updateGradInput(input, target)

    def accGradParameters(
        self, input: Any, target: Any, scale: float = 1, direct_update: bool | None = None
    ) -> None:
        """``c:accGradParameters(input, target[, scale, direct_update])``: add the parameters' gradients, scaled, to
        their buffers, or with direct_update to the parameters themselves.
        """
        if self.unk_index != 0:
            raise TorchError(f"{self.class_name}: there is no backward with an unk_index")
        if direct_update:
            self.add_gradients(input, target, scale, [self.get_field(name).data for name in self.names_of])
        else:
            self.add_gradients(input, target, scale, [self.gradient(name) for name in self.names_of])

    def backward(self, input: Any, target: Any = None, scale: float = 1) -> Any:
        """``c:backward(input, target[, scale])``: both halves."""
        self.updateGradInput(input, target)
        self.accGradParameters(input, target, scale)
        return self.gradInput

    def zeroGradParametersClass(self, input: Any, target: Any) -> None:
        """``c:zeroGradParametersClass(input, target)``: zero the gradients of the classes in the targets' clusters."""
        self.zero_class_gradients(target)


@layer("nn.ClassHierarchicalNLLCriterion", package="fbnn", target="class")
class ClassHierarchicalNLLCriterion(TwoLevelLoss):
    """``nn.ClassHierarchicalNLLCriterion(mapping, clusterCounts, inputSize)``: a softmax in two levels, of one example.

    ``mapping`` has for each class its cluster and its number in it, ``clusterCounts`` the classes of each cluster.
    Shapes: ``(inputSize)`` and a number, from 1. Weights are drawn from ``normal(0, 1)``, divided by
    ``sqrt(inputSize)``: clusters, then classes; biases begin at 0. ``updateGradInput`` adds to the parameters'
    gradients too, and ``updateParameters`` moves of the classes those in the last target's cluster alone.
    ``c:infer(input[, sampling])`` gives the likeliest cluster and class, ``c:eval(input, target)`` the target's log10
    probability, and 0 or 1 for whether a class drawn at random is less likely or not.
    """

    names_of = ("clusterMatrix", "clusterBias", "classMatrix", "classBias")
    gradients_of = ("clusterMatrixDx", "clusterBiasDx", "classMatrixDx", "classBiasDx")
    parameter_fields = names_of
    fields: ClassVar[tuple[str, ...]] = (
        *("mapping", "startIndex", "clusterCounts", *names_of, *gradients_of),
        *"logSMCluster logSMClass logLossCluster logLossClass outputCluster outputClass outputClusterDx".split(),
        *"outputClassDx clusterID classID startCluster numClasses".split(),
    )
    lua_methods = names("zeroGradParametersCluster zeroGradParametersClass _scores")
    clusterID: int
    clusterCounts: torch.Tensor
    startIndex: torch.Tensor

    def __init__(self, mapping: torch.Tensor, clusterCounts: torch.Tensor, inputSize: int) -> None:
        super().__init__()
        name = self.torch7_name
        for what, value in (("mapping", mapping), ("clusterCounts", clusterCounts)):
            if not isinstance(value, torch.Tensor):
                raise TorchError(f"{name}: {what} must be a tensor")
        _check_mapping(name, mapping.long())
        counts = mapping[:, 0].long().bincount()[1:]
        if clusterCounts.flatten().tolist() != counts.tolist():
            raise TorchError(f"{name}: the clusterCounts are not those of the mapping")
        dtype = self.new().dtype
        settings: dict[str, Any] = {"mapping": mapping.to(dtype), "clusterCounts": clusterCounts.to(dtype)}
        settings |= {"startIndex": (counts.cumsum(0) - counts + 1).to(dtype)}
        self.__dict__.update(settings, clusterID=0, classID=0, startCluster=0, numClasses=0)
        inputs = int(number(name, "inputSize", inputSize))
        self.make_parameters(len(counts), len(mapping), inputs)
        for weight in self.names_of[::2]:
            normal_(self.get_field(weight).data, 0, 1).mul_(1 / math.sqrt(inputs))

    def starts_and_counts(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.startIndex.long() - 1, self.clusterCounts.long()

    def _one(self, input: Any, target: Any) -> None:
        if not isinstance(input, torch.Tensor) or input.dim() != 1 or not isinstance(target, (int, float)):
            raise TorchError(f"{self.class_name}: the input must be a vector and the target a number")

    def updateOutput(self, input: Any, target: Any) -> Any:
        self._one(input, target)
        super().updateOutput(input, target)
        cluster, position = self.positions(rows(self, torch.tensor([target]), len(self.mapping)))
        starts, counts = self.starts_and_counts()
        self.clusterID, self.classID = int(cluster) + 1, int(position) + 1
        self.startCluster, self.numClasses = int(starts[cluster]) + 1, int(counts[cluster])
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        self._one(input, target)
        super().updateGradInput(input, target)
        self.add_gradients(input, target, 1, [self.gradient(name) for name in self.names_of])
        return self.gradInput

    def accGradParameters(self, input: Any, target: Any, scale: float = 1) -> None:
        """Nothing: ``updateGradInput`` has added the gradients."""

    def updateParameters(self, learningRate: float) -> None:
        last = int(self.startCluster) - 1
        for name in self.names_of:
            part = slice(None) if name.startswith("cluster") else slice(last, last + int(self.numClasses))
            gradient = self.gradient(name)
            if gradient is not None:
                self.get_field(name).data[part].add_(gradient[part], alpha=-learningRate)

    def zeroGradParametersCluster(self) -> None:
        """``c:zeroGradParametersCluster()``"""
        for name in self.names_of[:2]:
            gradient = self.gradient(name)
            if gradient is not None:
                gradient.zero_()

    def zeroGradParametersClass(self, target: Any) -> None:
        """``c:zeroGradParametersClass(target)``: zero the gradients of the classes in the target's cluster."""
        self.zero_class_gradients(target)

    def _scores(self, input: torch.Tensor, cluster: int | None = None) -> torch.Tensor:
        """The log-probabilities of the clusters, or of the classes of one cluster, for ``infer`` and ``eval``."""
        weight, bias = (self.get_field(n).data for n in self.names_of[:2])
        if cluster is not None:
            starts, counts = self.starts_and_counts()
            start = int(starts[int(cluster) - 1])
            part = slice(start, start + int(counts[int(cluster) - 1]))
            weight, bias = (self.get_field(n).data[part] for n in self.names_of[2:])
        if not isinstance(input, torch.Tensor) or input.dim() != 1 or len(input) != weight.shape[1]:
            raise TorchError(f"{self.class_name}: the input must have {weight.shape[1]} elements")
        return F.linear(input.data, weight, bias).log_softmax(0)
