"""A program that is being written: its choices, the names that it has, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.translate.training.choices import Choices
from tests.translate.training.settings import Settings
from tests.translate.training.tasks import Task, choose_task
from tests.translate.training.text import fill

__all__ = ["Draft"]

NAMES: dict[str, list[str]] = {
    "model": ["model", "net", "mlp"],
    "criterion": ["criterion", "crit", "loss_function"],
    "params": ["params", "parameters", "x", "w"],
    "grads": ["gradParams", "grads", "dl_dx", "dw"],
    "inputs": ["inputs", "X", "trainData"],
    "targets": ["targets", "Y", "labels"],
    "input": ["input", "bx", "sample"],
    "target": ["target", "by", "label"],
    "output": ["output", "pred", "out"],
    "loss": ["loss", "err", "f"],
    "state": ["state", "config", "optimState", "sgd_params"],
}


@dataclass
class Draft:
    """``single``: examples go through the model one by one; ``packages``: what it requires beside nn; ``normalized``:
    some biases have no gradient but rounding."""

    choices: Choices
    settings: Settings
    task: Task
    names: dict[str, str]
    single: bool = False
    normalized: bool = False
    packages: set[str] = field(default_factory=set)
    classes: list[str] = field(default_factory=list)  # layers of its own

    @classmethod
    def begin(cls, choices: Choices) -> Draft:
        task = choose_task(choices)
        names = {name: choices.pick(f"name {name}", options) for name, options in NAMES.items()}
        single = task.input.kind in ("vector", "pair") and choices.chance("examples one by one", 4)
        return cls(choices, Settings(choices), task, names, single and task.criterion.single)

    def fill(self, text: str, **more: object) -> str:
        return fill(text, **(self.names | more))

    def local(self, name: str) -> str:
        """``local``, or nothing where it is global."""
        return "" if self.choices.chance(f"global {name}", 4) else "local "
