"""What a program does with a model beside training it: measures, the best one kept, files."""

from __future__ import annotations

from tests.translate.training.data import Data, whole
from tests.translate.training.draft import Draft
from tests.translate.training.text import block, lines_of

__all__ = ["ending_lines", "epoch_lines", "preparing_lines"]

# By the kind of output; `$all` are all inputs, `$y` all targets, `$n` how many, `$k` classes. They leave `score`.
ONE_BY_ONE = [
    """
    local right = 0
    for i = 1, $n do
      local out = $model:forward($one)
      local _, guess = torch.max(out, 1)
      if guess[1] == $y[i] then right = right + 1 end
    end
    local score = right / $n
    """,
    """
    local right = 0
    for i = 1, $n do
      local out = $model:forward($one)
      local best, guess = -math.huge, 0
      for c = 1, $k do
        if out[c] > best then best, guess = out[c], c end
      end
      if guess == $y[i] then right = right + 1 end
    end
    local score = 100 * right / $n
    """,
    """
    local confusion = optim.ConfusionMatrix($k)
    for i = 1, $n do
      confusion:add($model:forward($one), $y[i])
    end
    confusion:updateValids()
    local score = confusion.totalValid * 100
    """,
]
IN_A_BATCH = [
    """
    local _, guess = torch.max($model:forward($all), 2)
    local score = guess:squeeze():double():eq($y:double()):sum() / $n
    """,
    """
    local out = $model:forward($all)
    local _, guess = out:max(2)
    local right = 0
    for i = 1, $n do
      if guess[i][1] == $y[i] then right = right + 1 end
    end
    local score = right / $n
    """,
    """
    local out = $model:forward($all)
    local score = 0
    for i = 1, out:size(1) do
      local _, order = torch.sort(out[i], true)
      if order[1] == $y[i] then score = score + 1 end
    end
    """,
    """
    local confusion = optim.ConfusionMatrix($k)
    confusion:batchAdd($model:forward($all), $y)
    confusion:updateValids()
    local score = confusion.averageValid
    """,
    """
    local classes = {'one', 'two', 'three'}
    local confusion = optim.ConfusionMatrix(classes)
    confusion:zero()
    local out = $model:forward($all)
    for i = 1, $n do confusion:add(out[i], $y[i]) end
    confusion:updateValids()
    local score = confusion.totalValid
    """,
]
SCORES: dict[str, list[str]] = {
    "any": [
        """
        local score = $criterion:forward($model:forward($all), $y)
        """,
    ],
    "real": [
        """
        local score = ($model:forward($all) - $y):pow(2):mean()
        """,
        """
        local out = $model:forward($all):clone()
        local score = out:add(-1, $y):abs():max()
        """,
        """
        local out = $model:forward($all)
        local score = torch.dist(out, $y)
        """,
    ],
    "class": IN_A_BATCH,
    "bit": [
        """
        local guess = $model:forward($all):gt(0.5)
        local score = guess:double():eq($y:double()):sum()
        """,
        """
        local score = torch.round($model:forward($all)):eq($y:double()):double():mean()
        """,
    ],
    "sign": [
        """
        local score = torch.sign($model:forward($all)):eq($y):sum()
        """,
        """
        local score = torch.cmul($model:forward($all), $y):gt(0):double():mean()
        """,
    ],
}
ONE_AT_A_TIME = [
    """
    local score = 0
    for i = 1, $n do
      score = score + $criterion:forward($model:forward($one), $yi)
    end
    """,
]
SHOWN = [
    "print('score', score)",
    "print(string.format('score %.4f', score))",
    "io.write('score: ' .. tostring(score) .. '\\n')",
    "print(('%6.2f%%'):format(score))",
    "print{score = score}",
]
ENDINGS = [
    [],
    ["print($model:getParameters():norm())"],
    ["for i, p in ipairs($model:parameters()) do print(i, p:norm()) end"],
    ["local weights = $model:parameters()", "print(#weights, weights[1]:sum())"],
    [
        "local path = os.tmpname()",
        "torch.save(path, $model)",
        "local loaded = torch.load(path)",
        "os.remove(path)",
        "loaded:evaluate()",
        "print($shown)",
    ],
    [
        "local copy = $model:clone()",
        "copy:evaluate()",
        "$model:zeroGradParameters()",
        "print($shown_of_copy)",
    ],
    [
        "local path = os.tmpname()",
        "torch.save(path, {model = $model, epoch = 3})",
        "local kept = torch.load(path)",
        "print(kept.epoch, kept.model:getParameters():mean())",
    ],
    ["print($model:getParameters():nElement())"],
    ["$model:evaluate()", "print($first)"],
]


