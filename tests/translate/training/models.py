"""Models: a trunk of layers for the kind of input, a head for the criterion, and the ways to put them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tests.translate.training.draft import Draft
from tests.translate.training.graphs import graph_model
from tests.translate.training.own_layers import OWN_LAYERS
from tests.translate.training.recurrent import sequence_trunk
from tests.translate.training.text import block, lines_of

__all__ = ["model_lines"]

# A layer's expression, or statements on `$net` that add layers.
Part: TypeAlias = "str | list[str]"

ACTIVATIONS = [
    "nn.Tanh()",
    "nn.ReLU()",
    "nn.Sigmoid()",
    "nn.ReLU(true)",
    "nn.ELU()",
    "nn.SoftPlus()",
    "nn.LeakyReLU(0.1)",
    "nn.PReLU()",
    "nn.HardTanh()",
]
SHORT = ACTIVATIONS[:3]


def model_lines(draft: Draft) -> list[str]:
    """Statements that leave the model in ``$model``."""
    if draft.task.input.kind in ("vector", "pair") and draft.choices.chance("graph", 4):
        return graph_model(draft)
    width, parts = TRUNKS[draft.task.input.kind](draft)
    return _written(draft, [*parts, *_head(draft, width)])


def _head(draft: Draft, width: str) -> list[Part]:
    criterion = draft.task.criterion
    last: list[Part] = [criterion.last] if criterion.last else []
    if criterion.outputs == 1:
        return [f"nn.Linear({width}, {criterion.width})", *last]
    heads = [f"nn.Linear({width}, {criterion.width})"] * 2
    if draft.choices.chance("head of two layers"):
        heads[1] = (
            f"nn.Sequential():add(nn.Linear({width}, 4)):add(nn.Tanh()):add(nn.Linear(4, {criterion.width}))"
        )
    if draft.choices.chance("heads added by statements"):
        return [
            ["local heads = nn.ConcatTable()", *(f"heads:add({head})" for head in heads), "$net:add(heads)"]
        ]
    return [f"nn.ConcatTable():add({heads[0]}):add({heads[1]})"]


def _written(draft: Draft, parts: Sequence[Part]) -> list[str]:
    statements = any(isinstance(part, list) for part in parts)
    ways = [_by_statements, _in_function, _in_functions_of_a_table]
    if not statements:
        ways += [_in_chain, _from_a_list, _in_chain_of_lines]
    return draft.choices.pick("model is written", ways)(draft, parts)


def _adding(parts: Sequence[Part], net: str) -> list[str]:
    lines: list[str] = []
    for part in parts:
        lines += (
            [f"{net}:add({part})"] if isinstance(part, str) else [line.replace("$net", net) for line in part]
        )
    return lines


def _by_statements(draft: Draft, parts: Sequence[Part]) -> list[str]:
    model = draft.names["model"]
    return [f"{draft.local('model')}{model} = nn.Sequential()", *_adding(parts, model)]


def _in_chain(draft: Draft, parts: Sequence[Part]) -> list[str]:
    chain = "".join(f":add({part})" for part in parts)
    return [f"{draft.local('model')}{draft.names['model']} = nn.Sequential(){chain}"]


def _in_chain_of_lines(draft: Draft, parts: Sequence[Part]) -> list[str]:
    return [
        f"{draft.local('model')}{draft.names['model']} = nn.Sequential()",
        *(f"  :add({part})" for part in parts),
    ]


def _from_a_list(draft: Draft, parts: Sequence[Part]) -> list[str]:
    model = draft.names["model"]
    return [
        *block("local layers = {", [f"{part}," for part in parts], "}"),
        f"{draft.local('model')}{model} = nn.Sequential()",
        draft.choices.pick(
            "layers added from a list",
            [
                f"for _, layer in ipairs(layers) do {model}:add(layer) end",
                f"for i = 1, #layers do {model}:add(layers[i]) end",
            ],
        ),
    ]


def _in_function(draft: Draft, parts: Sequence[Part]) -> list[str]:
    head = draft.choices.pick(
        "function of model", ["local function build()", "function build()", "local build = function()"]
    )
    body = ["local net = nn.Sequential()", *_adding(parts, "net"), "return net"]
    return [*block(head, body), f"{draft.local('model')}{draft.names['model']} = build()"]


def _in_functions_of_a_table(draft: Draft, parts: Sequence[Part]) -> list[str]:
    half = len(parts) // 2
    first = ["local net = nn.Sequential()", *_adding(parts[:half], "net"), "return net"]
    second = ["local net = nn.Sequential()", *_adding(parts[half:], "net"), "return net"]
    return [
        "local models = {}",
        *block("function models.trunk()", first),
        *block("function models.head()", second),
        f"{draft.local('model')}{draft.names['model']} = nn.Sequential():add(models.trunk()):add(models.head())",
    ]


def _activation(draft: Draft, place: str) -> str:
    return draft.choices.pick(f"activation {place}", ACTIVATIONS)


def _extras(draft: Draft, place: str, width: str, dims: int = 1) -> list[Part]:
    """Normalization and dropout behind a layer, or nothing."""
    found: list[Part] = []
    if not draft.single and draft.choices.chance(f"normalization {place}", 5):
        draft.normalized = True
        found.append(f"nn.{'Spatial' if dims == 3 else ''}BatchNormalization({width})")
    if draft.choices.chance(f"dropout {place}", 5):
        found.append(f"nn.Dropout({draft.settings['dropout']})")
    return found


def _dense(draft: Draft, place: str, n: str, m: str) -> list[Part]:
    parts: list[Part] = [f"nn.Linear({n}, {m})", _activation(draft, place), *_extras(draft, place, m)]
    if draft.choices.chance(f"own layer {place}", 6):
        own = draft.choices.pick(f"own layer of {place}", OWN_LAYERS)
        draft.classes.append(own.text)
        parts.append(own.call)
    return parts


def _in_branch(draft: Draft, parts: list[Part]) -> list[Part]:
    """Layers that depend on a flag."""
    flag = draft.choices.pick("flag", ["true", "false"])
    test = draft.choices.pick("test of flag", ["deep", "deep == true", "not deep"])
    simple = [part for part in parts if isinstance(part, str)]
    otherwise = ["else", "  $net:add(nn.Identity())"] if draft.choices.chance("else of flag") else []
    body = [f"  $net:add({part})" for part in simple]
    return [[f"local deep = {flag}", f"if {test} then", *body, *otherwise, "end"]]


def _loop(draft: Draft, first: str) -> tuple[str, list[Part]]:
    """Layers in a loop over sizes, or of the same size many times."""
    act, act2 = _activation(draft, "loop"), draft.choices.pick("activation of loop", SHORT)
    hidden = draft.settings["hidden"]
    ways = [
        (
            "6",
            [
                f"local sizes = {{{first}, 4, 6}}",
                "for i = 1, #sizes - 1 do",
                "  $net:add(nn.Linear(sizes[i], sizes[i + 1]))",
                f"  $net:add({act})",
                "end",
            ],
        ),
        (
            hidden,
            [
                f"local width = {first}",
                f"for i = 1, {draft.settings['layers']} do",
                f"  $net:add(nn.Linear(width, {hidden})):add({act})",
                f"  width = {hidden}",
                "end",
            ],
        ),
        (
            hidden,
            [
                f"$net:add(nn.Linear({first}, {hidden}))",
                f"for i = 1, {draft.settings['layers']} do",
                f"  if i > 1 then $net:add({act2}) else $net:add({act}) end",
                f"  $net:add(nn.Linear({hidden}, {hidden}))",
                "end",
            ],
        ),
        (
            "6",
            [
                f"local last = {first}",
                "for _, size in ipairs({5, 6}) do",
                "  $net:add(nn.Linear(last, size))",
                f"  $net:add({act})",
                "  last = size",
                "end",
            ],
        ),
        (
            hidden,
            [
                f"for i = 1, {draft.settings['layers']} do",
                f"  local n = (i == 1) and {first} or {hidden}",
                "  local part = nn.Sequential()",
                f"  part:add(nn.Linear(n, {hidden}))",
                f"  part:add({act})",
                "  $net:add(part)",
                "end",
            ],
        ),
    ]
    width, lines = draft.choices.pick("kind of loop", ways)
    return width, [lines]


def _vector(draft: Draft, first: str = "5") -> tuple[str, list[Part]]:
    hidden = draft.settings["hidden"]
    kind = draft.choices.pick(
        "trunk",
        ["one layer", "two layers", "loop", "residual", "concat", "branch", "none", "gated", "function"],
    )
    if kind == "none":
        return first, []
    if kind == "loop":
        return _loop(draft, first)
    parts = _dense(draft, "first", first, hidden)
    if kind == "two layers":
        parts += _dense(draft, "second", hidden, "4")
        return "4", parts
    if kind == "branch":
        parts += _in_branch(draft, _dense(draft, "branch", hidden, hidden))
    elif kind == "residual":
        inner = f"nn.Sequential():add(nn.Linear({hidden}, {hidden})):add({_activation(draft, 'inside')})"
        parts += [
            f"nn.ConcatTable():add({inner}):add(nn.Identity())",
            draft.choices.pick(
                "sum",
                [
                    "nn.CAddTable()",
                    "nn.CMulTable()",
                    "nn.CSubTable()",
                    "nn.CMaxTable()",
                ],
            ),
        ]
    elif kind == "gated":
        parts += [
            [
                "local gate = nn.ConcatTable()",
                f"gate:add(nn.Sequential():add(nn.Linear({hidden}, {hidden})):add(nn.Sigmoid()))",
                f"gate:add(nn.Linear({hidden}, {hidden}))",
                "$net:add(gate)",
                "$net:add(nn.CMulTable())",
            ]
        ]
    elif kind == "concat":
        dim = "1" if draft.single else "2"
        ways: list[list[Part]] = [
            [f"nn.Concat({dim}):add(nn.Linear({hidden}, 2)):add(nn.Linear({hidden}, 3))"],
            [
                f"nn.ConcatTable():add(nn.Linear({hidden}, 2)):add(nn.Linear({hidden}, 3))",
                f"nn.JoinTable({dim})",
            ],
            [
                f"nn.ConcatTable():add(nn.Linear({hidden}, 2)):add(nn.Linear({hidden}, 3))",
                "nn.JoinTable(1, 1)",
            ],
        ]
        return "5", [*parts, *draft.choices.pick("way to concatenate", ways)]
    elif kind == "function":
        act = _activation(draft, "block")
        lines = lines_of(
            f"""
            local function block(n, m)
              local b = nn.Sequential()
              b:add(nn.Linear(n, m))
              b:add({act})
              return b
            end
            $net:add(block({hidden}, 5))
            $net:add(block(5, 4))
            """
        )
        return "4", [*parts, lines]
    return hidden, parts


def _image(draft: Draft) -> tuple[str, list[Part]]:
    """From 1 x 8 x 8."""
    convolution = draft.choices.pick("convolution", ["nn.SpatialConvolution", "nn.SpatialConvolutionMM"])
    padding = draft.choices.pick("padding", ["", ", 1, 1, 1, 1"])
    side = 8 if padding else 6
    pooling = draft.choices.pick(
        "pooling",
        [
            "nn.SpatialMaxPooling(2, 2, 2, 2)",
            "nn.SpatialAveragePooling(2, 2, 2, 2)",
            "nn.SpatialMaxPooling(2, 2)",
        ],
    )
    parts: list[Part] = [
        f"{convolution}(1, 3, 3, 3{padding})",
        *_extras(draft, "convolution", "3", 3),
        _activation(draft, "convolution"),
        pooling,
    ]
    side //= 2
    if draft.choices.chance("second convolution"):
        parts += [f"{convolution}(3, 2, 2, 2)", _activation(draft, "second convolution")]
        planes, side = 2, side - 1
    else:
        planes = 3
    size = planes * side * side
    forms = [
        f"nn.View({size})",
        f"nn.Reshape({size})",
        f"nn.View({planes} * {side} * {side})",
        "nn.View(-1):setNumInputDims(3)",
        f"nn.View(-1, {size})",
    ]
    parts.append(draft.choices.pick("flattening", forms))
    width, more = _vector(draft, str(size)) if draft.choices.chance("dense part") else (str(size), [])
    return width, [*parts, *more]


def _words(draft: Draft) -> tuple[str, list[Part]]:
    """From 4 words of 7."""
    kinds: list[tuple[str, list[Part]]] = [
        ("20", ["nn.LookupTable(7, 5)", "nn.View(-1, 20)"]),
        ("5", ["nn.LookupTable(7, 5)", "nn.Sum(2)"]),
        ("5", ["nn.LookupTable(7, 5)", "nn.Mean(1, 2)"]),
        ("6", ["nn.LookupTable(7, 5)", "nn.TemporalConvolution(5, 6, 2)", "nn.ReLU()", "nn.Max(2)"]),
        (
            "6",
            [
                "nn.LookupTable(7, 5)",
                "nn.TemporalConvolution(5, 6, 2)",
                "nn.Tanh()",
                "nn.TemporalMaxPooling(3)",
                "nn.View(6)",
            ],
        ),
        ("10", ["nn.LookupTable(7, 5)", "nn.Narrow(2, 1, 2)", "nn.Reshape(10)"]),
        ("5", ["nn.LookupTable(7, 5)", "nn.Select(2, -1)"]),
        ("5", ["nn.LookupTable(7, 5)", "nn.SplitTable(2)", "nn.CAddTable()"]),
        ("20", ["nn.LookupTable(7, 5)", "nn.SplitTable(1, 2)", "nn.JoinTable(2)"]),
    ]
    width, parts = draft.choices.pick("words", kinds)
    if draft.choices.chance("dense part"):
        width, more = _vector(draft, width)
        return width, [*parts, *more]
    return width, parts


def _pair(draft: Draft) -> tuple[str, list[Part]]:
    """From two vectors of 5."""
    hidden = draft.settings["hidden"]
    act = _activation(draft, "pair")
    branch = f"nn.Sequential():add(nn.Linear(5, {hidden})):add({act})"
    other = draft.choices.pick("second branch", [branch, f"nn.Linear(5, {hidden})"])
    ways: list[list[Part]] = [
        [f"nn.ParallelTable():add({branch}):add({other})"],
        [["local pair = nn.ParallelTable()", f"pair:add({branch})", f"pair:add({other})", "$net:add(pair)"]],
        [
            [
                "local pair = nn.ParallelTable()",
                f"local encoder = {branch}",
                "pair:add(encoder)",
                "pair:add(encoder:clone('weight', 'bias', 'gradWeight', 'gradBias'))",
                "$net:add(pair)",
            ]
        ],
    ]
    dim = "1" if draft.single else "2"
    joins: list[tuple[str, list[Part]]] = [
        (f"2 * {hidden}", [f"nn.JoinTable({dim})"]),
        (f"{hidden} * 2", ["nn.JoinTable(1, 1)"]),
        (hidden, ["nn.CAddTable()"]),
        (hidden, ["nn.CMulTable()"]),
        (hidden, ["nn.CSubTable()", "nn.Abs()"]),
        (hidden, ["nn.SelectTable(1)"]),
        (hidden, ["nn.CSubTable()", "nn.Square()"]),
        (
            f"3 * {hidden}",
            [
                "nn.ConcatTable():add(nn.CAddTable()):add(nn.CMulTable()):add(nn.SelectTable(2))",
                f"nn.JoinTable({dim})",
            ],
        ),
    ]
    width, join = draft.choices.pick("join", joins)
    parts: list[Part] = [*draft.choices.pick("pair", ways), *join]
    if draft.choices.chance("dense part", 3):
        width, more = _vector(draft, width)
        parts += more
    return width, parts


TRUNKS: dict[str, Callable[[Draft], tuple[str, list[Part]]]] = {
    "vector": _vector,
    "image": _image,
    "words": _words,
    "pair": _pair,
    "sequence": sequence_trunk,
}
