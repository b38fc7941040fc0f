"""A step of training: forward and backward, what is done to the gradients, and the update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.translate.training.data import Turns
from tests.translate.training.draft import Draft
from tests.translate.training.text import block

__all__ = ["Step", "choose_step"]

PASSES = [
    [
        "local $output = $model:forward($input)",
        "local $loss = $criterion:forward($output, $target)",
        "$model:backward($input, $criterion:backward($output, $target))",
    ],
    [
        "local $output = $model:forward($input)",
        "local $loss = $criterion:forward($output, $target)",
        "local df_do = $criterion:backward($output, $target)",
        "$model:backward($input, df_do)",
    ],
    [
        "local $loss = $criterion:forward($model:forward($input), $target)",
        "$model:backward($input, $criterion:backward($model.output, $target))",
    ],
    [
        "$model:forward($input)",
        "local $loss = $criterion:forward($model.output, $target)",
        "$criterion:backward($model.output, $target)",
        "$model:backward($input, $criterion.gradInput)",
    ],
    [
        "local $output = $model:updateOutput($input)",
        "local $loss = $criterion:updateOutput($output, $target)",
        "local gradOutput = $criterion:updateGradInput($output, $target)",
        "$model:updateGradInput($input, gradOutput)",
        "$model:accGradParameters($input, gradOutput)",
    ],
]

# What is done to the flat vector of gradients, after the backward pass.
PENALTIES = [
    ["$grads:add($decay, $params)"],
    ["$loss = $loss + $decay * $params:norm()^2 / 2", "$grads:add(torch.mul($params, $decay))"],
    ["$loss = $loss + $decay * torch.norm($params, 2)^2 / 2", "$grads:add($params:clone():mul($decay))"],
    ["$loss = $loss + $decay * torch.norm($params, 1)", "$grads:add(torch.sign($params):mul($decay))"],
    ["if $decay > 0 then", "  $grads:add($params * $decay)", "end"],
]
CLIPS = [
    ["$grads:clamp(-$clip, $clip)"],
    ["local norm = $grads:norm()", "if norm > $clip then", "  $grads:mul($clip / norm)", "end"],
    ["local shrink = $clip / $grads:norm()", "if shrink < 1 then $grads:mul(shrink) end"],
    ["if $clip > 0 then $grads:clamp(-$clip, $clip) end"],
]

# Methods of optim with their settings; the last are added by chance.
METHODS: list[tuple[str, list[str], list[str]]] = [
    ("sgd", ["learningRate = $rate"], []),
    (
        "sgd",
        ["learningRate = $rate", "momentum = $momentum"],
        ["weightDecay = $decay", "learningRateDecay = 1e-2"],
    ),
    ("sgd", ["learningRate = $rate", "momentum = $momentum", "dampening = 0"], ["nesterov = true"]),
    ("sgd", ["learningRate = $rate"], ["weightDecay = $decay", "learningRateDecay = 1e-2", "momentum = 0"]),
    ("adam", ["learningRate = $rate"], ["beta1 = 0.8", "epsilon = 1e-6", "weightDecay = $decay"]),
    ("rmsprop", ["learningRate = 0.01"], ["alpha = 0.95", "epsilon = 1e-6"]),
    ("adagrad", ["learningRate = $rate"], ["learningRateDecay = 1e-2"]),
    ("adadelta", [], ["rho = 0.8", "eps = 1e-5"]),
    ("adamax", ["learningRate = $rate"], ["beta2 = 0.9"]),
    ("nag", ["learningRate = $rate", "momentum = $momentum"], ["weightDecay = $decay"]),
    ("rprop", [], ["stepsize = 0.05"]),
    ("lbfgs", ["maxIter = 2"], ["nCorrection = 5", "learningRate = $rate"]),
    ("cg", ["maxIter = 2"], []),
    ("asgd", ["eta0 = $rate"], ["t0 = 3"]),
]
# Those whose steps on other examples each time differ by chance: rounding tells in them.
NOT_FOR_BATCHES = ("lbfgs", "cg", "rprop")
# Those that do not make rounding large by dividing gradients by their size.
BY_GRADIENT = ("sgd", "nag", "asgd")


@dataclass
class Step:
    """Statements before all loops and in each turn; the loss is then in the expression ``loss``."""

    once: list[str]
    turn: list[str]
    loss: str
    outside: bool = False  # whether input and target are variables from before the loops
    rate: str = ""  # the variable or field that holds the learning rate, where it may be changed
    state: list[str] = field(default_factory=list)


def choose_step(draft: Draft, turns: Turns) -> Step:
    ways: list[Callable[[Draft, Turns], Step]] = [
        _by_update,
        _by_vector,
        _by_optim,
        _in_function,
        _with_velocity,
    ]
    return draft.choices.pick("step", ways)(draft, turns)


def _passes(draft: Draft) -> list[str]:
    return [draft.fill(line) for line in draft.choices.pick("passes", PASSES)]


def _flat(draft: Draft) -> str:
    return draft.fill(f"{draft.local('flat')}$params, $grads = $model:getParameters()")


def _changes(draft: Draft) -> list[str]:
    """What is done to the flat gradients."""
    lines: list[str] = []
    for name, forms in (("penalty", PENALTIES), ("clip", CLIPS)):
        if draft.choices.chance(name, 4):
            lines += _with_settings(draft, draft.choices.pick(f"kind of {name}", forms))
    return lines


def _with_settings(draft: Draft, lines: list[str]) -> list[str]:
    used = [
        name
        for name in ("decay", "clip", "rate", "momentum", "factor")
        if any(f"${name}" in line for line in lines)
    ]
    values = {name: draft.settings[name] for name in used}
    return [draft.fill(line, **values) for line in lines]


def _by_update(draft: Draft, turns: Turns) -> Step:
    """zeroGradParameters, and updateParameters."""
    zero = draft.fill("$model:zeroGradParameters()")
    passes = _passes(draft)
    rate = draft.settings["rate"]
    once: list[str] = []
    if draft.choices.chance("rate is a variable"):
        once, rate = [f"local rate = {rate}"], "rate"
    at = draft.choices.pick("zeroed", ["before", "after the loss", "at the end"])
    if at == "before":
        lines = [zero, *passes]
    elif at == "after the loss":
        loss = next(i for i, line in enumerate(passes) if draft.names["criterion"] in line) + 1
        lines = [*passes[:loss], zero, *passes[loss:]]
    else:
        once = [*once, zero]
        lines = passes
    lines.append(draft.fill("$model:updateParameters($rate)", rate=rate))
    if at == "at the end":
        lines.append(zero)
    return Step(once, lines, draft.names["loss"], rate="rate" if rate == "rate" else "")


def _by_vector(draft: Draft, turns: Turns) -> Step:
    """The flat vector moved by hand."""
    rate = draft.settings["rate"]
    once = [_flat(draft)]
    if draft.choices.chance("rate is a variable"):
        once, rate = [*once, f"local rate = {rate}"], "rate"
    move = draft.choices.pick(
        "move",
        [
            "$params:add(-$r, $grads)",
            "$params:add(torch.mul($grads, -$r))",
            "$params:add($grads:mul(-$r))",
            "$params:add($grads * -$r)",
        ],
    )
    lines = [draft.fill("$grads:zero()"), *_passes(draft), *_changes(draft), draft.fill(move, r=rate)]
    return Step(once, lines, draft.names["loss"], rate="rate" if rate == "rate" else "")


def _with_velocity(draft: Draft, turns: Turns) -> Step:
    """Momentum by hand."""
    once = [
        _flat(draft),
        draft.choices.pick(
            "velocity",
            [
                draft.fill("local velocity = $params:clone():zero()"),
                draft.fill("local velocity = torch.zeros($params:size(1))"),
                draft.fill("local velocity = torch.Tensor():resizeAs($params):zero()"),
            ],
        ),
    ]
    moves = [
        ["velocity:mul($momentum):add(-$rate, $grads)", "$params:add(velocity)"],
        ["velocity:mul($momentum):add($grads)", "$params:add(-$rate, velocity)"],
        ["velocity:mul($momentum)", "velocity:add($grads:mul($rate))", "$params:add(-1, velocity)"],
    ]
    move = _with_settings(draft, draft.choices.pick("move with velocity", moves))
    return Step(
        once, [draft.fill("$grads:zero()"), *_passes(draft), *_changes(draft), *move], draft.names["loss"]
    )


def _in_function(draft: Draft, turns: Turns) -> Step:
    """A function of input and target that does all of a step."""
    inner = draft.choices.pick("inner step", [_by_update, _by_vector, _with_velocity])(draft, turns)
    head = draft.choices.pick(
        "head of step",
        [
            "local function step($input, $target)",
            "function step($input, $target)",
            "local step = function($input, $target)",
        ],
    )
    function = block(draft.fill(head), [*inner.turn, draft.fill("return $loss")])
    turn = [draft.fill("local $loss = step($input, $target)")]
    return Step([*inner.once, *function], turn, draft.names["loss"], rate=inner.rate)


def _by_optim(draft: Draft, turns: Turns) -> Step:
    draft.packages.add("optim")
    methods = [m for m in METHODS if turns.whole or m[0] not in NOT_FOR_BATCHES]
    methods = [m for m in methods if not draft.normalized or m[0] in BY_GRADIENT]
    method, settings, more = draft.choices.pick("method", methods)
    chosen = settings + [each for each in more if draft.choices.chance(f"with {each}", 3)]
    chosen = _with_settings(draft, chosen)
    state = draft.names["state"]
    once = [_flat(draft)]
    rate = f"{state}.learningRate" if any(each.startswith("learningRate =") for each in chosen) else ""
    way = draft.choices.pick("state", ["literal", "fields", "two tables", "field of table"])
    arguments = f", {state}"
    if way == "fields":
        once += [f"{draft.local('state')}{state} = {{}}", *(f"{state}.{each}" for each in chosen)]
    elif way == "field of table":
        once.append(f"local trainer = {{{state} = {{{', '.join(chosen)}}}}}")
        arguments, rate = f", trainer.{state}", rate and f"trainer.{rate}"
    else:
        once.append(f"{draft.local('state')}{state} = {{{', '.join(chosen)}}}")
        if way == "two tables":
            once.append("local memory = {}")
            arguments += ", memory"
    body = _feval_body(draft)
    parameter = draft.choices.pick("parameter of feval", ["", "p", "x_new"])
    function = block(f"function({parameter})", body)
    call = f"optim.{method}(feval, {draft.names['params']}{arguments})"
    if draft.choices.chance("method has a name", 4):
        once.append(f"local method = optim.{method}")
        call = f"method(feval, {draft.names['params']}{arguments})"
    where = draft.choices.pick("feval", ["in the loop", "before", "made by a function"])
    if parameter and draft.choices.chance("parameters are copied"):
        copy = draft.fill("if $p ~= $params then $params:copy($p) end", p=parameter)
        function.insert(1, f"  {copy}")
    result, loss = draft.choices.pick(
        "result of optim",
        [
            ("local _, fs = $c", "fs[1]"),
            ("local _, $loss = $c\n$loss = $loss[1]", "$loss"),
            ("local new, fs = $c", "fs[1]"),
        ],
    )
    taken = draft.fill(result, c=call).split("\n")
    loss = draft.fill(loss)
    if where == "in the loop":
        named = draft.choices.pick(
            "feval is",
            [
                ["local feval = " + function[0], *function[1:]],
                [f"local function feval({parameter})", *function[1:]],
            ],
        )
        return Step(once, [*named, *taken], loss, rate=rate)
    if where == "before":
        return Step([*once, f"local feval = {function[0]}", *function[1:]], taken, loss, True, rate)
    maker = block(
        draft.fill("local function make($input, $target)"), ["return " + function[0], *function[1:]]
    )
    return Step([*once, *maker], [draft.fill("local feval = make($input, $target)"), *taken], loss, rate=rate)


def _feval_body(draft: Draft) -> list[str]:
    zero = draft.choices.pick("feval zeroes", ["$grads:zero()", "$model:zeroGradParameters()"])
    collect = ["collectgarbage()"] if draft.choices.chance("garbage", 6) else []
    return [*collect, draft.fill(zero), *_passes(draft), *_changes(draft), draft.fill("return $loss, $grads")]
