"""Programs that build graphs of nngraph: a class for each function that does, equal to the original."""

from __future__ import annotations

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import verify_script

START = """require 'nn'
require 'nngraph'
torch.manualSeed(1)
"""
CELL = """local function cell(input_size, rnn_size, n, dropout)
   dropout = dropout or 0
   -- inputs: x and two states for each layer
   local inputs = {}
   table.insert(inputs, nn.Identity()())
   for L = 1, n do
      table.insert(inputs, nn.Identity()()) -- c
      table.insert(inputs, nn.Identity()()) -- h
   end
   local x, input_size_L
   local outputs = {}
   for L = 1, n do
      local prev_h = inputs[L * 2 + 1]
      local prev_c = inputs[L * 2]
      -- what comes in
      if L == 1 then
         x = inputs[1]
         input_size_L = input_size
      else
         x = outputs[(L - 1) * 2]
         if dropout > 0 then x = nn.Dropout(dropout)(x) end
         input_size_L = rnn_size
      end
      local i2h = nn.Linear(input_size_L, 4 * rnn_size)(x):annotate{name = 'i2h_' .. L}
      local h2h = nn.Linear(rnn_size, 4 * rnn_size)(prev_h):annotate{name = 'h2h_' .. L}
      local sums = nn.CAddTable()({i2h, h2h})
      local reshaped = nn.Reshape(4, rnn_size)(sums)
      local n1, n2, n3, n4 = nn.SplitTable(2)(reshaped):split(4)
      local in_gate = nn.Sigmoid()(n1)
      local forget_gate = nn.Sigmoid()(n2)
      local out_gate = nn.Sigmoid()(n3)
      local transform = nn.Tanh()(n4)
      local next_c = nn.CAddTable()({
         nn.CMulTable()({forget_gate, prev_c}),
         nn.CMulTable()({in_gate, transform})
      })
      local next_h = nn.CMulTable()({out_gate, nn.Tanh()(next_c)})
      table.insert(outputs, next_c)
      table.insert(outputs, next_h)
   end
   local top = outputs[#outputs]
   if dropout > 0 then top = nn.Dropout(dropout)(top) end
   local proj = nn.Linear(rnn_size, input_size)(top):annotate{name = 'decoder'}
   table.insert(outputs, nn.LogSoftMax()(proj))
   return nn.gModule(inputs, outputs)
end
"""
GATED = """local function gated(size)
   local x = nn.Identity()()
   local h = nn.Identity()()
   local function sum(from, width)
      local a = nn.Linear(width, size)(from)
      local b = nn.Linear(size, size)(h)
      return nn.CAddTable()({a, b})
   end
   local gate = nn.Sigmoid()(sum(x, 3))
   local new = nn.Tanh()(sum(x, 3))
   local rest = nn.AddConstant(1)(nn.MulConstant(-1)(gate))
   local out = nn.CAddTable()({nn.CMulTable()({gate, new}), nn.CMulTable()({rest, h})})
   return nn.gModule({x, h}, {out})
end
"""
OWN = """local s = {torch.randn(3, 4)}
-- a graph of the program itself
local width = 6 + #s
local a = nn.Linear(3, width)()  -- the first input
local b = nn.Identity()()
local shared = nn.Linear(width, 2)
local other = nn.Linear(width, 2)
local both = nn.JoinTable(2)({shared(nn.Tanh()(a)), other(b)})
local both2 = nn.Linear(4, 3)(both)
local m = nn.gModule({a, b}, {both2, both})
local y, z = unpack(m:forward({torch.randn(2, 3), torch.randn(2, width)}))
print(y) print(z)
"""


def page_of(source: str) -> Native:
    return translate_script((START + source).encode(), "program.lua")


def verified(source: str, tmp_path) -> Native:
    """The page of a program, which is native and equal to it."""
    page = page_of(source)
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    tmp_path.joinpath("program.lua").write_text(START + source)
    comparison = verify_script(page, tmp_path / "program.lua")
    assert comparison.numbers > 0
    assert comparison.largest < 1e-12
    return page


