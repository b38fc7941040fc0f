"""Models as graphs of nngraph."""

from __future__ import annotations

from tests.translate.training.draft import Draft
from tests.translate.training.text import block, lines_of

__all__ = ["graph_model"]

# With `$h` for the width of hidden layers, `$join` for the dimension to join along; each leaves its node in `last`.
FROM_VECTOR = [
    (
        "$h",
        """
        local input = nn.Identity()()
        local last = nn.Tanh()(nn.Linear(5, $h)(input))
        """,
    ),
    (
        "$h",
        """
        local input = nn.Identity()()
        local h1 = nn.Linear(5, $h)(input)
        local h2 = nn.Sigmoid()(h1)
        local h3 = nn.Linear($h, $h)(h2)
        local last = nn.CAddTable()({h1, h3})
        """,
    ),
    (
        "2 * $h",
        """
        local input = nn.Linear(5, $h)()
        local a = nn.Tanh()(input)
        local b = nn.ReLU()(nn.Linear($h, $h)(a))
        local last = nn.JoinTable($join)({a, b})
        """,
    ),
    (
        "$h",
        """
        local input = nn.Identity()()
        local gates = {}
        for i = 1, 2 do
          gates[i] = nn.Sigmoid()(nn.Linear(5, $h)(input))
        end
        local last = nn.CMulTable()({gates[1], gates[2]})
        """,
    ),
    (
        "$h",
        """
        local input = nn.Identity()()
        local last = nn.Linear(5, $h)(input)
        for i = 1, 2 do
          last = nn.Tanh()(nn.Linear($h, $h)(last))
        end
        """,
    ),
    (
        "$h",
        """
        local input = nn.Identity()()
        local function gate(x) return nn.Sigmoid()(nn.Linear(5, $h)(x)) end
        local one, two = gate(input), gate(input)
        local last = nn.CSubTable()({one, nn.MulConstant(0.5)(two)})
        """,
    ),
]
FROM_PAIR = [
    (
        "$h",
        """
        local first, second = nn.Identity()(), nn.Identity()()
        local last = nn.Tanh()(nn.CAddTable()({nn.Linear(5, $h)(first), nn.Linear(5, $h)(second)}))
        """,
    ),
    (
        "10",
        """
        local first = nn.Identity()()
        local second = nn.Identity()()
        local last = nn.JoinTable($join)({first, second})
        """,
    ),
    (
        "$h",
        """
        local first, second = nn.Identity()(), nn.Linear(5, 5)()
        local a = nn.Linear(5, $h)(first)
        local b = nn.Sigmoid()(nn.Linear(5, $h)(second))
        local last = nn.CMulTable()({a, b})
        """,
    ),
    (
        "$h",
        """
        local ins = {}
        table.insert(ins, nn.Identity()())
        table.insert(ins, nn.Identity()())
        local first, second = ins[1], ins[2]
        local last = nn.Linear(5, $h)(nn.CAddTable()(ins))
        """,
    ),
]


def graph_model(draft: Draft) -> list[str]:
    draft.packages.add("nngraph")
    pair = draft.task.input.kind == "pair"
    width, text = draft.choices.pick(
        "graph of pair" if pair else "graph of vector", FROM_PAIR if pair else FROM_VECTOR
    )
    hidden, join = draft.settings["hidden"], "1" if draft.single else "2"
    lines = lines_of(draft.fill(text, h=hidden, join=join))
    width = draft.fill(width, h=hidden)
    ends, outputs = _ends(draft, width)
    inputs = "{first, second}" if pair else "{input}"
    made = f"nn.gModule({inputs}, {outputs})"
    model = f"{draft.local('model')}{draft.names['model']}"
    if draft.choices.chance("graph in a function"):
        return [*block("local function create()", [*lines, *ends, f"return {made}"]), f"{model} = create()"]
    if draft.choices.chance("graph in a block"):
        return [
            f"local {draft.names['model']}",
            *block("do", [*lines, *ends, f"{draft.names['model']} = {made}"]),
        ]
    return [*lines, *ends, f"{model} = {made}"]


def _ends(draft: Draft, width: str) -> tuple[list[str], str]:
    criterion = draft.task.criterion
    linear = f"nn.Linear({width}, {criterion.width})"
    if criterion.outputs == 2:
        ways = [
            ([f"local one = {linear}(last)", f"local other = {linear}(last)"], "{one, other}"),
            (["local outs = {}", f"for i = 1, 2 do outs[i] = {linear}(last) end"], "outs"),
            (["local outs = {}", *[f"table.insert(outs, {linear}(last))"] * 2], "outs"),
        ]
        return draft.choices.pick("ends of graph", ways)
    if not criterion.last:
        return [f"local result = {linear}(last)"], "{result}"
    if draft.choices.chance("end of graph in one"):
        return [f"local result = {criterion.last}({linear}(last))"], "{result}"
    return [f"local scores = {linear}(last)", f"local result = {criterion.last}(scores)"], "{result}"
