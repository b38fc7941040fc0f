"""Random programs that change a network after they made it: parts put in, taken out, copied, shared and looked at."""

from __future__ import annotations

from random import Random

__all__ = ["program"]

LAYERS = ["nn.Tanh()", "nn.Sigmoid()", "nn.ReLU()", "nn.Dropout(0)", "nn.Identity()", "nn.AddConstant(0.5)"]


class _Program:
    """``parts`` is how the network is made up by now: of each part its size within, or 0 where it has no weights."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.parts: list[int] = []
        self.lines: list[str] = []
        self.sizes = 4

    def layer(self) -> tuple[str, int]:
        random = self.random
        if random.random() < 0.5:
            return random.choice(LAYERS), 0
        self.sizes += 1
        return f"nn.Sequential():add(nn.Linear(4, {self.sizes})):add(nn.Linear({self.sizes}, 4))", self.sizes

    def place(self, weighted: bool = False) -> int | None:
        places = [at for at, size in enumerate(self.parts, 1) if size > 0 or (size == 0 and not weighted)]
        return self.random.choice(places) if places else None

    def edit(self) -> list[str]:
        random = self.random
        kind = random.choice(
            [
                "insert",
                "remove",
                "set",
                "add",
                "fill",
                "copy",
                "get",
                "apply",
                "clone",
                "count",
                "zero",
                "scale",
                "freeze",
            ]
        )
        at, weighted = self.place(), self.place(weighted=True)
        if kind == "insert":
            text, size = self.layer()
            where = random.randint(1, len(self.parts) + 1)
            self.parts.insert(where - 1, size)
            return [f"net:insert({text}, {where})"]
        if kind == "remove" and len(self.parts) > 2 and at is not None:
            del self.parts[at - 1]
            return [f"net:remove({at})"] if random.random() < 0.7 else [f"local gone = net:remove({at})"]
        if kind == "set" and at is not None:
            text, size = self.layer()
            self.parts[at - 1] = size
            return [f"net.modules[{at}] = {text}"]
        if kind == "add":
            text, size = self.layer()
            self.parts.append(size)
            return [f"net:add({text})"]
        if kind == "fill" and weighted is not None:
            field = random.choice(["weight", "bias"])
            how = random.choice(["fill(0.1)", "mul(0.5)", "zero()", "add(0.25)"])
            inner = random.choice([f"net:get({weighted}):get(1)", f"net.modules[{weighted}].modules[2]"])
            return [f"{inner}.{field}:{how}"]
        if kind == "copy" and weighted is not None:
            return [
                f"local source = net:get({weighted}):get(1)",
                "local other = nn.Linear(source.weight:size(2), source.weight:size(1))",
                "other.weight:copy(source.weight)",
                "other.bias:copy(source.bias)",
                "print((other:forward(x) - source:forward(x)):norm())",
            ]
        if kind == "get" and at is not None:
            return [f"print(torch.type(net:get({at})))"]
        if kind == "apply":
            return random.choice(
                [
                    ["net:apply(function(m) if m.bias then m.bias:zero() end end)"],
                    [
                        "net:apply(function(m)",
                        "  if torch.type(m) == 'nn.Linear' then m.weight:mul(0.9) end",
                        "end)",
                    ],
                    ["for _, m in ipairs(net:findModules('nn.Linear')) do m.bias:fill(0.2) end"],
                    [
                        "for i, m in ipairs(net.modules) do if m.modules then m:get(2).bias:fill(i / 10) end end"
                    ],
                    ["print(#last.weight, last.bias:nElement())"],
                ]
            )
        if kind == "clone":
            return [
                "local copy = net:clone()",
                random.choice(
                    [
                        "copy:get(1)",
                        "for _, p in ipairs((copy:parameters())) do p:zero() end",
                        "print((copy:forward(x) - net:forward(x)):norm())",
                    ]
                ).replace("copy:get(1)", "print(#copy.modules, copy:size())"),
            ]
        if kind == "count":
            return random.choice(
                [
                    ["print(#net.modules, net:size())"],
                    ["local ps = net:parameters()", "print(#ps)"],
                    ["print(#net:findModules('nn.Linear'))"],
                    ["print(#net:listModules())"],
                ]
            )
        if kind == "zero":
            return ["net:zeroGradParameters()"]
        if kind == "scale":
            return ["for _, p in ipairs((net:parameters())) do p:mul(0.9) end"]
        if kind == "freeze" and weighted is not None:
            return [f"net:get({weighted}):get(1).accGradParameters = function() end"]
        return ["print(net:forward(x):norm())"]

    def step(self) -> list[str]:
        return [
            "for i = 1, 2 do",
            "  local out = net:forward(x)",
            "  print(i, crit:forward(out, y))",
            "  net:zeroGradParameters()",
            "  net:backward(x, crit:backward(out, y))",
            "  net:updateParameters(0.05)",
            "end",
        ]

    def source(self) -> str:
        random = self.random
        lines = ["require 'nn'", f"torch.manualSeed({random.randint(1, 99)})", "local net = nn.Sequential()"]
        for _ in range(random.randint(2, 4)):
            text, size = self.layer()
            self.parts.append(size)
            lines.append(f"net:add({text})")
        self.parts.append(-1)  # which stays, so that there are always weights
        lines += ["net:add(nn.Linear(4, 4))", "local last = net:get(net:size())"]
        lines += ["local x, y = torch.randn(5, 4), torch.randn(5, 4)", "local crit = nn.MSECriterion()"]
        before = random.random() < 0.5
        if before:
            lines += self.step()
        for _ in range(random.randint(1, 3)):
            lines += ["do", *[f"  {line}" for line in self.edit()], "end"]
        lines += self.step()
        lines.append("print(net:forward(x):norm())")
        return "\n".join(lines) + "\n"


def program(seed: int) -> str:
    """A program that makes a network, changes it, trains it for two steps and prints what it sees."""
    return _Program(seed).source()