def test_layers_of_a_loop(tmp_path):
    use = """for n = 1, 3 do
   local net, states = cell(5, 4, n), {}
   for i = 1, 2 * n do states[i] = torch.randn(3, 4) end
   local out = net:forward({torch.randn(3, 5), unpack(states)})
   print(#out, out[1])
   print(out[#out])
end
"""
    code = verified(CELL + use, tmp_path).code
    for line in (
        "    def __init__(self, input_size, rnn_size, n, dropout=None):",
        "            self.i2h.append(nn.Linear(input_size_L, 4 * rnn_size))",
        "        self.decoder = nn.Linear(rnn_size, input_size)",
        "    def forward(self, *inputs):",
        "            i2h = self.i2h[L - 1](x)",
        "            next_c = forget_gate * prev_c + in_gate * transform",
        "                    x = F.dropout(x, self.dropout, self.training)",
        "        outputs.append(F.log_softmax(proj, dim=-1))",
    ):
        assert f"{line}\n" in code
    assert "torch.sigmoid" not in code[: code.index("def forward")]
    for comment in ("# inputs: x and two states for each layer", "# c", "# what comes in"):
        assert code.count(comment + "\n") == 1


def test_a_function_that_makes_a_part(tmp_path):
    """It becomes a class of its own, which is given the nodes that it sees."""
    use = """local g = gated(4)
for i = 1, 2 do print(g:forward({torch.randn(3, 3), torch.randn(3, 4)})) end
"""
    code = verified(GATED + use, tmp_path).code
    assert "class Sum(nn.Module):\n    def __init__(self, width, size):\n" in code
    assert "    def forward(self, from_, h):\n" in code
    assert "        self.gate = Sum(3, size)\n        self.new = Sum(3, size)\n" in code
    assert "        gate = torch.sigmoid(self.gate(x, h))\n" in code


def test_a_graph_among_other_statements(tmp_path):
    code = verified(OWN, tmp_path).code
    assert "    m = M(width, shared, other)\n" in code
    assert "    y, z = m(torch.randn(2, 3), torch.randn(2, width))\n" in code
    assert "        both = torch.cat((self.shared(torch.tanh(a)), self.other(b)), dim=1)\n" in code


def test_a_part_in_a_loop_with_branches(tmp_path):
    """Where no number says which layer it is, they come one after the other."""
    source = """local function net(n)
   local x = nn.Identity()()
   local h = x
   for i = 1, n do
      if i % 2 == 0 then
         h = nn.Tanh()(nn.Linear(3, 3)(h))
      else
         h = nn.CAddTable()({h, nn.Linear(3, 3)(x)})
      end
   end
   return nn.gModule({x}, {h})
end
local m = net(5)
print(m:forward(torch.randn(2, 3)))
"""
    code = verified(source, tmp_path).code
    assert "            h = torch.tanh(next(linears)(h))\n" in code
    assert "    print(m(torch.randn(2, 3)))\n" in code


def test_training_of_a_graph(tmp_path):
    use = """local net, criterion = gated(4), nn.MSECriterion()
local x, h, y = torch.randn(3, 3), torch.randn(3, 4), torch.randn(3, 4)
for i = 1, 4 do
   local out = net:forward({x, h})
   local loss = criterion:forward(out, y)
   print(loss)
   net:zeroGradParameters()
   net:backward({x, h}, criterion:backward(out, y))
   net:updateParameters(0.5)
end
"""
    verified(GATED + use, tmp_path)


LAYERS = """local function unit(x, prev_c, prev_h, from, n)
   local gates = nn.CAddTable()({nn.Linear(from, 3 * n)(x), nn.Linear(n, 3 * n)(prev_h)})
   local a, b, c = nn.SplitTable(2)(nn.Reshape(3, n)(gates)):split(3)
   local next_c = nn.CAddTable()({prev_c, nn.CMulTable()({nn.Sigmoid()(a), nn.Tanh()(b)})})
   return next_c, nn.CMulTable()({nn.Sigmoid()(c), nn.Tanh()(next_c)})
end
local function network(from, n, layers)
   local inputs, outputs = {}, {}
   table.insert(inputs, nn.Identity()())
   for l = 1, 2 * layers do table.insert(inputs, nn.Identity()()) end
   local x, size = inputs[1], from
   for l = 1, layers do
      local next_c, next_h = unit(x, inputs[2 * l], inputs[2 * l + 1], size, n)
      table.insert(outputs, next_c)
      table.insert(outputs, next_h)
      x = next_h
      size = n
   end
   return nn.gModule(inputs, outputs)
end
local net = network(3, 4, 2)
local zeros = torch.zeros(2, 4)
local out = net:forward({torch.randn(2, 3), zeros, zeros, zeros, zeros})
print(#out, out[3]:sum(), out[4]:sum())
"""


