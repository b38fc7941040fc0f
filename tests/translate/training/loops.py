"""Epochs: the loop over them, the loss of each, a rate that falls, an early end."""

from __future__ import annotations

from tests.translate.training.data import Turns
from tests.translate.training.draft import Draft
from tests.translate.training.steps import Step
from tests.translate.training.text import block

__all__ = ["training_lines"]

PRINTS = [
    "print(epoch, total)",
    "print('epoch ' .. epoch .. ' loss ' .. total)",
    "print(string.format('epoch %d: loss %.6f', epoch, total))",
    "io.write(string.format('%3d  %10.5g\\n', epoch, total))",
    "print(('%s %5.3e'):format('loss', total))",
    "print('loss: ', total / seen)",
    "io.write('epoch ', epoch, '\\n')",
]
SCHEDULES = [
    "$r = $r * $f",
    "if epoch % 2 == 0 then $r = $r * $f end",
    "if epoch > 1 then\n  $r = $r / (1 + 0.1 * epoch)\nend",
    "$r = math.max($r * $f, 1e-3)",
]
ENDS = [
    "if total < 1e-5 then break end",
    "if total < best then\n  best = total\n  bad = 0\nelse\n  bad = bad + 1\n  if bad >= $p then break end\nend",
    "if epoch > 1 and last - total < 1e-9 then\n  print('no better')\n  break\nend\nlast = total",
]
BEFORE_ENDS = ["", "local best, bad = math.huge, 0", "local last = 0"]


def training_lines(draft: Draft, turns: Turns, step: Step, at_end: list[str]) -> list[str]:
    """All that trains; ``at_end`` stands at the end of each epoch, where ``epoch`` and ``total`` are known."""
    choices = draft.choices
    once = [*turns.once, *step.once]
    if step.outside:
        once = [*turns.once, f"local {', '.join(name for name, _ in turns.values)}", *step.once]
    local = "" if step.outside else "local "
    values = [f"{local}{name} = {value}" for name, value in turns.values]
    if len(values) > 1 and choices.chance("input and target in one"):
        names, texts = zip(*turns.values, strict=True)
        values = [f"{local}{', '.join(names)} = {', '.join(texts)}"]
    count = [f"total = total + {step.loss}", f"seen = seen + {turns.count}"]
    if turns.count != "1" and choices.chance("loss is weighed", 3):
        count[0] = f"total = total + {step.loss} * {turns.count}"
    shown = ["print(seen, total)"] if choices.chance("each turn is printed", 4) else []
    body = block(turns.head, [*turns.setup, *values, *step.turn, *count, *shown])
    epoch = ["local total, seen = 0, 0", *turns.before, *body]
    if choices.chance("mean of the loss"):
        epoch.append("total = total / seen")
    if choices.chance("epoch in a function"):
        head = choices.pick("head of train", ["local function train()", "function train()"])
        once += block(head, [*epoch, "return total, seen"])
        epoch = ["local total, seen = train()"]
    epoch.append(choices.pick("print of epoch", PRINTS))
    return [*once, *_epochs(draft, [*epoch, *_schedule(draft, step), *at_end])]


def _schedule(draft: Draft, step: Step) -> list[str]:
    if not step.rate or not draft.choices.chance("rate falls", 3):
        return []
    text = draft.choices.pick("schedule", SCHEDULES)
    factor = draft.settings["factor"] if "$f" in text else ""
    return draft.fill(text, r=step.rate, f=factor).split("\n")


def _epochs(draft: Draft, body: list[str]) -> list[str]:
    epochs = draft.settings["epochs"]
    before: list[str] = []
    if draft.choices.chance("early end", 4):
        number = draft.choices.number("kind of end", len(ENDS))
        patience = draft.settings["patience"] if "$p" in ENDS[number] else ""
        body = [*body, *draft.fill(ENDS[number], p=patience).split("\n")]
        before = [BEFORE_ENDS[number]] if BEFORE_ENDS[number] else []
    model = draft.names["model"]
    training = [f"{model}:training()"] if draft.choices.chance("training mode is said") else []
    kind = draft.choices.pick("epochs", ["for", "while", "repeat", "while true"])
    if kind == "for":
        return [*before, *block(f"for epoch = 1, {epochs} do", [*training, *body])]
    if kind == "while":
        return [
            *before,
            "local epoch = 1",
            *block(f"while epoch <= {epochs} do", [*training, *body, "epoch = epoch + 1"]),
        ]
    if kind == "repeat":
        return [
            *before,
            "local epoch = 0",
            *block("repeat", ["epoch = epoch + 1", *training, *body], f"until epoch >= {epochs}"),
        ]
    return [
        *before,
        "local epoch = 0",
        *block(
            "while true do", ["epoch = epoch + 1", *training, *body, f"if epoch == {epochs} then break end"]
        ),
    ]
