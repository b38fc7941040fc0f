"""optim in a page: the same losses and weights as in the runtime, over 20 steps."""

from __future__ import annotations

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import verify_script

START = """require 'nn'
require 'optim'
torch.manualSeed(3)
local model = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local criterion = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local w, g = model:getParameters()
local function feval()
   g:zero()
   local loss = criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   return loss, g
end
"""
STEPS = """local state = {%s}
for i = 1, %d do
   local _, fs = optim.%s(feval, w, state)
   print(i, fs[1], w:norm())
end
"""
# (method, settings, what the page has of it)
SETTINGS = [
    ("sgd", "learningRate = 0.1, momentum = 0.9, weightDecay = 0.01", "dampening=0.9"),
    ("sgd", "learningRate = 0.1, momentum = 0.9, dampening = 0, nesterov = true", "nesterov=True)"),
    ("sgd", "learningRate = 0.1, learningRateDecay = 0.1, momentum = 0", "SGD(model.parameters(), lr=0.1)\n"),
    ("adam", "learningRate = 0.1, beta1 = 0.8, learningRateDecay = 0.1", "betas=(0.8, 0.999)"),
    ("adamax", "", "torch.optim.Adamax(model.parameters(), lr=0.002, eps=1e-38)"),
    ("adamax", "learningRate = 0.1, beta1 = 0.8, weightDecay = 0.1", "betas=(0.8, 0.999)"),
    (
        "rmsprop",
        "alpha = 0.9, weightDecay = 0.01",
        "torch.optim.RMSprop(model.parameters(), lr=0.01, alpha=0.9",
    ),
    ("adagrad", "learningRate = 0.1, learningRateDecay = 0.1", "torch.optim.Adagrad("),
    ("adadelta", "", "torch.optim.Adadelta(model.parameters())"),
    ("adadelta", "rho = 0.95, eps = 1e-5, weightDecay = 0.1", "rho=0.95"),
    ("rprop", "", "torch.optim.Rprop(model.parameters(), lr=0.1)"),
    ("rprop", "stepsize = 0.01, etaplus = 1.3, stepsizemax = 0.2", "etas=(0.5, 1.3), step_sizes=(1e-6, 0.2)"),
    (
        "asgd",
        "eta0 = 0.1, lambda = 0.01, alpha = 0.6",
        "torch.optim.ASGD(model.parameters(), lr=0.1, lambd=0.01",
    ),
    ("nag", "learningRate = 0.1, momentum = 0.8, learningRateDecay = 0.1, weightDecay = 0.1", "= NAG("),
    ("lbfgs", "maxIter = 2, learningRate = 0.5, nCorrection = 3, learningRateDecay = 0", "history_size=3"),
    ("lbfgs", "maxIter = 3, nCorrection = 4, lineSearch = optim.lswolfe", "line_search=lua_compat.lswolfe"),
    ("cg", "maxIter = 2, rho = 0.02", "CG(model.parameters(), max_iter=2, rho=0.02)"),
]
# Several evaluations a step, whose directions are made of differences: rounding grows faster.
LOOSE = {"lbfgs": 1e-9, "cg": 1e-9}
COUNT = {"lbfgs": 8, "cg": 5}


def page_of(source: str) -> Native:
    return translate_script((START + source).encode(), "program.lua")


def verified(source: str, tmp_path, largest: float = 1e-12) -> str:
    page = page_of(source)
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    tmp_path.joinpath("program.lua").write_text(START + source)
    comparison = verify_script(page, tmp_path / "program.lua")
    assert comparison.lines
    assert comparison.largest < largest
    return page.code


def in_plain_calls(source: str, tmp_path, code: str = "T7-228") -> None:
    """What has no idiomatic form is done by the library's functions on flat vectors, with the same results."""
    page = page_of(source + "print(w:norm())\n")
    assert [str(problem) for problem in page.problems] == []
    assert code in {problem.code for problem in page.reasons}
    assert page.plain_calls
    tmp_path.joinpath("program.lua").write_text(f"{START}{source}print(w:norm())\n")
    assert verify_script(page, tmp_path / "program.lua").largest < 1e-12


