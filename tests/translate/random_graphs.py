"""Random graphs of nngraph, whose layers are made in another order than they run in, and programs that count them."""

from __future__ import annotations

from random import Random

__all__ = ["program"]

# What hangs on the order of layers; each makes the output of the graph tell it.
COUNTS = [
    "for i = 1, x:size(1) do x[i] = i / 100 end",
    "x:copy(torch.range(1, x:size(1)):div(100))",
    "x:zero():narrow(1, 3, 17):fill(0.3)\nx:add(0.1)",
    "local k = 0\nx:apply(function() k = k + 1 return k / 100 end)",
    "print(torch.dot(x:fill(0.1), torch.range(1, x:size(1))))\nx[7] = 2",
    "local k = 0\nnet:apply(function(m) if m.weight then k = k + 1 m.weight:fill(k / 10) end end)",
    "for i, m in ipairs(net:findModules('nn.Linear')) do m.weight:fill(i / 10) end",
    "for i, p in ipairs(net:parameters()) do p:fill(i / 10) end",
    "local ps = net:parameters()\nfor i = 1, #ps do ps[i]:fill(i / 10) end\nprint(ps[2]:sum())",
]
BLOCK = """local function block(from)
  local late = nn.Linear(4, 4)
  local early = nn.Linear(4, 4)(from)
  return nn.CAddTable()({nn.Tanh()(late(early)), from})
end
"""
JOIN = """local function join(one, other)
  local a, b = nn.Linear(4, 4)(one), nn.Linear(4, 4)(other)
  return nn.CMulTable()({b, a})
end
"""


def program(seed: int) -> str:
    """A program that builds a graph, gives its weights numbers by their places, and prints what comes out."""
    random = Random(seed)
    nodes = ["a", "b"]
    used: set[str] = set()
    lines = ["local a, b = nn.Identity()(), nn.Identity()()"]

    def one() -> str:
        node = random.choice(nodes)
        used.add(node)
        return node

    def two() -> tuple[str, str]:
        pair = random.sample(nodes, 2)
        used.update(pair)
        return pair[0], pair[1]

    for number in range(random.randint(3, 7)):
        name = f"n{number}"
        kind = random.randrange(9)
        if kind < 3:
            lines.append(f"local {name} = nn.Linear(4, 4)({one()})")
        elif kind == 3:
            lines.append(f"local {name} = nn.Sigmoid()(nn.Linear(4, 4)({one()}))")
        elif kind == 4:
            first, second = two()
            lines.append(f"local {name} = nn.CAddTable()({{{first}, nn.Linear(4, 4)({second})}})")
        elif kind == 5:
            lines.append(f"local {name} = block({one()})")
        elif kind == 6:
            first, second = two()
            lines.append(f"local {name} = join({first}, {second})")
        elif kind == 7:
            turns = random.choice(["2", "depth"])
            lines += [
                f"local {name} = {one()}",
                f"for i = 1, {turns} do {name} = nn.Linear(4, 4)({name}) end",
            ]
        else:
            turns, source = random.choice(["2", "depth"]), one()
            lines += [
                f"local list{number} = {{{one()}}}",
                f"for i = 1, {turns} do list{number}[i + 1] = nn.Tanh()(nn.Linear(4, 4)({source})) end",
                f"local {name} = nn.CAddTable()(list{number})",
            ]
        nodes.append(name)
    last = [node for node in nodes if node not in used]
    random.shuffle(last)
    if len(last) > 1 and random.random() < 0.5:
        last = [f"nn.CAddTable()({{{', '.join(last)}}})"]
    body = "\n".join(f"  {line}" for line in [*lines, f"return nn.gModule({{a, b}}, {{{', '.join(last)}}})"])
    return f"""require 'nngraph'
torch.manualSeed({seed})
{BLOCK}{JOIN}local function create(depth)
{body}
end
local net = create(3)
local x = net:getParameters()
{random.choice(COUNTS)}
print(net:forward({{torch.Tensor(2, 4):fill(0.1), torch.Tensor(2, 4):fill(-0.2)}}))
"""
