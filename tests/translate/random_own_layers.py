"""Random programs whose networks hold layers of their own classes: in containers, over time, made by functions."""

from __future__ import annotations

from random import Random

__all__ = ["program"]

# Each takes a batch of rows of four numbers, and gives one.
GATE = """local Gate, parent = torch.class('nn.Gate', 'nn.Module')
function Gate:__init()
  parent.__init(self)
  self.keep = torch.Tensor()
end
function Gate:updateOutput(input)
  self.keep:resizeAs(input):copy(input):mul(0.5):tanh()
  self.output = self.keep * 2
  return self.output
end
function Gate:updateGradInput(input, gradOutput)
  local slope = torch.cmul(self.keep, self.keep):mul(-1):add(1)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput):cmul(slope)
  return self.gradInput
end
"""
SCALE = """local Scale, parent = torch.class('nn.Scale', 'nn.Module')
function Scale:__init(size, by)
  parent.__init(self)
  self.weight = torch.Tensor(size):fill(by or 0.5)
  self.gradWeight = torch.zeros(size)
end
function Scale:updateOutput(input)
  self.output:resizeAs(input):copy(input)
  self.output:cmul(self.weight:view(1, -1):expandAs(input))
  return self.output
end
function Scale:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput)
  self.gradInput:cmul(self.weight:view(1, -1):expandAs(gradOutput))
  return self.gradInput
end
function Scale:accGradParameters(input, gradOutput, scale)
  self.gradWeight:add(scale or 1, torch.cmul(input, gradOutput):sum(1):view(-1))
end
"""
BOUND = """local Bound, parent = torch.class('nn.Bound', 'nn.Module')
function Bound:__init(most)
  parent.__init(self)
  self.most = most
end
function Bound:updateOutput(input)
  self.output = input:clone():clamp(-self.most, self.most)
  return self.output
end
function Bound:updateGradInput(input, gradOutput)
  local inside = torch.le(torch.abs(input), self.most):double()
  self.gradInput = torch.cmul(gradOutput, inside)
  return self.gradInput
end
"""
BLOCK = """local Block, parent = torch.class('nn.Block', 'nn.Sequential')
function Block:__init(size, hidden)
  parent.__init(self)
  self.size = size
  self:add(nn.Linear(size, hidden))
  self:add(nn.Tanh())
  self:add(nn.Linear(hidden, size))
end
"""
SKIP = """local Skip, parent = torch.class('nn.Skip', 'nn.Container')
function Skip:__init(module)
  parent.__init(self)
  self.modules = {module}
end
function Skip:updateOutput(input)
  local inner = self.modules[1]:updateOutput(input)
  self.output:resizeAs(input):copy(input):add(inner)
  return self.output
end
function Skip:updateGradInput(input, gradOutput)
  local inner = self.modules[1]:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput):add(inner)
  return self.gradInput
end
function Skip:accGradParameters(input, gradOutput, scale)
  self.modules[1]:accGradParameters(input, gradOutput, scale)
end
"""
CLASSES = {"Gate": GATE, "Scale": SCALE, "Bound": BOUND, "Block": BLOCK, "Skip": SKIP}
UPDATES = [
    ["net:updateParameters(0.05)"],
    ["net:updateParameters(rate)"],
    ["local ps, gs = net:parameters()", "for i = 1, #ps do ps[i]:add(-0.05, gs[i]) end"],
]