@pytest.mark.parametrize(("method", "settings", "text"), SETTINGS)
def test_a_method(tmp_path, method, settings, text):
    source = STEPS % (settings, COUNT.get(method, 20), method)
    assert text in verified(source, tmp_path, LOOSE.get(method, 1e-12))


CHANGING = """local state = {learningRate = 0.02, maxIter = 2, rho = 0.1, stepsize = 0.01, eta0 = 0.1}
for i = 1, 4 do
   local _, fs = optim.%s(feval, w, state)
   print(i, fs[1], w:norm())
   if i == 2 then
      %s
   end
end
"""


@pytest.mark.parametrize(
    ("method", "setting"),
    [
        *((method, "learningRate = 0.005") for method in "sgd adam adamax rmsprop adagrad nag".split()),
        ("adadelta", "rho = 0.5"),
        ("asgd", "weightDecay = 0.1"),
        ("lbfgs", "maxIter = 4"),
        ("lbfgs", "learningRate = 0.5"),
        ("cg", "maxIter = 4"),
    ],
)
def test_a_setting_that_changes(tmp_path, method, setting):
    """The optimizer is made once, before the loop; what the program sets later holds from then on."""
    source = CHANGING % (method, f"state.{setting}")
    page = page_of(source)
    tmp_path.joinpath("program.lua").write_text(START + source)
    if not page.problems:  # of a setting that PyTorch cannot change later it is said so
        assert verify_script(page, tmp_path / "program.lua").largest < LOOSE.get(method, 1e-12)
    else:
        assert {problem.code for problem in page.problems} == {"T7-228"}


def test_settings_in_the_call_begin_anew(tmp_path):
    source = """for i = 1, 5 do
   local _, fs = optim.adam(feval, w, {learningRate = 0.01 * i})
   print(fs[1])
end
optim.sgd(feval, w)
print(w:norm())
"""
    code = verified(source, tmp_path)
    assert "        fs = Adam(model.parameters(), lr=0.01 * i).step(feval)\n" in code
    assert "    torch.optim.SGD(model.parameters(), lr=0.001).step(feval)\n" in code


def test_a_state_that_is_listed(tmp_path):
    source = """local state = {learningRate = 0.1, learningRateDecay = 0.01, momentum = 0}
for i = 1, 3 do optim.sgd(feval, w, state) end
for k, v in pairs(state) do print(string.format('%20s %f', k, v)) end
"""
    code = verified(source, tmp_path)
    assert '        "momentum": 0,\n        "evalCounter": scheduler.last_epoch,\n    }\n' in code
    assert "    for k, v in sorted(settings.items()):\n" in code


def test_settings_made_at_the_first_step(tmp_path):
    source = """function train()
   for i = 1, 3 do
      state = state or {learningRate = 0.1, momentum = 0.5}
      local _, fs = optim.sgd(feval, w, state)
      print(fs[1])
   end
end
train()
train()
"""
    code = verified(source, tmp_path)
    assert "    optimizer = None\n" in code
    assert "            if optimizer is None:\n                optimizer = torch.optim.SGD(" in code


def test_settings_and_state_apart(tmp_path):
    source = """local kept = {}
for i = 1, 5 do
   local _, fs = optim.adagrad(feval, w, {learningRate = 0.1}, kept)
   print(fs[1])
end
"""
    code = verified(source, tmp_path)
    assert "optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1, eps=1e-10)\n" in code


CHOSEN = """local name = arg[1] or 'sgd'
if name == 'cg' then
   optimState = {maxIter = 2}
   optimMethod = optim.cg
elseif name == 'lbfgs' then
   optimState = {maxIter = 2, lineSearch = optim.lswolfe}
   optimMethod = optim.lbfgs
else
   optimState = {learningRate = 0.1, momentum = 0.9, weightDecay = 0}
   optimMethod = optim.sgd
end
for i = 1, 4 do
   local _, fs = optimMethod(feval, w, optimState)
   print(fs[1])
end
"""


