"""A program's examples: where it keeps them, and how a loop goes through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.translate.training.draft import Draft
from tests.translate.training.tasks import COUNT
from tests.translate.training.text import block, fill

__all__ = ["Data", "Turns", "choose_turns", "make_data"]

LETTERS = ("", "2")


@dataclass
class Data:
    """The expressions of its tensors, with an example a row, and the statements that make them."""

    inputs: list[str]
    targets: list[str]
    lines: list[str]
    count: str = str(COUNT)  # the expression of how many there are


@dataclass
class Turns:
    """A loop over batches or examples: what stands before it (once, and in each epoch), its head, and its variables."""

    head: str
    values: list[tuple[str, str]]  # of the variables for input and target, in this order
    once: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    whole: bool = False  # whether each turn has all examples
    count: str = "1"  # the expression of how many examples a turn has


def make_data(draft: Draft) -> Data:
    task, pick = draft.task, draft.choices.pick
    form = pick("data", ["variables", "table", "dataset", "function", "module"])
    count = str(COUNT)
    lines: list[str] = []
    if draft.choices.chance("count of examples has a name"):
        count = "count"
        lines.append(f"local count = {COUNT}")
    made: dict[str, list[tuple[str, str]]] = {}
    for name, makers in (("inputs", task.input.makers), ("targets", task.targets)):
        made[name] = [
            (
                draft.names[name] + letter,
                fill(pick(f"maker of {name}{letter}", options), n=count, k=task.criterion.width),
            )
            for letter, options in zip(LETTERS, makers, strict=False)
        ]
    both = made["inputs"] + made["targets"]
    inputs, targets = ([name for name, _ in made[each]] for each in ("inputs", "targets"))
    if form == "variables":
        lines += [f"{draft.local('data')}{name} = {text}" for name, text in both]
    elif form == "table":
        lines += block("local data = {", [f"{name} = {text}," for name, text in both], "}")
        inputs, targets = ([f"data.{name}" for name in each] for each in (inputs, targets))
    elif form == "dataset":
        lines += ["dataset = {}", *(f"dataset.{name} = {text}" for name, text in both)]
        size = pick(
            "size of dataset",
            [f"return {count}", f"return self.{inputs[0]}:size(1)", f"return dataset.{inputs[0]}:size(1)"],
        )
        lines += [f"function dataset:size() {size} end"]
        count = "dataset:size()"
        inputs, targets = ([f"dataset.{name}" for name in each] for each in (inputs, targets))
    elif form == "function":
        names = ", ".join(name for name, _ in both)
        body = [*(f"local {name} = {text}" for name, text in both), f"return {names}"]
        lines += [*block("local function generate()", body), f"local {names} = generate()"]
    else:
        body = [
            "local t = {}",
            *(f"t.{name} = {text}" for name, text in both),
            f"t.size = {count}",
            "return t",
        ]
        lines += [*block("local function load_data()", body), "local set = load_data()"]
        inputs, targets = ([f"set.{name}" for name in each] for each in (inputs, targets))
        count = "set.size"
    if form != "dataset" and draft.choices.chance("count asked of the tensor", 3):
        count = pick(
            "count of tensor", [f"{inputs[0]}:size(1)", f"{targets[0]}:size(1)", f"(#{inputs[0]})[1]"]
        )
    return Data(inputs, targets, lines, count)


def composed(form: str, parts: Sequence[str]) -> str:
    return fill(form, **dict(zip("ab", parts, strict=False)))


def whole(draft: Draft, data: Data) -> tuple[str, str]:
    """The expressions of all inputs and all targets."""
    return composed(draft.task.input.form, data.inputs), composed(draft.task.target_form, data.targets)


def choose_turns(draft: Draft, data: Data) -> Turns:
    ways = (
        [_examples, _shuffled_examples]
        if draft.single
        else [_all_at_once, _narrowed, _indexed, _listed, _asked, _copied]
    )
    return draft.choices.pick("turns", ways)(draft, data)


def _of(draft: Draft, data: Data, each: str) -> list[tuple[str, str]]:
    """Input and target where a part of each tensor is taken by ``each`` (``$t`` is the tensor)."""
    inputs = [fill(each, t=name) for name in data.inputs]
    targets = [fill(each, t=name) for name in data.targets]
    return [
        (draft.names["input"], composed(draft.task.input.form, inputs)),
        (draft.names["target"], composed(draft.task.target_form, targets)),
    ]


def _examples(draft: Draft, data: Data) -> Turns:
    return Turns(f"for i = 1, {data.count} do", _of(draft, data, "$t[i]"))


def _shuffled_examples(draft: Draft, data: Data) -> Turns:
    shuffle = f"local shuffle = torch.randperm({data.count})"
    if draft.choices.chance("place has a name"):
        return Turns(
            f"for t = 1, {data.count} do",
            _of(draft, data, "$t[k]"),
            before=[shuffle],
            setup=["local k = shuffle[t]"],
        )
    return Turns(f"for t = 1, {data.count} do", _of(draft, data, "$t[shuffle[t]]"), before=[shuffle])


def _all_at_once(draft: Draft, data: Data) -> Turns:
    return Turns("for turn = 1, 2 do", _of(draft, data, "$t"), whole=True)


SIZE_OF_BATCH = [
    "local n = math.min($b, $n - i + 1)",
    "local n = $b\nif i + n - 1 > $n then n = $n - i + 1 end",
    "local last = math.min(i + $b - 1, $n)\nlocal n = last - i + 1",
]
SLICES = [
    "$t:narrow(1, i, n)",
    "$t[{{i, i + n - 1}}]",
    "$t:sub(i, i + n - 1)",
    "$t[{{i, i + n - 1}}]:clone()",
]


def _narrowed(draft: Draft, data: Data) -> Turns:
    size = fill(draft.choices.pick("size of batch", SIZE_OF_BATCH), b=draft.settings["batch"], n=data.count)
    each = draft.choices.pick("slice", SLICES)
    return Turns(
        f"for i = 1, {data.count}, {draft.settings['batch']} do",
        _of(draft, data, each),
        setup=size.split("\n"),
        count="n",
    )


def _indexed(draft: Draft, data: Data) -> Turns:
    batch = draft.settings["batch"]
    if draft.choices.chance("permutation is split"):
        return Turns(
            "for _, rows in ipairs(parts) do",
            _of(draft, data, "$t:index(1, rows)"),
            before=[f"local parts = torch.randperm({data.count}):long():split({batch})"],
            count="rows:size(1)",
        )
    return Turns(
        f"for i = 1, {data.count}, {batch} do",
        _of(draft, data, "$t:index(1, rows)"),
        before=[f"local perm = torch.randperm({data.count}):long()"],
        setup=[f"local rows = perm:narrow(1, i, math.min({batch}, {data.count} - i + 1))"],
        count="rows:size(1)",
    )


def _listed(draft: Draft, data: Data) -> Turns:
    """Batches made once, in a list."""
    each = draft.choices.pick("slice", SLICES)
    (name, input), (other, target) = _of(draft, data, each)
    batch = draft.settings["batch"]
    fields = draft.choices.pick(
        "fields of batch",
        [
            ("", "[1]", "", "[2]"),
            ("x = ", ".x", "y = ", ".y"),
            ("input = ", ".input", "target = ", ".target"),
        ],
    )
    first, get_first, second, get_second = fields
    item = f"{{{first}{input}, {second}{target}}}"
    add = draft.choices.pick(
        "added to batches", [f"table.insert(batches, {item})", f"batches[#batches + 1] = {item}"]
    )
    making = [
        "local batches = {}",
        *block(
            f"for i = 1, {data.count}, {batch} do",
            [f"local n = math.min({batch}, {data.count} - i + 1)", add],
        ),
    ]
    head, pair = draft.choices.pick(
        "loop over batches",
        [("for _, pair in ipairs(batches) do", "pair"), ("for b = 1, #batches do", "batches[b]")],
    )
    return Turns(
        head,
        [(name, pair + get_first), (other, pair + get_second)],
        making,
        count=f"{_rows(draft, name)}:size(1)",
    )


def _asked(draft: Draft, data: Data) -> Turns:
    """Batches that a function gives, which counts."""
    batch = draft.settings["batch"]
    (name, input), (other, target) = _of(draft, data, "$t:narrow(1, at, n)")
    body = [
        f"local n = math.min({batch}, {data.count} - at + 1)",
        f"local a, b = {input}, {target}",
        "at = at + n",
        f"if at > {data.count} then at = 1 end",
        "return a, b",
    ]
    making = ["local at = 1", *block("local function nextBatch()", body)]
    turns = draft.choices.pick("number of batches", ["3", f"math.ceil({data.count} / {batch})"])
    return Turns(
        f"for b = 1, {turns} do",
        [(f"{name}, {other}", "nextBatch()")],
        making,
        count=f"{_rows(draft, name)}:size(1)",
    )


def _copied(draft: Draft, data: Data) -> Turns:
    """Batches in tensors that are filled row by row."""
    batch = draft.settings["batch"]
    once, body, copies = [], [f"local k = perm[(i - 1 + j - 1) % {data.count} + 1]"], []
    for number, tensor in enumerate(data.inputs + data.targets):
        once.append(f"local rows{number} = {tensor}:narrow(1, 1, {batch}):clone()")
        flat = (tensor in data.targets and draft.task.criterion.target in ("class",)) or (
            tensor == data.targets[-1] and draft.task.criterion.target == "real and class"
        )
        row = draft.choices.pick(
            "row",
            [
                "$r[j] = $t[k]",
                "$r[j]:copy($t[k])",
                "$r:select(1, j):copy($t:select(1, k))",
                "$r[{{j}}]:copy($t[{{k}}])",
            ],
        )
        body.append(fill("$r[j] = $t[k]" if flat else row, r=f"rows{number}", t=tensor))
        copies.append(f"rows{number}")
    inner = Data(copies[: len(data.inputs)], copies[len(data.inputs) :], [])
    return Turns(
        f"for i = 1, {data.count}, {batch} do",
        _of(draft, inner, "$t"),
        once,
        [f"local perm = torch.randperm({data.count})"],
        block(f"for j = 1, {batch} do", body),
        count=batch,
    )


def _rows(draft: Draft, input: str) -> str:
    return f"{input}[1]" if draft.task.input.form != "$a" else input