def test_functions_that_give_several_nodes(tmp_path):
    source = LAYERS.replace("local x, size = inputs[1], from", "local x = inputs[1]\n   local size = from")
    code = verified(source, tmp_path).code
    assert (
        "            next_c, next_h = self.unit[l - 1](x, inputs[l * 2 - 1], inputs[l * 2], )\n" not in code
    )
    assert "        return next_c, torch.sigmoid(c) * torch.tanh(next_c)\n" in code
    assert "lua_item" not in code
    assert page_of(LAYERS).plain_calls == 0  # nodes and other values in one assignment
    several = source.replace("next_c, next_h = unit(x,", "both = {unit(x,").replace(
        "size, n)\n      table", "size, n)}\n      table"
    )
    page = page_of(several)
    reasons = {problem.reason for problem in (*page.problems, *page.reasons)}
    assert "all nodes that a function gives, at the end of a list" in reasons


def test_layers_that_follow_a_minus(tmp_path):
    source = """require 'nngraph'
local x = -nn.Identity()
local f = x
   - nn.Linear(3, 4)  -- wider
   - nn.ReLU()
   - nn.Linear(4, 3)
local net = nn.gModule({x}, {nn.CAddTable()({x, f})})
print(net:forward(torch.randn(2, 3)))
"""
    code = verified(source, tmp_path).code
    assert "        f = self.linear2(F.relu(self.linear(x)))\n" in code


SKIP = """require 'nngraph'
norm = nil
local function choose(name)
   if name == 'batch' then
      norm = nn.BatchNormalization
   else
      norm = nn.Identity
   end
end
local function init(m)
   if torch.type(m):find('Linear') then m.weight:normal(0, 0.5) end
end
local function unet(n)
   local e1 = -nn.Linear(4, n)
   local e2 = e1 - nn.LeakyReLU(0.2, true) - nn.Linear(n, n) - norm(n)
   local e3 = e2 - nn.ReLU(true) - nn.Linear(n, n) - norm(n)
   local o = {e3, e2} - nn.JoinTable(2) - nn.Linear(2 * n, 2) - nn.Tanh()
   return nn.gModule({e1}, {o})
end
choose('batch')
local net, crit = unet(6), nn.MSECriterion()
net:apply(init)
local x, y = torch.randn(8, 4), torch.randn(8, 2)
for i = 1, 3 do
   local out = net:forward(x)
   print(crit:forward(out, y))
   net:zeroGradParameters()
   net:backward(x, crit:backward(out, y))
   net:updateParameters(0.1)
end
"""


def test_a_node_that_a_layer_writes_over_and_what_a_function_makes_after_a_minus(tmp_path):
    code = verified(SKIP, tmp_path).code
    assert "relu = F.relu(e2)\n" in code
    assert "e2.data.copy_(relu.data)\n" in code
    assert "self.norm2 = norm(n)\n" in code
    assert "leaky_relu(e1, 0.2)))" in code  # the input of the graph is nobody else's


LISTED = """local ins = {}
table.insert(ins, nn.Identity()())
ins[#ins + 1] = nn.Linear(3, 4)()
table.insert(ins, (nn.Identity()():annotate{name = 'third'}))
local a, third = ins[1], ins[3]
local y = nn.CSubTable()({nn.Linear(4, 4)(a), ins[2]})
local net = nn.gModule({third, a, ins[2]}, {y, nn.JoinTable(2)({third, y})})
local out = net:forward({torch.randn(2, 2), torch.randn(2, 4), torch.randn(2, 3)})
print(out[1], out[2])
"""


def test_inputs_that_are_items_of_a_list(tmp_path):
    code = verified(LISTED, tmp_path).code
    assert "    def forward(self, third, a, x):\n" in code
    assert "        ins.append(self.linear(x))\n" in code
    assert "        y = self.linear2(a) - ins[1]\n" in code
    in_front = LISTED.replace("table.insert(ins, (", "table.insert(ins, 1, (").replace(
        "a, third = ins[1], ins[3]", "a, third = ins[2], ins[1]"
    )
    page = page_of(in_front)  # which item is which is not followed then
    assert any(problem.code == "T7-221" for problem in page.reasons)


