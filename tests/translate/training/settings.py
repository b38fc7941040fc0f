"""The numbers of a program, and where it keeps them: in place, in variables, in a table, on its command line."""

from __future__ import annotations

from tests.translate.training.choices import Choices
from tests.translate.training.text import block

__all__ = ["Settings"]

VALUES: dict[str, list[str]] = {
    "batch": ["4", "5", "3"],
    "clip": ["0.5", "5"],
    "decay": ["0.01", "1e-3"],
    "dropout": ["0.5", "0.2"],
    "epochs": ["2", "3"],
    "factor": ["0.5", "0.9"],
    "hidden": ["6", "4", "7"],
    "layers": ["2", "1"],
    "momentum": ["0.9", "0.5"],
    "patience": ["2", "1"],
    "rate": ["0.1", "0.05", "1e-2"],
}
FORMS = ["in place", "locals", "table", "fields", "command line", "globals"]
SPELLINGS: dict[str, list[str]] = {
    "batch": ["batchSize", "batch_size"],
    "clip": ["clip", "grad_clip"],
    "decay": ["weightDecay", "lambda"],
    "dropout": ["dropout", "p"],
    "epochs": ["epochs", "max_epochs"],
    "factor": ["decay", "lr_decay"],
    "hidden": ["hidden", "nhid"],
    "layers": ["nlayers", "num_layers"],
    "momentum": ["momentum", "mom"],
    "patience": ["patience", "stop_after"],
    "rate": ["lr", "learningRate"],
}


class Settings:
    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._form = choices.pick("settings", FORMS)
        self._used: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """The expression for a number, which is then one of the program's settings."""
        value = self._choices.pick(f"setting {name}", VALUES[name])
        spelling = self._choices.pick(f"spelling {name}", SPELLINGS[name])
        if self._form == "in place":
            return value
        self._used[spelling] = value
        return spelling if self._form in ("locals", "globals") else f"opt.{spelling}"

    def lines(self) -> list[str]:
        """Their declarations; to be asked for when the rest of the program is written."""
        if not self._used:
            return []
        used = self._used.items()
        if self._form == "locals":
            return [f"local {name} = {value}" for name, value in used]
        if self._form == "globals":
            return [f"{name} = {value}" for name, value in used]
        if self._form == "table":
            return block("local opt = {", [f"{name} = {value}," for name, value in used], "}")
        if self._form == "fields":
            return ["opt = {}", *(f"opt.{name} = {value}" for name, value in used)]
        return [
            "cmd = torch.CmdLine()",
            "cmd:text('Options')",
            *(f"cmd:option('-{name}', {value}, '{name} of the run')" for name, value in used),
            "local opt = cmd:parse(arg or {})",
        ]