@pytest.mark.parametrize("name", ["sgd", "lbfgs", "cg"])
def test_a_method_chosen_by_an_option(tmp_path, name):
    code = verified(CHOSEN.replace("or 'sgd'", f"or '{name}'"), tmp_path, 1e-9)
    assert "        optimizer = CG(model.parameters(), max_iter=2)\n" in code
    assert (
        "        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, dampening=0.9)\n"
        in code
    )
    assert "fs = optimizer.step(feval)" in code


NAMED = """local cmd = torch.CmdLine()
cmd:option('-method', '%s', 'sgd | adam | rmsprop')
local opt = cmd:parse(arg)
%s
local state = {learningRate = 0.1, weightDecay = 0.01, momentum = 0.9}
for i = 1, 3 do
   local _, fs = %s(feval, w, state)
   print(fs[1])
   state.learningRate = state.learningRate * 0.5
end
"""


@pytest.mark.parametrize(
    ("name", "before", "method"),
    [
        ("sgd", "", "optim[opt.method]"),
        ("adam", "local method = optim[opt.method]", "method"),
        ("rmsprop", "local name = opt.method", "optim[name]"),
    ],
)
def test_a_method_chosen_by_its_name(tmp_path, name, before, method):
    """The optimizer is made once, of those that the option's help names; each takes its own of the settings."""
    code = verified(NAMED % (name, before, method), tmp_path)
    assert '"rmsprop": lambda: torch.optim.RMSprop(model.parameters(), lr=0.1, weight_decay=0.01),' in code
    assert '"adagrad"' not in code
    assert 'raise RuntimeError("program.lua:' in code


@pytest.mark.parametrize(
    "source",
    [
        # settings that are computed, and one that only one of the methods has and that changes
        NAMED.replace("0.01,", "math.sqrt(0.01),"),
        NAMED.replace("learningRate = state.learningRate", "momentum = state.momentum"),
        # another variable of the same name
        (
            NAMED.replace("opt = ", "opt = cmd:parse(arg)\nlocal name = ").replace(
                "name = cmd:parse(arg)", "name = opt.method"
            )
            + "local function other(name) optim[name](feval, w, state) end\nother('rmsprop')\nprint(w:norm())\n"
        ),
        # an option that the program sets later, by its name and by another's
        NAMED + "opt.method = 'adam'\n",
        NAMED + "for k in pairs{method = 1} do opt[k] = 'adam' end\n",
    ],
)
def test_names_of_methods_that_have_no_idiomatic_form(tmp_path, source):
    in_plain_calls(
        source % ("sgd", "", "optim[name]" if "local name" in source else "optim[opt.method]"), tmp_path
    )


def test_all_losses_of_a_step(tmp_path):
    source = """local state = {maxIter = 5, verbose = true}
local _, fs = optim.lbfgs(feval, w, state)
for i = 1, #fs do print(i, fs[i]) end
local _, one = optim.sgd(feval, w, {learningRate = 0.1})
print(#one, one[#one])
"""
    code = verified(source, tmp_path)
    assert "    optimizer.step(feval)\n    fs = optimizer.losses\n" in code


@pytest.mark.parametrize(
    "way",
    [
        "g:div(2) return loss, g",
        "g = g:div(2) return loss, g",
        "return loss, g:div(2)",
        "g:fill(1) return loss, g",
    ],
)
def test_gradients_changed_on_their_way_to_optim(tmp_path, way):
    source = f"""local function halved()
   g:zero()
   local loss = criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   {way}
end
for i = 1, 3 do
   optim.sgd(halved, w, {{learningRate = 0.1}})
   print(w:norm())
end
"""
    code = verified(source, tmp_path)
    assert ("flatten_parameters" in code) is not ("            p.grad.div_(2)\n" in code)