def test_inputs_of_one_statement_of_which_one_has_weights(tmp_path):
    source = """local a, b = nn.Identity()(), nn.Linear(5, 4)()
local net = nn.gModule({a, b}, {nn.CMulTable()({nn.Linear(3, 4)(a), b})})
print(net:forward({torch.randn(2, 3), torch.randn(2, 5)}))
"""
    code = verified(source, tmp_path).code
    assert "    def forward(self, a, b):\n        b = self.linear(b)\n" in code


METHODS = """require 'nngraph'
local Made = torch.class('Net')
function Made:__init(opt)
   self.opt, self.width = opt, opt.width
   self.shift = nn.Linear(4, opt.width)
   self.both = self:wire(2)
   local inputs = {nn.Identity()(), nn.Identity()()}
   local sum = nn.CAddTable()({nn.Linear(4, self.width)(inputs[1]), nn.Linear(5, self.width)(inputs[2])})
   local module = nn.gModule(inputs, {sum, nn.Sigmoid()(sum)})
   self.sum = module
end
-- its first half
function Made:encoder()
   local inputs = {}
   table.insert(inputs, nn.Identity()())
   local h = nn.Tanh()(nn.Linear(4, self.width)(inputs[1]))
   if self.opt.deep then h = nn.Tanh()(nn.Linear(self.width, self.width)(h)) end
   return nn.gModule(inputs, {h})
end
function Made:wire(k)
   local encode = self:encoder()
   local input = nn.Identity()()
   local a, b = input:split(2)
   local joined = nn.JoinTable(2)({encode(a), self.shift(b)})
   return nn.gModule({input}, {nn.Linear(2 * self.width, k)(joined)})
end
local net = Net{width = 3, deep = true}
local sums = net.sum:forward{torch.randn(2, 4), torch.randn(2, 5)}
print(net.both:forward{torch.randn(2, 4), torch.randn(2, 4)}, sums[1], sums[2])
"""


def test_graphs_that_methods_make_of_their_objects(tmp_path):
    code = verified(METHODS, tmp_path).code
    assert "    def encoder(self):\n        return Encoder(self.width, self.opt)\n" in code
    assert "        return Wire(k, encode, self.shift, self.width)\n" in code
    assert "h = torch.tanh(self.linear(x))\n" in code  # a list of one input is that by itself
    assert '        if self.opt.get("deep"):\n            h = torch.tanh(self.linear2(h))\n' in code
    unclear = METHODS.replace(
        "   local h =", "   if self.opt.deep then table.insert(inputs, nn.Identity()()) end\n   local h ="
    )
    page = page_of(unclear)
    assert any(problem.code == "T7-221" for problem in page.reasons)
    assert "    def wire(self, k):\n        encode = self.encoder()\n" in page.code  # the others are there


JUDGED = """require 'nngraph'
local x, y = nn.Identity()(), nn.Identity()()
local h = nn.Tanh()(nn.Linear(4, 6)(x))
local pred = nn.LogSoftMax()(nn.Linear(6, 3)(h))
local net = nn.gModule({x, y}, {nn.ClassNLLCriterion()({pred, y}), h})
local params, grads = net:getParameters()
local data, labels = torch.randn(5, 4), torch.LongTensor{1, 2, 3, 1, 2}
for i = 1, 3 do
   grads:zero()
   local err, state = unpack(net:forward({data, labels}))
   net:backward({data, labels}, {torch.ones(1), torch.zeros(5, 6)})
   params:add(-0.1, grads)
   print(err[1], state:sum())
end
"""


