"""What a program learns: the kinds of input and target, and the criterions that compare them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.translate.training.choices import Choices

__all__ = ["COUNT", "CRITERIONS", "INPUTS", "Criterion", "Input", "Task", "choose_task"]

COUNT = 12  # examples
CLASSES = 3


@dataclass(frozen=True)
class Input:
    """Tensors with an example a row, the ways to make each, and how a model's input is made of their batches."""

    kind: str
    makers: tuple[tuple[str, ...], ...]
    form: str = "$a"
    width: int = 5


@dataclass(frozen=True)
class Criterion:
    text: str
    target: str
    last: str = ""  # the layer that a model ends with for it
    width: int = CLASSES
    single: bool = True  # whether it takes one example
    outputs: int = 1


INPUTS = [
    Input(
        "vector",
        (
            (
                "torch.randn($n, 5)",
                "torch.rand($n, 5):mul(2):add(-1)",
                "torch.Tensor($n, 5):uniform(-1, 1)",
                "torch.Tensor($n, 5):normal(0, 1)",
                "torch.linspace(-1, 1, $n * 5):view($n, 5)",
                "torch.randn($n, 5):div(2)",
            ),
        ),
    ),
    Input(
        "image",
        (("torch.randn($n, 1, 8, 8)", "torch.rand($n, 1, 8, 8)", "torch.Tensor($n, 1, 8, 8):normal()"),),
    ),
    Input(
        "words",
        (
            (
                "torch.LongTensor($n, 4):random(1, 7)",
                "torch.Tensor($n, 4):random(1, 7)",
                "torch.rand($n, 4):mul(7):floor():add(1)",
            ),
        ),
    ),
    Input(
        "pair",
        (("torch.randn($n, 5)", "torch.rand($n, 5)"), ("torch.randn($n, 5)", "torch.randn($n, 5):abs()")),
        "{$a, $b}",
    ),
    Input("sequence", (("torch.randn($n, 4, 5)", "torch.rand($n, 4, 5):add(-0.5)"),)),
]

CRITERIONS = [
    Criterion("nn.MSECriterion()", "real"),
    Criterion("nn.ClassNLLCriterion()", "class", "nn.LogSoftMax()"),
    Criterion("nn.CrossEntropyCriterion()", "class"),
    Criterion("nn.BCECriterion()", "bit", "nn.Sigmoid()", 1),
    Criterion("nn.BCECriterion()", "bit", "nn.Sigmoid()"),
    Criterion("nn.SmoothL1Criterion()", "real"),
    Criterion("nn.AbsCriterion()", "real"),
    Criterion("nn.MSECriterion(false)", "real", "nn.Tanh()", 1),
    Criterion("nn.MultiMarginCriterion()", "class"),
    Criterion("nn.MarginCriterion()", "sign", width=1),
    Criterion("nn.SoftMarginCriterion()", "sign"),
    Criterion("nn.ClassNLLCriterion(torch.Tensor{1, 2, 0.5})", "class", "nn.LogSoftMax()"),
    Criterion("nn.DistKLDivCriterion()", "distribution", "nn.LogSoftMax()"),
    Criterion("nn.MultiLabelSoftMarginCriterion()", "bit"),
    Criterion("nn.MultiCriterion():add(nn.MSECriterion(), 0.7):add(nn.AbsCriterion(), 0.3)", "real"),
    Criterion(
        "nn.ParallelCriterion():add(nn.MSECriterion(), 0.5):add(nn.CrossEntropyCriterion())",
        "real and class",
        outputs=2,
    ),
    Criterion(
        "nn.ParallelCriterion(true):add(nn.MSECriterion()):add(nn.AbsCriterion(), 2)", "real", outputs=2
    ),
]

TARGETS: dict[str, tuple[tuple[str, ...], ...]] = {
    "real": (
        (
            "torch.randn($n, $k)",
            "torch.rand($n, $k)",
            "torch.randn($n, $k):tanh()",
            "torch.zeros($n, $k):add(0.5)",
        ),
    ),
    "class": (
        (
            "torch.Tensor($n):random(1, $k)",
            "torch.LongTensor($n):random(1, $k)",
            "torch.rand($n):mul($k):floor():add(1)",
            "torch.range(1, $n):apply(function(i) return i % $k + 1 end)",
            "torch.ceil(torch.rand($n):mul($k))",
        ),
    ),
    "bit": (
        (
            "torch.rand($n, $k):gt(0.5):double()",
            "torch.rand($n, $k):round()",
            "torch.Tensor($n, $k):bernoulli(0.5)",
        ),
    ),
    "sign": (("torch.sign(torch.randn($n, $k))", "torch.rand($n, $k):gt(0.5):double():mul(2):add(-1)"),),
    "distribution": (("nn.SoftMax():forward(torch.randn($n, $k))", "torch.Tensor($n, $k):fill(1 / $k)"),),
}
TARGETS["real and class"] = TARGETS["real"] + TARGETS["class"]


@dataclass(frozen=True)
class Task:
    input: Input
    criterion: Criterion

    @property
    def targets(self) -> tuple[tuple[str, ...], ...]:
        return TARGETS[self.criterion.target]

    @property
    def target_form(self) -> str:
        return "{$a, $b}" if len(self.targets) > 1 else "$a"


def choose_task(choices: Choices) -> Task:
    return Task(choices.pick("input", INPUTS), choices.pick("criterion", CRITERIONS))