def test_gradients_that_are_not_the_parameters_own(tmp_path):
    source = """local function other()
   g:zero()
   local loss = criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   %s
end
optim.sgd(other, w, {learningRate = 0.1})
"""
    for way in ("return loss, torch.ones(26)", "local h = g:div(2) return loss, h"):
        in_plain_calls(source % way, tmp_path, "T7-227")


@pytest.mark.parametrize(
    "source",
    [
        "local state = {learningRate = 0.1}\noptim.sgd(feval, w, state)\nfor k, v in pairs(state) do print(k) end\n",
        STEPS % ("learningRates = torch.ones(26)", 2, "nag"),
        STEPS % ("niter = 2", 2, "rprop"),
        # one state for two methods, of which the page cannot tell which is meant
        "local state = {}\noptim.sgd(feval, w, state)\noptim.adagrad(feval, w, state)\n",
        # a setting that is an optimizer's argument together with another one
        "local state = {}\noptim.adam(feval, w, state)\nstate.beta1 = 0.5\n",
        # a rate that is for the next step, where a class of PyTorch's own would take it for this one
        (
            "local state = {}\nlocal function f() state.learningRate = 0.1 return feval() end\n"
            "optim.adam(f, w, state)\noptim.adam(f, w, state)\n"
        ),
    ],
)
def test_settings_that_have_no_idiomatic_form(source, tmp_path):
    in_plain_calls(source, tmp_path)


def test_a_line_search_of_the_programs_own(tmp_path):
    search = """local function half(f, x, t, d)
   x:add(t / 2, d)
   local value, gradient = f(x)
   return value, gradient, x, t / 2, 1
end
"""
    in_plain_calls(search + STEPS % ("lineSearch = half, maxIter = 4", 2, "lbfgs"), tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        "local o = {m = 'adam'}\nlocal state = {}\noptim[o.m](feval, w, state)\n",
        # the name may be another one when the method is called
        "local name = 'adam'\nlocal state = {}\nfor i = 1, 2 do optim[name](feval, w, state) name = 'sgd' end\n",
        "local state = {}\nfor _, name in ipairs{'adam', 'sgd'} do optim[name](feval, w, state) end\n",
        "local o = {m = 'adam'}\nlocal state = {}\noptim[o.m](feval, w, state)\no.m = 'sgd'\n",
        # no name that the page could know
        "local state = {}\nlocal name = arg[1] or 'adam'\noptim[name](feval, w, state)\n",
        "local state = {}\nlocal name = arg[1] or 'adam'\nlocal _, f = optim[name](feval, w, state)\nprint(f[1])\n",
    ],
)
def test_choices_that_the_page_makes_when_it_runs(source, tmp_path):
    in_plain_calls(source, tmp_path)


def test_gradients_of_another_module(tmp_path):
    source = """local other = nn.Linear(2, 2)
local w2, g2 = other:getParameters()
feval()
optim.sgd(function() return 0, g:narrow(1, 3, 6) end, w2, {learningRate = 0.1})
print(w2:norm())
"""
    in_plain_calls(source, tmp_path, "T7-227")


def test_a_result_that_is_something_else_as_well(tmp_path):
    source = "local new = w:clone()\nnew = optim.sgd(feval, w, {learningRate = 0.1})\nprint(new:norm())\n"
    in_plain_calls(source, tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        # a field that is read as a table
        "local o = {}\no.s = {}\noptim.sgd(feval, w, o.s)\nprint(o.s)\n",
        # weights and states of two objects
        (
            "local a, b = {net = nn.Linear(2, 2)}, {net = nn.Linear(2, 2)}\na.w, a.g = a.net:getParameters()\n"
            "b.s = {}\noptim.sgd(function() return 0, a.g end, a.w, b.s)\n"
        ),
    ],
)
def test_states_in_fields(source, tmp_path):
    in_plain_calls(source, tmp_path)


