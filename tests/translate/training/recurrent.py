"""Trunks over sequences, of 4 steps of 5 numbers, with the packages nn and rnn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.translate.training.draft import Draft

__all__ = ["sequence_trunk"]

CELLS = [
    "nn.LSTM(5, $h)",
    "nn.FastLSTM(5, $h)",
    "nn.GRU(5, $h)",
    "nn.Recurrent($h, nn.Linear(5, $h), nn.Linear($h, $h), nn.Sigmoid(), 4)",
    "nn.LSTM(5, $h, 4, true)",
    "nn.Recurrence(nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(5 + $h, $h)):add(nn.Tanh()), $h, 1)",
]


def sequence_trunk(draft: Draft) -> tuple[str, list[str | list[str]]]:
    hidden = draft.settings["hidden"]
    kind = draft.choices.pick(
        "sequence", ["all steps", "recurrent", "layers of steps", "convolution", "bidirectional", "fast"]
    )
    if kind == "all steps":
        return "20", ["nn.Reshape(20)"]
    if kind == "convolution":
        return hidden, [
            f"nn.TemporalConvolution(5, {hidden}, 2)",
            "nn.Tanh()",
            draft.choices.pick("over time", ["nn.Max(2)", "nn.Sum(2)", "nn.Mean(2)"]),
        ]
    draft.packages.add("rnn")
    cell = draft.fill(draft.choices.pick("cell", CELLS), h=hidden)
    if kind == "fast":
        fast = draft.choices.pick("fast cell", ["nn.SeqLSTM", "nn.SeqGRU"])
        return hidden, ["nn.Transpose({1, 2})", f"{fast}(5, {hidden})", "nn.Select(1, -1)"]
    if kind == "bidirectional":
        return f"{hidden} * 2", ["nn.SplitTable(2)", f"nn.BiSequencer({cell})", "nn.SelectTable(-1)"]
    if kind == "layers of steps":
        inner = f"nn.Sequential():add(nn.Linear(5, {hidden})):add(nn.Tanh())"
        return hidden, [
            "nn.SplitTable(2)",
            f"nn.Sequencer({inner})",
            draft.choices.pick("steps together", ["nn.CAddTable()", "nn.SelectTable(-1)"]),
        ]
    if draft.choices.chance("two cells"):
        cell = f"nn.Sequential():add({cell}):add(nn.FastLSTM({hidden}, {hidden}))"
    last = draft.choices.pick("steps together", ["nn.SelectTable(-1)", "nn.SelectTable(4)", "nn.CAddTable()"])
    if draft.choices.chance("sequencer by statement"):
        return hidden, [
            [
                "$net:add(nn.SplitTable(1, 2))",
                f"local rnn = {cell}",
                "$net:add(nn.Sequencer(rnn))",
                f"$net:add({last})",
            ]
        ]
    return hidden, ["nn.SplitTable(2)", f"nn.Sequencer({cell})", last]