def test_a_criterion_is_a_node_with_one_element(tmp_path):
    code = verified(JUDGED, tmp_path).code
    assert "self.criterion = nn.NLLLoss()\n" in code
    assert "return self.criterion(pred, y.long() - 1).reshape(1), h\n" in code
    page = page_of(JUDGED.replace("({pred, y})", "({pred, y, y})"))
    assert any(
        p.reason == "a criterion of something else than two nodes" for p in (*page.problems, *page.reasons)
    )


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    "nodes",
    [
        "local y = nn.CAddTable()({nn.Linear(2, 2)(x), nn.ReLU(true)(x)})",  # which one is first?
        "local y = nn.CAddTable()({x, nn.ELU(1, true)(x)})",
        "local y = nn.CAddTable()({x, nn.ReLU(true)(nn.View(2)(x))})",
        "local v = nn.View(2)(x)\nlocal y = nn.CAddTable()({x, nn.ReLU(true)(v)})",
    ],
)
def test_nodes_that_layers_write_over_too_early(nodes):
    source = f"local x = nn.Tanh()()\n{nodes}\nlocal m = nn.gModule({{x}}, {{y}})\nprint(m)\n"
    (problem,) = page_of(source).problems
    assert problem.reason == "a layer that writes over a node which others are given, too"
    net = "local net = nn.Sequential():add(nn.Sequential():add(nn.Tanh())):add(nn.View(4)):add(nn.ReLU(true))"
    for part, refused in (("net:get(1):get(1)", 1), ("net:get(3)", 0)):
        read = f"{net}\nnet:forward(torch.randn(2, 4))\nprint({part}.output:sum())\n"
        assert len(page_of(read).problems) == refused  # what the layer leaves is not what the part gave
    branches = "nn.ConcatTable():add(nn.Identity()):add(nn.Sequential():add(nn.ReLU(true)):add(nn.Tanh()))"
    (problem,) = page_of(f"local net = {branches}\nprint(net)\n").problems
    assert "writes over what its other branches are given" in problem.reason


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("local y = x * nn.Tanh()", "arithmetic"),
        ("local l = nn.Linear(2, 2)\nlocal y = nn.CAddTable()({l(x), l(nn.Tanh()(x))})", "in several places"),
        ("local y = nn.CAddTable()({x, nn.Tanh()()})", "without a source"),
        ("local y, z = nn.SplitTable(2)(x):split(3)", "another number"),
    ],
)
def test_what_is_no_class(nodes, said):
    x = "local x = nn.Identity()()"
    for source in (
        f"local function f()\n{x}\n{nodes}\nreturn nn.gModule({{x}}, {{y}})\nend\nprint(f())\n",
        f"{x}\n{nodes}\nlocal m = nn.gModule({{x}}, {{y}})\nprint(m)\n",
    ):
        page = page_of(source)
        assert any(said in problem.reason for problem in (*page.problems, *page.reasons))


WITHOUT_CLASSES = {
    "a part takes nodes from around it": """local function cell(x, h)
   local function sum() return nn.CAddTable()({nn.Linear(3, 4)(x), nn.Linear(4, 4)(h)}) end
   local gate, new = nn.Sigmoid()(sum()), nn.Tanh()(sum())
   return nn.CMulTable()({gate, new})
end
local x, h = nn.Identity()(), nn.Identity()()
local nets = {nn.gModule({x, h}, {cell(x, h)})}
print(nets[1]:forward({torch.randn(2, 3), torch.randn(2, 4)}))
""",
    "nodes in the arguments that are left": """local function joined(...) return nn.JoinTable(2)({...}) end
local x, h = nn.Identity()(), nn.Identity()()
local net = nn.gModule({x, h}, {nn.Linear(10, 2)(joined(x, h, nn.Tanh()(x)))})
print(net:forward({torch.randn(2, 3), torch.randn(2, 4)}))
""",
    "items and a split": """local words, state = nn.Identity()(), nn.Identity()()
local parts = {nn.SplitTable(2)(nn.LookupTable(7, 3)(words)):split(2)}
parts[#parts + 1] = state
local net = {graph = nn.gModule({words, state}, {nn.CAddTable()(parts), parts[1]})}
local sum, first = unpack(net.graph:forward({torch.Tensor{{1, 2}, {7, 3}}, torch.randn(2, 3)}))
print(sum, first)
""",
}


@pytest.mark.parametrize("name", WITHOUT_CLASSES)
def test_graphs_without_classes_are_made_when_the_page_runs(name, tmp_path):
    page = page_of(WITHOUT_CLASSES[name])
    script = tmp_path / "program.lua"
    script.write_text(START + WITHOUT_CLASSES[name])
    assert not page.problems
    assert verify_script(page, script).lines
    assert "lua_compat.Graph(" in page.code
    assert any(problem.code in ("T7-221", "T7-223") for problem in page.reasons)


def test_helpers_beside_a_graph_without_a_class_have_names_of_their_own(tmp_path):
    source = (
        WITHOUT_CLASSES["a part takes nodes from around it"]
        + """local function lua_text(x) return x * 2 end
local function half(x) if x > 1 then return x / 2 end end
print(half(1), lua_text(4))
"""
    )
    page = page_of(source)
    script = tmp_path / "program.lua"
    script.write_text(START + source)
    assert not page.problems
    assert page.code.count("def lua_text(") == 1
    assert verify_script(page, script).lines == 2