KEPT = """for i = 1, 3 do
   local out = model:forward(x)
   local loss = criterion:forward(out, y)
   model:backward(x, criterion:backward(out, y))
   optim.sgd(function() return loss, g end, w, state)
   g:mul(0.5)
end
"""


@pytest.mark.parametrize(
    "source",
    [
        # optim adds the decay to the gradients themselves: read after the step, by the weights, or kept for the next
        "local state = {weightDecay = 0.1}\noptim.sgd(feval, w, state)\nprint(g:norm())\n",
        "optim.adam(feval, w, {weightDecay = 0.1})\nprint(model:get(1).gradWeight:norm())\n",
        "local state = {weightDecay = 0.1}\n" + KEPT,
        "local state = {nesterov = true, momentum = 0.9, dampening = 0}\n" + KEPT,
        # in the next turn, in a function that is called, or where the function with the step returns to
        "for i = 1, 3 do\n   print(g:norm())\n   optim.sgd(feval, w, {weightDecay = 0.1})\nend\n",
        "local function show() print(g:norm()) end\noptim.sgd(feval, w, {weightDecay = 0.1})\nshow()\n",
        "local function go() optim.sgd(feval, w, {weightDecay = 0.1}) end\ngo()\nprint(g:norm())\n",
        # cleared only sometimes
        "optim.sgd(feval, w, {weightDecay = 0.1})\nif x[1][1] > 9 then g:zero() end\nprint(g:norm())\n",
    ],
)
def test_gradients_with_the_decay_in_them(source, tmp_path):
    in_plain_calls(source, tmp_path)


POINT = """local v = torch.ones(3)
local kept
local function gradient(v)
   %s
end
local state = {learningRate = 0.1, weightDecay = 0.5}
for i = 1, 3 do
   optim.sgd(gradient, v, state)
end
print(v)
"""


@pytest.mark.parametrize(
    "body", ["return v:dot(v), v * 2", "local d = torch.zeros(3)\nd:add(v):mul(2)\nreturn v:dot(v), d"]
)
def test_gradients_made_anew_have_the_decay_to_themselves(body):
    assert not page_of(POINT % body).problems


@pytest.mark.parametrize(
    "body",
    [
        "local d = v * 2\nkept = d\nreturn v:dot(v), d",
        "local d = v * 2\nkept = d:narrow(1, 1, 2)\nreturn v:dot(v), d",
        "kept = v * 2\nreturn v:dot(v), kept",
    ],
)
def test_gradients_that_are_kept_have_the_decay_in_them(body, tmp_path):
    in_plain_calls(POINT % body + "print(kept)\n", tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        "local state = {}\n" + KEPT,
        "optim.sgd(feval, w, {weightDecay = 0.1})\ng:zero()\nprint(g:norm())\n",
        "optim.sgd(feval, w, {weightDecay = 0.1})\nmodel:zeroGradParameters()\nprint(g:norm())\n",
        "for i = 1, 2 do\n   feval(w)\n   print(g:norm())\n   optim.sgd(feval, w, {weightDecay = 0.1})\nend\n",
        # behind the step a function that calls itself
        (
            "local function twice(n) if n > 9 then return n end return twice(2 * n) end\n"
            "optim.sgd(feval, w, {weightDecay = 0.1})\nprint(twice(1))\n"
        ),
    ],
)
def test_gradients_that_are_cleared_or_as_they_were(tmp_path, source):
    verified(source + "print(w:norm())\n", tmp_path)


def test_all_values_of_a_function_for_optim(tmp_path):
    in_plain_calls(
        "optim.sgd(feval, w, {})\nlocal values = {feval(w)}\nprint(values[1], #values)\n", tmp_path, "T7-218"
    )


def test_a_function_for_optim_that_is_called_with_another_vector(tmp_path):
    source = """local function f(p) if p ~= w then w:copy(p) end return feval() end
optim.sgd(f, w, {})
local far = w:clone():mul(2)
print((f(far)))
"""
    in_plain_calls(source, tmp_path)