class _Program:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.used: dict[str, None] = {}
        self.made: list[str] = []  # statements before the network
        self.functions: list[str] = []
        self.count, self.sizes, self.apart = 0, 4, 0

    def one(self, depth: int = 0) -> str:
        """A layer of four numbers to four numbers."""
        random = self.random
        kind = random.choice(
            ["own", "own", "own", "Linear", "Tanh", "Sequential", "Concat", "Table", "made", "named"]
        )
        if depth > 2 and kind in ("Sequential", "Concat", "Table", "made"):
            kind = "own"
        if kind == "own":
            return self.own(depth)
        if kind == "Linear":
            return self.narrow()
        if kind == "Tanh":
            return random.choice(["nn.Tanh()", "nn.Sigmoid()", "nn.Identity()"])
        if kind == "Sequential":
            parts = [self.one(depth + 1) for _ in range(random.randint(1, 3))]
            return "nn.Sequential()" + "".join(f":add({part})" for part in parts)
        if kind == "Concat":
            parts = [
                f"nn.Sequential():add({self.one(depth + 1)}):add({self.narrow()}):add(nn.Narrow(2, 1, 2))"
                for _ in range(2)
            ]
            return "nn.Concat(2)" + "".join(f":add({part})" for part in parts)
        if kind == "Table":
            parts = [self.one(depth + 1) for _ in range(2)]
            table = "nn.ConcatTable()" + "".join(f":add({part})" for part in parts)
            return f"nn.Sequential():add({table}):add(nn.CAddTable())"
        self.count += 1
        self.apart += 1
        part = self.named_or_made(kind, depth)
        self.apart -= 1
        return part

    def named_or_made(self, kind: str, depth: int) -> str:
        """A part with a name of its own, or one that a function of the program makes."""
        random = self.random
        if kind == "named":
            name = f"part{self.count}"
            self.made.append(f"local {name} = {self.one(depth + 1)}")  # after those that it is made of
            return name
        name = random.choice(["make", "build"]) + f"Part{self.count}"
        before, self.made = self.made, []
        first, second = self.one(depth + 1), self.one(depth + 1)
        body = "\n".join(f"  {line}" for line in self.made)
        self.made = before
        self.functions.append(
            f"local function {name}()\n{body}\n  local part = nn.Sequential()\n"
            f"  part:add({first})\n  part:add({second})\n  return part\nend"
        )
        return f"{name}()"

    def hidden(self) -> int:
        """A size that no other layers have: those of one size are told apart by their order alone."""
        self.sizes += 1
        return self.sizes

    def narrow(self) -> str:
        size = self.hidden()
        return f"nn.Sequential():add(nn.Linear(4, {size})):add(nn.Linear({size}, 4))"

    def own(self, depth: int) -> str:
        name = self.random.choice(list(CLASSES))
        if (name == "Skip" and depth > 2) or (name == "Scale" and self.apart):
            name = "Gate"  # layers of a class with weights are told apart by their order
        arguments = {
            "Gate": "",
            "Scale": self.random.choice(["4", "4, 0.25"]),
            "Bound": self.random.choice(["0.75", "limit"]),
            "Block": f"4, {self.hidden()}",
        }
        inner = self.one(depth + 1) if name == "Skip" else arguments[name]
        self.used[name] = None
        return f"nn.{name}({inner})"

    def source(self) -> str:
        random = self.random
        over_time = random.random() < 0.35
        lines = ["local net = nn.Sequential()"]
        for _ in range(random.randint(1, 3)):
            part = self.one()
            if over_time:
                part = f"nn.Sequencer({part})"
            if random.random() < 0.2 and not over_time and " part" not in f" {part}".replace("(", " "):
                lines.append(f"for i = 1, 2 do net:add({part}) end")
            else:
                lines.append(f"net:add({part})")
        if not self.used:
            own = self.own(2)
            lines.append(f"net:add({f'nn.Sequencer({own})' if over_time else own})")
        lines.append("net:add(nn.Sequencer(nn.Linear(4, 2)))" if over_time else "net:add(nn.Linear(4, 2))")
        crit = random.choice(["nn.MSECriterion()", "nn.AbsCriterion()"])
        if over_time:
            data = [
                "local x, y = {}, {}",
                "for t = 1, 3 do x[t] = torch.randn(2, 4) y[t] = torch.randn(2, 2) end",
                f"local crit = nn.SequencerCriterion({crit})",
            ]
        else:
            data = ["local x, y = torch.randn(5, 4), torch.randn(5, 2)", f"local crit = {crit}"]
        update = random.choice(UPDATES)
        loop = [
            "for i = 1, 3 do",
            "  local out = net:forward(x)",
            "  print(i, crit:forward(out, y))",
            "  net:zeroGradParameters()",
            "  net:backward(x, crit:backward(out, y))",
            *[f"  {line}" for line in update],
            "end",
        ]
        after = []
        name = random.choice(list(self.used))
        looks = [
            "print(#net.modules, torch.type(net:get(1)))",
            "print(net:getParameters():size(1))",
            f"local found = net:findModules('nn.{name}')\nprint(#found)",
            "local total = 0\nfor _, p in ipairs((net:parameters())) do total = total + p:nElement() end\nprint(total)",
            (
                "local count = 0\n"
                f"net:apply(function(m) if torch.type(m) == 'nn.{name}' then count = count + 1 end end)\n"
                "print(count)"
            ),
            "net:evaluate()\nlocal last = net:forward(x)\nprint(torch.type(last))",
        ]
        if over_time:  # whose modules are one in a page
            looks = looks[1:2] + looks[3:4] + looks[5:]
        if random.random() < 0.5:
            after.append(random.choice(looks))
        head = [
            "require 'rnn'" if over_time else "require 'nn'",
            f"torch.manualSeed({random.randint(1, 99)})",
        ]
        classes = [f"do\n{CLASSES[name]}end" for name in self.used]
        settings = ["local limit, rate = 0.5, 0.1"]
        return (
            "\n".join([*head, *classes, *settings, *self.functions, *self.made, *lines, *data, *loop, *after])
            + "\n"
        )


def program(seed: int) -> str:
    """A program that trains such a network for a few steps and prints its losses."""
    return _Program(seed).source()