def _score(draft: Draft, data: Data) -> list[str]:
    """Statements that leave a measure of the model in ``score``."""
    task = draft.task
    inputs, targets = whole(draft, data)
    one = task.input.form.replace("$a", f"{data.inputs[0]}[i]").replace("$b", f"{data.inputs[-1]}[i]")
    one_target = task.target_form.replace("$a", f"{data.targets[0]}[i]").replace(
        "$b", f"{data.targets[-1]}[i]"
    )
    target = task.criterion.target
    if draft.single:
        forms = ONE_AT_A_TIME + (ONE_BY_ONE if target == "class" else [])
    else:
        forms = SCORES["any"] + (SCORES.get(target, []) if task.criterion.outputs == 1 else [])
    text = draft.choices.pick("score", forms)
    if "optim." in text:
        draft.packages.add("optim")
    return [
        draft.fill(line, all=inputs, y=targets, one=one, yi=one_target, n=data.count, k=task.criterion.width)
        for line in lines_of(text)
    ]


def preparing_lines(draft: Draft, data: Data) -> list[str]:
    """A function that measures, where there is one, and the variables for the best model."""
    lines: list[str] = []
    if draft.choices.chance("test in a function"):
        model = draft.names["model"]
        mode = [f"{model}:evaluate()"], [f"{model}:training()"]
        head = draft.choices.pick("head of test", ["local function test()", "function evaluate()"])
        before, after = mode if draft.choices.chance("mode of test") else ([], [])
        lines += block(head, [*before, *_score(draft, data), *after, "return score"])
    if draft.choices.chance("best is kept", 4):
        lines.append("local bestModel, bestScore")
    return lines


def _measured(draft: Draft, data: Data) -> list[str]:
    shown = draft.choices.pick("score is shown", SHOWN)
    if draft.choices.chance("test in a function"):
        name = "evaluate" if draft.choices.number("head of test", 2) else "test"
        return [f"local score = {name}()", shown]
    return [*_score(draft, data), shown]


def epoch_lines(draft: Draft, data: Data) -> list[str]:
    lines: list[str] = []
    if draft.choices.chance("test in each epoch"):
        lines += _measured(draft, data)
        if draft.choices.chance("best is kept", 4):
            lines += lines_of(
                draft.fill("""
                if not bestScore or score > bestScore then
                  bestScore = score
                  bestModel = $model:clone()
                end
                """)
            )
    return lines


def ending_lines(draft: Draft, data: Data) -> list[str]:
    lines: list[str] = []
    if draft.choices.chance("test at the end"):
        lines += (
            block("do", _measured(draft, data))
            if draft.choices.chance("test in each epoch")
            else _measured(draft, data)
        )
    if draft.choices.chance("best is kept", 4) and draft.choices.chance("test in each epoch"):
        lines += ["bestModel:evaluate()", f"print(bestScore, {_one(draft, data, 'bestModel')})"]
    ordered = draft.packages.isdisjoint(("nngraph", "rnn"))  # whose parameters have another order in PyTorch
    ending = draft.choices.pick(
        "ending", [e for e in ENDINGS if ordered or not any("ipairs" in x for x in e)]
    )
    model = draft.names["model"]
    shown = {
        "shown": _one(draft, data, "loaded"),
        "shown_of_copy": _one(draft, data, "copy"),
        "first": _one(draft, data, model),
    }
    return lines + [draft.fill(line, **shown) for line in ending]


def _one(draft: Draft, data: Data, model: str) -> str:
    """A number of a model's output."""
    inputs, _ = whole(draft, data)
    if draft.single:
        inputs = draft.task.input.form.replace("$a", f"{data.inputs[0]}[1]").replace(
            "$b", f"{data.inputs[-1]}[1]"
        )
    part = "[1]" if draft.task.criterion.outputs > 1 else ""
    return f"{model}:forward({inputs}){part}:sum()"