def test_a_gradient_that_becomes_something_else(tmp_path):
    source = (
        "optim.sgd(feval, w, {})\nlocal loss, gradient = feval(w)\ngradient = x\nprint(gradient:norm())\n"
    )
    verified(source, tmp_path)


def test_gradients_that_another_function_gives(tmp_path):
    source = """local function handed(p) return feval() end
for i = 1, 3 do
   local _, fs = optim.sgd(handed, w, {learningRate = 0.1})
   print(fs[1])
end
"""
    verified(source, tmp_path)
    changed = "local function other() local loss = feval() return loss, g:clone():mul(2) end\n"
    in_plain_calls(changed + source.replace("return feval()", "return other()"), tmp_path, "T7-227")


ANEW = """   local function f()
      g:zero()
      local loss = criterion:forward(net:forward(x), y)
      net:backward(x, criterion:backward(net.output, y))
      return loss, g
   end
   optim.sgd(f, w, state)
"""


@pytest.mark.parametrize(
    "source",
    [
        # the state goes on while the weights are others
        "local net = nn.Linear(3, 2)\nlocal w, g = net:getParameters()\nlocal state = {momentum = 0.9}\n" + ANEW
        + "net = nn.Linear(3, 2)\nw, g = net:getParameters()\n" + ANEW,
        "local state = {momentum = 0.9}\nfor i = 1, 2 do\n   local net = nn.Linear(3, 2)\n"
        "   local w, g = net:getParameters()\n" + ANEW + "end\n",
        "local state = {momentum = 0.9}\nlocal function train(net)\n   local w, g = net:getParameters()\n" + ANEW
        + "end\nlocal net = nn.Linear(3, 2)\ntrain(net)\ntrain(net)\n",
    ],
)  # fmt: skip
def test_states_that_outlive_their_weights(source, tmp_path):
    in_plain_calls(source, tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        # the branch may be another one when the method is called
        (
            "local n = 1\nlocal state\nif n == 1 then state = {} else state = {} end\nn = 2\n"
            "if n == 1 then optim.sgd(feval, w, state) else optim.adam(feval, w, state) end\n"
        ),
        # two branches that may both be taken
        (
            "local n = 1\nlocal state = nil\nif n > 0 then state = {learningRate = 0.1} end\n"
            "if n > 0 then optim.sgd(feval, w, state) end\nif n < 2 then optim.adam(feval, w, state) end\n"
        ),
        # a network of another size
        (
            "local state = {}\noptim.sgd(feval, w, state)\nmodel:add(nn.Linear(2, 2))\n"
            "w, g = model:getParameters()\noptim.sgd(feval, w, state)\n"
        ),
    ],
)
def test_states_of_which_is_not_known_what_they_are_for(source, tmp_path):
    in_plain_calls(source, tmp_path)


def test_settings_right_behind_an_empty_state_are_its_own():
    late = "local net = nn.Linear(3, 2)\nlocal w, g = net:getParameters()\n" + ANEW
    page = page_of("local state = {}\nstate.momentum = 0.9 -- heavy\nstate.learningRate = 0.2\n" + late)
    made = "torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9, dampening=0.9)"
    assert f"# heavy\n    optimizer = {made}" in page.code


def test_settings_before_there_are_weights(tmp_path):
    late = "local net = nn.Linear(3, 2)\nlocal w, g = net:getParameters()\n" + ANEW
    in_plain_calls("local state = {}\nprint('so far')\nstate.momentum = 0.9\n" + late, tmp_path)


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    "reads", ["print(#w)", "print(w[1]:sum())", "for i, p in ipairs(w) do print(i, p:sum()) end"]
)
def test_numbers_of_parameters_that_pytorch_has_otherwise_are_refused(reads):
    source = f"require 'rnn'\nlocal w = nn.Sequential():add(nn.%s):parameters()\n{reads}\n"
    assert not page_of(source % "Linear(2, 3)").problems
    assert {problem.code for problem in page_of(source % "SeqLSTM(2, 3)").problems} == {"T7-227"}
