"""Noise contrastive estimation (Gutmann and Hyvärinen, 2010; Mnih and Teh, 2012): NCEModule, NCECriterion.

Instead of a softmax over all classes a model learns to tell the target from k classes drawn as noise.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from torch7py.nn.arguments import rows, size_text, table, tensors
from torch7py.nn.checks import check_type, number, truthy
from torch7py.nn.copying import TensorMap
from torch7py.nn.criterion import TargetlessCriterion
from torch7py.nn.linear import Linear
from torch7py.nn.object import names
from torch7py.nn.registry import layer
from torch7py.ops import memory
from torch7py.ops.errors import TorchError
from torch7py.ops.program_output import say
from torch7py.ops.random import uniform_
from torch7py.ops.rounding import format_number
from torch7py.rnn.dpnn.alias import AliasMultinomial

__all__ = ["NCECriterion", "NCEModule"]

EPSILON = 1e-7  # keeps divisors and logarithms away from 0


@layer(
    "nn.NCEModule",
    package="dpnn",
    keeps_rank=False,
    draws=True,
    differs_in_training=True,
    takes="table",
    gives="any",
    parameters="weight:2~uniform(1/sqrt(inputSize)) bias:1~computed()",
    example="any",
    parts="fixed",
)
class NCEModule(Linear):
    """``nn.NCEModule(inputSize, outputSize, k, unigrams[, Z])``: probabilities of the target and of k noise classes.

    Shapes: ``{input, target}``, ``(batch, inputSize)`` and a LongTensor ``(batch)`` of classes -> four tensors: the
    model's probabilities ``exp(W x + b) / Z`` of the targets ``(batch)`` and of the noise ``(batch, k)``, and those of
    the noise distribution for both. unigrams, with a number for each class, is that distribution; it is divided by its
    sum in place. Z, if it is not given, is estimated at the first forward. All examples have the same noise; with the
    field ``batchnoise`` false each has its own. In evaluation, with the field ``normalized``, the output is the softmax
    over all classes, or its logarithm with ``logsoftmax``. weight is drawn from ``uniform(-s, s)``,
    ``s = 1 / sqrt(inputSize)``; bias is ``-log(outputSize)``.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "k",
        "unigrams",
        "Z",
        "batchnoise",
        "normalized",
        "logsoftmax",
        "sampleidx",
        "sampleprob",
    )
    links = ("aliasmultinomial",)
    buffer_fields = ("unigrams", "Z")
    essential = ("unigrams", "Z")
    virtual = (*Linear.virtual, "noiseSample")
    lua_methods = names("fastNoise noiseSample noiseProb multicuda")
    rows_alone = None  # type: ignore[assignment]
    batchnoise: bool = True
    normalized: bool | None = None
    logsoftmax: bool | None = None

    def __init__(
        self, inputSize: int, outputSize: int, k: int, unigrams: torch.Tensor, Z: float | None = None
    ) -> None:
        super().__init__(inputSize, outputSize)
        self.k = number("nn.NCEModule", "k", k)
        if not isinstance(unigrams, torch.Tensor) or unigrams.numel() != outputSize:
            raise TorchError(f"nn.NCEModule: unigrams must be a tensor of {outputSize} numbers")
        self.set_field("unigrams", unigrams)
        self.set_field("Z", self.new(1).fill_(-1 if Z is None else number("nn.NCEModule", "Z", Z)))
        self.batchnoise = True
        self.fastNoise()
        self.keep_list("output", [self.new() for _ in range(4)])
        self.keep_list("gradInput", [self.new(), self.new()])

    def reset(self, stdv: float | None = None) -> NCEModule:
        """``m:reset([stdv])``: draw the parameters anew; with stdv both from ``uniform(-stdv, stdv)``."""
        bound = 1 / math.sqrt(self.weight.shape[1]) if stdv is None else stdv
        uniform_(self.weight.data, -bound, bound)
        if stdv is None:
            self.bias.data.fill_(-math.log(len(self.bias)))
        else:
            uniform_(self.bias.data, -bound, bound)
        return self

    # -- noise --------------------------------------------------------------------------------------------

    def fastNoise(self) -> None:
        """``m:fastNoise()``: take over unigrams as the noise distribution, divided by its sum."""
        self.unigrams.div_(self.unigrams.sum())
        draws = self._modules["aliasmultinomial"] = AliasMultinomial(self.unigrams)
        draws.__dict__["dpnn_parameters"] = ["J", "q"]

    def noiseSample(self, sampleidx: torch.Tensor, batchsize: int, k: int) -> torch.Tensor:
        """``m:noiseSample(sampleidx, batchsize, k)``: make sampleidx ``(batchsize, k)`` classes of noise."""
        memory.resize(sampleidx, (int(batchsize), int(k)))
        draws: AliasMultinomial = self.aliasmultinomial
        if sampleidx.dtype == torch.int64:
            return draws.batchdraw(sampleidx)
        drawn = torch.empty(sampleidx.shape, dtype=torch.int64, device=sampleidx.device)
        return sampleidx.copy_(draws.batchdraw(drawn))

    def noiseProb(self, sampleprob: torch.Tensor, sampleidx: torch.Tensor) -> torch.Tensor:
        """``m:noiseProb(sampleprob, sampleidx)``: make sampleprob the noise's probabilities of these classes."""
        memory.resize(sampleprob, tuple(sampleidx.shape))
        return sampleprob.copy_(self.unigrams[sampleidx.long() - 1])

    def multicuda(self, device1: int, device2: int) -> None:
        """``m:multicuda(device1, device2)``: weights on two GPUs, which there is not."""
        raise TorchError(f"{self.class_name}: weights on more than one GPU are not supported")

    # -- forward ------------------------------------------------------------------------------------------

    def _both(self, input: Any) -> tuple[torch.Tensor, torch.Tensor]:
        x, target = tensors(self, input, 2)
        if x.dim() != 2 or x.shape[1] != self.weight.shape[1] or target.shape != x.shape[:1]:
            raise TorchError(
                f"{self.class_name}: an input of {size_text(x)} and a target of {size_text(target)}; expected "
                f"(batch, {self.weight.shape[1]}) and (batch)"
            )
        check_type(self, "the input", x, self.weight)
        return x, target

    @property
    def _is_normalized(self) -> bool:
        return not self.training and truthy(self.normalized)

    def _draw(self, target: torch.Tensor) -> torch.Tensor:
        """Classes, kept as ``sampleidx``: the noise and then the targets, or a row of target and noise for each."""
        if target.is_floating_point() and not self._type.startswith("torch.Cuda"):
            raise TorchError(f"{self.class_name}: the target must be a LongTensor")
        batch, k = len(target), int(self.k)
        noise = torch.empty(0, dtype=torch.int64, device=target.device)
        self.noiseSample(noise, 1 if self.batchnoise else batch, k)
        targets = rows(self, target, len(self.weight)) + 1
        if self.batchnoise:
            drawn = torch.cat([noise.view(-1), targets])
        else:
            drawn = torch.cat([targets[:, None], noise.view(batch, k)], 1)
        self.note("sampleidx", drawn)
        return rows(self, drawn, len(self.weight))

    def _approximate(self, scores: torch.Tensor) -> None:
        """Where Z is not known yet, estimate it by the mean of these unnormalized probabilities."""
        if not self.Z.item() > 0:
            self.Z.fill_(scores.detach().mean() * len(self.weight))
            say(f"normalization constant Z approximated to {format_number('%.14g', self.Z.item())}")

    def _probabilities(self, x: torch.Tensor, indices: torch.Tensor) -> list[torch.Tensor]:
        k = int(self.k)
        weight, bias = F.embedding(indices, self.weight), self.bias[indices]
        if self.noting:
            self.__dict__["_rows"] = weight.detach()
        if self.batchnoise:
            of_target = ((x * weight[k:]).sum(1) + bias[k:]).exp()
            of_noise = torch.addmm(bias[:k].expand(len(x), k), x, weight[:k].t()).exp()
            self._approximate(of_noise)
        else:
            both = torch.baddbmm(bias[:, None], x[:, None], weight.transpose(1, 2)).squeeze(1).exp()
            self._approximate(both)
            of_target, of_noise = both[:, 0], both[:, 1:]
        z = self.Z.item()
        return [of_target / z, of_noise / z]

    def forward(self, input: Any) -> Any:
        x, target = self._both(input)
        if self._is_normalized:
            scores = F.linear(x, self.weight, self.bias)
            return scores.log_softmax(1) if truthy(self.logsoftmax) else scores.softmax(1)
        indices, k = self._draw(target), int(self.k)
        probabilities = self._probabilities(x, indices)
        noise = self.unigrams[indices].to(x.dtype)
        self.note("sampleprob", noise)
        if self.batchnoise:
            return [*probabilities, noise[k:], noise[:k].expand(len(x), k)]
        return [*probabilities, noise[:, 0], noise[:, 1:]]

    def updateOutput(self, input: Any) -> Any:
        with torch.no_grad():
            outputs = self.noted(self.forward, input)
        if isinstance(outputs, list):
            return self.keep_results("output", outputs, self.sampleprob)
        return self.keep_output(outputs)

    # -- backward: of the rows used and no others ---------------------------------------------------------

    def _slopes(self, x: torch.Tensor, gradOutput: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The gradients with respect to the scores of targets and noise, and the weights that the forward used."""
        weight = self.__dict__.get("_rows")
        if self._is_normalized or weight is None or not isinstance(self.output, list):
            raise TorchError(f"{self.class_name}: a backward needs a forward with noise before it")
        of_target, of_noise = table(self, gradOutput, what="gradOutput")[:2]
        if (
            of_target.shape != self.output[0].shape
            or of_noise.shape != self.output[1].shape
            or len(x) != len(of_target)
        ):
            raise TorchError(
                f"{self.class_name}: gradOutput is {size_text(of_target)} and {size_text(of_noise)}, the "
                f"output {size_text(self.output[0])} and {size_text(self.output[1])}"
            )
        return of_target * self.output[0], of_noise * self.output[1], weight

    def grad_input(self, input: Any, gradOutput: Any) -> Any:
        x, target = self._both(input)
        of_target, of_noise, weight = self._slopes(x, gradOutput)
        self.__dict__["_kept_slopes"] = of_target, of_noise
        k = int(self.k)
        if self.batchnoise:
            of_input = torch.addmm(of_target[:, None] * weight[k:], of_noise, weight[:k])
        else:
            slopes = torch.cat([of_target[:, None], of_noise], 1)
            of_input = torch.bmm(slopes[:, None], weight).squeeze(1)
        return [of_input, x.new_zeros(target.shape)]

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        """By the gradients of the scores that ``updateGradInput`` has left."""
        x, _ = self._both(input)
        kept = self.__dict__.get("_kept_slopes")
        if kept is None or len(kept[0]) != len(x):
            raise TorchError(f"{self.class_name}: accGradParameters comes after updateGradInput")
        of_target, of_noise = kept
        indices = self.sampleidx.view(-1) - 1
        if self.batchnoise:
            for_weight = torch.cat([of_noise.t() @ x, of_target[:, None] * x])
            for_bias = torch.cat([of_noise.sum(0), of_target])
        else:
            slopes = torch.cat([of_target[:, None], of_noise], 1)
            for_weight = (slopes[:, :, None] * x[:, None]).flatten(0, 1)
            for_bias = slopes.view(-1)
        for name, gradient in (("weight", for_weight), ("bias", for_bias)):
            buffer = self.gradient(name)
            if buffer is not None:
                buffer.index_add_(0, indices, gradient, alpha=scale)

    # -- state --------------------------------------------------------------------------------------------

    def _convert_tensors(self, convert: TensorMap) -> None:
        """The noise's probabilities keep their type."""
        unigrams = self._buffers.pop("unigrams", None)
        for name in ("sampleidx", "sampleprob", "_rows", "_kept_slopes"):
            self.__dict__.pop(name, None)
        super()._convert_tensors(convert)
        self._buffers["unigrams"] = unigrams

    def clearState(self) -> Any:
        for name in ("sampleidx", "sampleprob", "_rows", "_kept_slopes"):
            self.__dict__.pop(name, None)
        for name in ("output", "gradInput"):
            held = self.get_field(name)
            if isinstance(held, list):
                held[:] = [self.new() for _ in held]
            else:
                self.clear(name)
        return self


@layer("nn.NCECriterion", package="dpnn", takes="table", target="other")
class NCECriterion(TargetlessCriterion):
    """``nn.NCECriterion()``: how badly targets are told from noise, of what ``nn.NCEModule`` gives.

    Shapes: ``{p, s, q, r}``, the model's probabilities of targets ``(batch)`` and noise ``(batch, k)``, the noise's of
    both; there is no target. The loss is the sum of ``-log(p / (p + k q))`` and ``-log(k r / (s + k r))`` over the
    batch, or its mean with ``sizeAverage`` (true). The gradients of q and r are 0.
    """

    fields: ClassVar[tuple[str, ...]] = ("sizeAverage",)
    sizeAverage: bool | None = True

    def __init__(self) -> None:
        super().__init__()
        self.sizeAverage = True
        self.keep_list("gradInput", [self.new() for _ in range(4)])

    def _four(self, input: Any) -> list[torch.Tensor]:
        four = tensors(self, input, 4)
        p, s, q, r = four
        if p.dim() != 1 or s.dim() != 2 or q.shape != p.shape or r.shape != s.shape or len(p) != len(s):
            sizes = ", ".join(map(size_text, four))
            raise TorchError(
                f"{self.class_name}: expected (batch), (batch, k), (batch), (batch, k), not {sizes}"
            )
        return four

    def _divisors(self, four: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        p, s, q, r = four
        k = s.shape[1]
        return p + k * q + EPSILON, s + k * r + EPSILON

    def forward(self, input: Any, target: Any = None) -> torch.Tensor:
        four = self._four(input)
        p, s, _, r = four
        of_target, of_noise = self._divisors(four)
        total = -((p / of_target).log().sum() + (s.shape[1] * r / of_noise).log().sum())
        return total / len(p) if truthy(self.sizeAverage) else total

    def updateGradInput(self, input: Any, target: Any = None) -> Any:
        four = [tensor.data for tensor in self._four(input)]
        p, s, q, r = four
        of_target, of_noise = self._divisors(four)
        gradients = [-s.shape[1] * q / of_target / (p + EPSILON), s / of_noise / (s + EPSILON)]
        if truthy(self.sizeAverage):
            gradients = [gradient / len(p) for gradient in gradients]
        return self.keep_list("gradInput", [*gradients, torch.zeros_like(q), torch.zeros(r.shape).to(r)])
