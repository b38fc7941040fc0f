"""Random programs that train a model, as people wrote them for Torch7."""

from __future__ import annotations

from tests.translate.training.choices import Choices
from tests.translate.training.data import choose_turns, make_data
from tests.translate.training.draft import Draft
from tests.translate.training.evaluation import ending_lines, epoch_lines, preparing_lines
from tests.translate.training.loops import training_lines
from tests.translate.training.models import model_lines
from tests.translate.training.steps import choose_step
from tests.translate.training.text import lines_of

__all__ = ["program"]


def program(choices: Choices) -> str:
    draft = Draft.begin(choices)
    data = make_data(draft)
    model = model_lines(draft)
    criterion = draft.fill(
        "$local$criterion = $made", local=draft.local("criterion"), made=draft.task.criterion.text
    )
    turns = choose_turns(draft, data)
    step = choose_step(draft, turns)
    prepared = preparing_lines(draft, data)
    training = training_lines(draft, turns, step, epoch_lines(draft, data))
    ending = ending_lines(draft, data)
    parts = [data.lines, [*model, criterion]]
    if choices.chance("model before data"):
        parts.reverse()
    needed = ["nn", *sorted(draft.packages)]
    head = [f"require '{name}'" for name in needed]
    head.append("torch.manualSeed(3)")
    own = [line for text in dict.fromkeys(draft.classes) for line in lines_of(text)]
    lines = [
        *head,
        *draft.settings.lines(),
        *own,
        *(line for part in parts for line in part),
        *prepared,
        *training,
        *ending,
    ]
    return (
        "\n".join(_commented(draft, [line for text in lines for line in text.split("\n") if line.strip()]))
        + "\n"
    )


def _commented(draft: Draft, lines: list[str]) -> list[str]:
    """With comments before some lines, and behind others."""
    every = draft.choices.pick("comments", [0, 0, 3, 5])
    if not every:
        return lines
    out: list[str] = []
    for number, line in enumerate(lines):
        if number % every == 1 and not line.lstrip().startswith((":add", "else", "until")):
            out.append(f"{line[: len(line) - len(line.lstrip())]}-- note {number}")
        out.append(f"{line} -- note {number} too" if number % every == 2 else line)
    return out
