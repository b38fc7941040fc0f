"""What the golden steps do not say of optim: the other optimizers, tables, errors, both languages."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import torch7py
from tests.packages.optim.rosenbrock import LUA, rosenbrock
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.packages.optim import cg, checkgrad, evolution, fista, lbfgs, line_search

DOUBLE = torch.float64


def ones(n: int) -> torch.Tensor:
    return torch.ones(n, dtype=DOUBLE)


SQUARE = "function square(x) return x:dot(x) / 2, x:clone() end"


def square(x: torch.Tensor) -> tuple[float, torch.Tensor]:
    """|x|^2 / 2, whose gradient is x."""
    return (x.dot(x) / 2).item(), x.clone()


class TestKnownAnswers:
    # What programs of the original printed for the Rosenbrock function of two variables, from (0, 0).
    @pytest.mark.parametrize(
        ("optimizer", "config", "expected"),
        [
            ("adamax", "{}", 0.0029586880920205),
            ("adagrad", "{learningRate=1e-1}", 0.0096629336429242),
            ("rmsprop", "{learningRate=5e-4}", 0.22250273093778),
        ],
    )
    def test_value_of_call_1001(self, runtime, optimizer, config, expected):
        value = runtime.execute(
            f"""require 'optim' {LUA}
            local x, config, f = torch.zeros(2), {config}
            for i = 1, 1001 do _, f = optim.{optimizer}(rosenbrock, x, config) end
            return f[1]"""
        )
        assert math.isclose(value, expected, rel_tol=1e-11)

    def test_differential_evolution(self):
        config = {"popsize": 50, "scaleFactor": 0.5, "crossoverRate": 0.9, "maxFEs": 3000}
        best, values = evolution.de(rosenbrock, torch.zeros(2, dtype=DOUBLE), config)
        assert torch.allclose(best, ones(2), rtol=0, atol=1e-6)
        assert len(values) == 3000
        for number, expected in ((1, 2579.7697608181), (2, 2214320.9451804), (51, 106789.21506098)):
            assert math.isclose(values[number - 1].item(), expected, rel_tol=1e-11)

    @pytest.mark.one_lua
    def test_cmaes(self, runtime):
        # The second generation's covariance has five equal eigenvalues, whose eigenvectors are a matter of LAPACK's
        # rounding, so that only the first generation repeats the original's.
        best, values, evaluations = runtime.execute(
            f"""require 'optim' {LUA} torch.manualSeed(1)
            return optim.cmaes(rosenbrock, torch.zeros(10), {{maxEval=10000, sigma=0.5, verb_disp=0}})"""
        )
        assert values[0] == 9
        assert math.isclose(values[1], 113.92281243036, rel_tol=1e-10)
        assert torch.allclose(best, ones(10), rtol=0, atol=1e-4)
        assert evaluations <= 10000

    @pytest.mark.parametrize("momentum", [False, True])
    def test_fista_shrinks_softly(self, momentum):
        # 1/2 |x - b|^2 + lambda |x|_1 is least where b is moved towards 0 by lambda.
        b = torch.tensor([3.0, -0.2, 0.5, -2.0], dtype=DOUBLE)

        def smooth(x: torch.Tensor, wanted: str | None = None) -> Any:
            value = ((x - b) ** 2).sum().item() / 2
            return (value, x - b) if wanted else value

        def shrink(x: torch.Tensor, curvature: float) -> None:
            x.copy_(torch.nn.functional.softshrink(x, 0.4 / curvature))

        x = torch.empty_like(b)
        params: dict[str, Any] = {"doFistaUpdate": momentum, "errthres": 1e-14, "maxiter": 500}
        found, history = fista.FistaLS(smooth, lambda x: 0.4 * x.abs().sum().item(), shrink, x, params)
        assert torch.allclose(found, torch.tensor([2.6, 0.0, 0.1, -1.6], dtype=DOUBLE), atol=1e-6)
        assert torch.equal(found, x)
        assert params["L"] == history[-1]["L"]

    def test_checkgrad(self):
        x = torch.tensor([-1.2, 1.0, 0.5], dtype=DOUBLE)
        before = x.clone()
        error, gradient, estimate = checkgrad.checkgrad(rosenbrock, x)
        assert error < 1e-7
        assert torch.allclose(gradient, estimate, rtol=1e-5)
        assert torch.equal(x, before)

    @given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(-2, 2), st.floats(0.1, 3))
    def test_polyinterp_of_a_cubic(self, coefficients, start, length):
        # The cubic through two points with its own slopes is itself: its minimum between them, if it has one.
        a, b, c, d = coefficients
        ends = [start, start + length]
        points = torch.tensor(
            [[t, a * t**3 + b * t**2 + c * t + d, 3 * a * t**2 + 2 * b * t + c] for t in ends],
            dtype=DOUBLE,
        )
        found: Any = line_search.polyinterp(points, ends[0], ends[1])
        at, value = found
        grid = torch.linspace(ends[0], ends[1], 2001, dtype=DOUBLE)
        least = (a * grid**3 + b * grid**2 + c * grid + d).min().item()
        assert ends[0] <= at <= ends[1]
        assert value <= least + 1e-6 * max(1.0, points.abs().max().item())


class TestTables:
    def test_fields_have_the_original_names(self, runtime):
        runtime.execute(
            f"""require 'optim' {LUA}
            sgd, adam, other = {{learningRate=1e-3, momentum=0.5}}, {{}}, {{}}
            x = torch.Tensor{{0, 0}}
            optim.sgd(rosenbrock, x, sgd)
            optim.adam(rosenbrock, x, adam, other)"""
        )
        assert set(runtime.globals["sgd"]) == {"learningRate", "momentum", "evalCounter", "dfdx"}
        assert runtime.globals["adam"] == []
        assert set(runtime.globals["other"]) == {"t", "m", "v", "denom"}
        assert runtime.execute("return sgd.evalCounter, other.t, torch.type(other.m)") == (
            1,
            1,
            "torch.DoubleTensor",
        )

    def test_the_buffers_stay_the_same_tensors(self, runtime):
        runtime.execute(
            f"""require 'optim' {LUA} s, x = {{momentum=0.9}}, torch.Tensor{{0, 0}}
            optim.sgd(rosenbrock, x, s) v = s.dfdx"""
        )
        assert runtime.execute("optim.sgd(rosenbrock, x, s) return rawequal(s.dfdx, v), v[1] ~= 0") == (
            True,
            True,
        )

    def test_a_table_may_hold_anything_else(self, runtime):
        assert runtime.execute(
            f"""require 'optim' {LUA}
            local opt = {{learningRate=1e-3, log=io.stdout, f=print, co=coroutine.create(print), data={{big={{}}}}}}
            opt.data.self = opt
            local data, x = opt.data, torch.Tensor{{0, 0}}
            optim.sgd(rosenbrock, x, opt)
            return opt.log == io.stdout, opt.f == print, rawequal(opt.data, data), opt.evalCounter"""
        ) == (True, True, True, 1)

    def test_settings_from_a_metatable(self, runtime):
        runtime.execute(
            f"""require 'optim' {LUA} x, y = torch.Tensor{{0, 0}}, torch.Tensor{{0, 0}}
            optim.sgd(rosenbrock, x, setmetatable({{}}, {{__index = {{learningRate=0.25}}}}))
            optim.sgd(rosenbrock, y, {{learningRate=0.25}})"""
        )
        assert torch.equal(runtime.globals["x"], runtime.globals["y"])

    def test_the_function_may_change_the_settings(self, runtime):
        assert runtime.execute(
            f"""require 'optim' {LUA} local s, x = {{learningRate=1e-3}}, torch.Tensor{{0, 0}}
            local function feval(x) s.learningRate = 5 s.note = 'x' return rosenbrock(x) end
            optim.sgd(feval, x, s)
            return s.learningRate, s.note, x[1]"""
        ) == (5, "x", 0.002)

    def test_a_rate_of_zero_counts(self, runtime):
        x = runtime.execute(
            f"""require 'optim' {SQUARE} local x = torch.ones(2)
            optim.sgd(square, x, {{learningRate=0}})
            return x"""
        )
        assert torch.equal(x, ones(2))

    def test_without_tables(self, runtime):
        assert runtime.execute(
            "require 'optim' local x = torch.Tensor{1} optim.sgd(function(x) return 0, x:clone() end, x) return x[1]"
        ) == pytest.approx(0.999, rel=1e-15)

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ("3, 2", [1.01502279636, 0.0355604749753, 4.22660233956e-05, 0.226131554751]),
            ("6", [1.01502279636, 0.0362146563243, 4.31747196574e-05, 0.229219183283]),
        ],
    )
    def test_lbfgs_of_a_matrix(self, runtime, shape, expected):
        """Where the gradient is one too, its buffers reach into each other, as in optim, whose numbers these are."""
        found = runtime.execute(
            f"""require 'optim'
            local x = torch.range(1, 6):div(4):resize(3, 2)
            local function f(x) return torch.pow(x, 4):sum(), torch.pow(x, 3):mul(4):view({shape}) end
            local s = {{maxIter = 6, nCorrection = 3}}
            local _, first = optim.lbfgs(f, x, s)
            local _, second = optim.lbfgs(f, x, s)
            return {{first[3], first[6], second[#second], x:sum()}}"""
        )
        assert found == pytest.approx(expected, rel=1e-9)

    def test_digits_of_the_default_type(self, runtime):
        """Factors of lbfgs lie in vectors of that type, and polyinterp takes its root."""
        found = runtime.execute(
            """require 'optim'
            torch.setdefaulttensortype('torch.FloatTensor')
            local function f(x) return torch.pow(x, 4):sum(), torch.pow(x, 3):mul(4) end
            local s, x = {maxIter = 5, nCorrection = 2}, torch.DoubleTensor{0.3, -1.7, 2.2}
            optim.lbfgs(f, x, s)
            local points = torch.DoubleTensor{{0, 24.2, -54239.36}, {0.01, 10.3, -4.5}}
            local kinds = torch.type(s.al) .. s.al:size(1) .. torch.type(s.ro) .. s.ro:size(1)
            return kinds, {x[1], x[2], x[3], s.al[1], s.al[2], s.ro[1], s.ro[2], optim.polyinterp(points)}"""
        )
        x = [0.25226971102433776, -0.45357727911780804, 0.49970011969098449]
        al, ro = [-0.00041006365790963173, 0.76692825555801392], [0.55023765563964844, 1.8341779708862305]
        assert found[0] == "torch.FloatTensor2torch.FloatTensor2"
        assert found[1] == pytest.approx([*x, *al, *ro, 0.0035132613426373752], rel=1e-14)

    def test_lbfgs_lists_are_tables_of_tensors(self, runtime):
        assert runtime.execute(
            f"""require 'optim' {LUA} local s, x = {{maxIter=3, learningRate=0.1}}, torch.Tensor{{0, 0}}
            optim.lbfgs(rosenbrock, x, s)
            return #s.old_dirs, #s.dir_bufs + #s.old_dirs, torch.type(s.old_dirs[1]), s.nIter, s.funcEval"""
        ) == (2, 101, "torch.DoubleTensor", 3, 3)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("sgd", "dfdx 2"),
        ("nag", "dfdx 2"),
        ("asgd", "ax 2, tmp 2"),
        ("adam", "denom 2, m 2, v 2"),
        ("adamax", "m 2, max 2x2, u 1x2"),
        ("adagrad", "paramStd 2, paramVariance 2"),
        ("adadelta", "accDelta 2, delta 2, paramStd 2, paramVariance 2"),
        ("rmsprop", "m 2, tmp 2"),
        ("rprop", "delta 2, dminmax 2, nsign 2, psign 2, sign 2, stepsize 2, zsign 2"),
    ],
)
def test_tensors_of_a_state(runtime, name: str, state: str) -> None:
    """Their names and sizes are the original's, which lie in checkpoints."""
    found = runtime.execute(f"""
        require 'optim'
        local x, s, parts = torch.Tensor{{1, 2}}, {{}}, {{}}
        local function f(x) return x:sum(), torch.Tensor{{1, -2}} end
        for i = 1, 2 do optim.{name}(f, x, {{learningRate = 0.1, momentum = 0.9}}, s) end
        for k, v in pairs(s) do
           if torch.isTensor(v) then parts[#parts + 1] = k .. ' ' .. table.concat(v:size():totable(), 'x') end
        end
        table.sort(parts)
        return table.concat(parts, ', ')
    """)
    assert found == state


class TestTypes:
    @pytest.mark.parametrize("name", "sgd nag asgd adam adamax adagrad adadelta rmsprop rprop".split())
    def test_float(self, runtime, name):
        assert runtime.execute(
            f"""require 'optim' {SQUARE}
            local x = torch.FloatTensor(3):fill(1)
            optim.{name}(square, x, {{}})
            return torch.type(x), x:max() < 1"""
        ) == ("torch.FloatTensor", True)

    def test_asgd_goes_on_in_another_type(self, runtime):
        """The average keeps its type. The numbers are what optim gave."""
        found = runtime.execute(
            """require 'optim'
            torch.manualSeed(1)
            local x, s, average = torch.randn(4), {eta0 = 0.1, t0 = 2}
            local function f(x) return x:norm(), x * 2 end
            for i = 1, 3 do optim.asgd(f, x, s) end
            x = x:float()
            for i = 1, 3 do average = select(3, optim.asgd(f, x, s)) end
            return torch.type(average), x:sum(), average:sum()"""
        )
        assert found[0] == "torch.DoubleTensor"
        assert found[1:] == pytest.approx((-1.0426024347544, -1.324979737401), rel=1e-7)

    def test_a_gradient_of_another_shape_with_as_many_elements(self, runtime):
        x = runtime.execute(
            """require 'optim' local x = torch.ones(4)
            optim.sgd(function() return 0, torch.ones(2, 2) end, x, {learningRate=0.5})
            return x"""
        )
        assert torch.equal(x, ones(4) / 2)

    def test_an_objective_in_python(self):
        """A function of Python may take the gradient by autograd."""

        def objective(x: torch.Tensor) -> tuple[float, torch.Tensor]:
            x = x.clone().requires_grad_(True)
            value = (x**2).sum()
            (gradient,) = torch.autograd.grad(value, x)
            return value.item(), gradient

        x = ones(2)
        with torch7py.Runtime() as runtime:
            optim = runtime.require("optim")
            _, values = optim["sgd"](objective, x, {"learningRate": 0.25})
            assert values.plain() == [2.0]
        assert torch.equal(x, ones(2) / 2)


class TestBadInput:
    @pytest.mark.parametrize(
        ("results", "message"),
        [
            ("3", "must return f"),
            ("3, 4", "must return f"),
            ("3, torch.ones(5)", "5 elements, x has 4"),
            ("3, torch.ones(4):float()", "FloatTensor, x a torch.DoubleTensor"),
        ],
    )
    @pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
    def test_what_the_function_returns(self, runtime, name, results, message):
        with pytest.raises(LuaError, match=message):
            runtime.execute(
                f"require 'optim' optim.{name}(function() return {results} end, torch.ones(4), {{}})"
            )

    @pytest.mark.parametrize("optimizer", [lbfgs.lbfgs, cg.cg])
    def test_steps_are_chosen_by_numbers(self, optimizer):
        with pytest.raises(TorchError, match="must be a number"):
            optimizer(lambda x: ("3", ones(4)), ones(4), {})

    def test_a_state_of_other_parameters(self, runtime):
        runtime.execute(f"require 'optim' {SQUARE} s = {{momentum=0.9}} optim.sgd(square, torch.ones(4), s)")
        with pytest.raises(LuaError, match=r"dfdx is not a torch\.DoubleTensor of 3 elements"):
            runtime.execute("optim.sgd(square, torch.ones(3), s)")

    def test_nesterov_needs_momentum_alone(self, runtime):
        runtime.execute(f"require 'optim' {SQUARE}")
        with pytest.raises(LuaError, match="nesterov"):
            runtime.execute("optim.sgd(square, torch.ones(2), {nesterov=true, momentum=0.9})")
        with pytest.raises(LuaError, match="momentum"):
            runtime.execute("optim.nag(square, torch.ones(2), {momentum=0})")

    def test_what_is_missing(self):
        with pytest.raises(ArgumentError, match="maxFEs is missing"):
            evolution.de(square, ones(2), {"scaleFactor": 0.5, "crossoverRate": 0.9})
        with pytest.raises(ArgumentError, match="multiple"):
            evolution.de(square, ones(2), {"scaleFactor": 0.5, "crossoverRate": 0.9, "maxFEs": 30})
        with pytest.raises(ArgumentError, match="sigma"):
            evolution.cmaes(square, ones(2), {})

    def test_errors_name_the_line(self, runtime):
        with pytest.raises(LuaError, match=r"^python:2: optim: df/dx has 3 elements, x has 2$"):
            runtime.execute(
                "require 'optim'\noptim.sgd(function() return 0, torch.zeros(3) end, torch.zeros(2), {})"
            )
        with pytest.raises(LuaError, match=r"^python:2: optim.sgd: argument #2 \('x'\) is missing$"):
            runtime.execute("require 'optim'\noptim.sgd(print)")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ("rosenbrock, torch.zeros(2), 3", "settings and state are tables, not a number"),
            ("rosenbrock, torch.zeros(2), {}, 'x'", "settings and state are tables, not a string"),
            ("rosenbrock, {1, 2}", "x must be a tensor, not a table"),
        ],
    )
    def test_other_things_than_tables_and_tensors(self, runtime, arguments, message):
        with pytest.raises(LuaError, match=message):
            runtime.execute(f"require 'optim' {LUA} optim.sgd({arguments})")

    def test_an_error_in_the_function_is_the_one_that_is_raised(self, runtime):
        assert runtime.execute(
            """require 'optim' local oops = {}
            local ok, err = pcall(optim.sgd, function() error(oops) end, torch.zeros(2), {})
            return ok, rawequal(err, oops)"""
        ) == (False, True)


class TestConfusionMatrix:
    NAMED = """ConfusionMatrix:
[[       1       1       0]   50.000% \t[class: cat]
 [       0       2       0]   100.000% \t[class: dog]
 [       1       0       1]]  50.000% \t[class: bird]
 + average row correct: 66.666666666667% 
 + average rowUcol correct (VOC measure): 50.000000993411% 
 + global correct: 66.666666666667%"""  # noqa: W291

    PLAIN = """ConfusionMatrix:
[[       1       0       1]   50.000% 
 [       0       1       0]   100.000% 
 [       0       0       0]]  nan% 
 + average row correct: 75% 
 + average rowUcol correct (VOC measure): 75% 
 + global correct: 66.666666666667%"""  # noqa: W291

    def test_text_of_named_classes(self, runtime):
        # tests/golden/print.txt.gz, "optim.ConfusionMatrix"
        assert (
            runtime.execute(
                """require 'optim'
                c = optim.ConfusionMatrix{'cat', 'dog', 'bird'}
                c:add(1, 1) c:add(torch.Tensor{.1, .9, .2}, 1) c:add(2, 2)
                c:add(torch.FloatTensor{.1, .9, .2}, torch.Tensor{0, 1, 0}) c:add(1, 3) c:add(3, 3)
                return tostring(c)"""
            )
            == self.NAMED
        )
        assert runtime.execute("c:updateValids() return c.totalValid, c.averageValid") == (2 / 3, 2 / 3)

    def test_text_of_a_batch(self, runtime):
        # tests/golden/print.txt.gz, "optim.ConfusionMatrix(3) batchAdd"
        assert (
            runtime.execute(
                """require 'optim'
                c = optim.ConfusionMatrix(3)
                c:batchAdd(torch.Tensor{{.1, .2, .3}, {.9, .1, .1}, {.1, .9, .1}}, torch.Tensor{1, 1, 2})
                c:batchAdd(torch.Tensor{1, 2}, torch.LongTensor{0, -1})
                return tostring(c)"""
            )
            == self.PLAIN
        )

    @given(st.lists(st.tuples(st.integers(1, 4), st.integers(-1, 4)), min_size=1, max_size=30), st.booleans())
    def test_a_batch_counts_like_its_samples(self, samples, as_scores):
        from torch7py.packages.optim.confusion_matrix import ConfusionMatrix

        one, many = ConfusionMatrix(4), ConfusionMatrix(4)
        predictions, targets = map(torch.tensor, zip(*samples, strict=True))
        for prediction, target in samples:
            one.add(prediction, target)
        many.batch_add(torch.nn.functional.one_hot(predictions - 1, 4) if as_scores else predictions, targets)
        assert torch.equal(one.mat, many.mat)
        assert one.mat.sum().item() == sum(target > 0 for _, target in samples)

    def test_another_matrix_may_be_set(self, runtime):
        assert runtime.execute(
            """require 'optim' local c = optim.ConfusionMatrix(3)
            c.mat = torch.eye(3)
            local frrs, fars = c:farFrr()
            c:updateValids()
            return frrs:sum() + fars:sum(), c.totalValid, c.averageUnionValid"""
        ) == (0, 1, 1)

    def test_zero(self, runtime):
        assert runtime.execute(
            """require 'optim' local c = optim.ConfusionMatrix(2) c:add(1, 1) c:updateValids() c:zero()
            return c.mat:sum(), c.totalValid, c.averageValid, c.valids:sum()"""
        ) == (0, 0, 0, 0)

    def test_a_lua_class_may_derive_from_it(self, runtime):
        assert runtime.execute(
            """require 'optim'
            local class, parent = torch.class('Counted', 'optim.ConfusionMatrix')
            function class:__init(n) parent.__init(self, n) self.calls = 0 end
            function class:add(...) self.calls = self.calls + 1 parent.add(self, ...) end
            local c = Counted(2) c:add(1, 2)
            return c.calls, c.mat[2][1], torch.isTypeOf(c, 'optim.ConfusionMatrix'), torch.type(c)"""
        ) == (1, 1, True, "Counted")

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("c:add(4, 1)", "the prediction 4 is not one of 3 classes"),
            ("c:add(1, 4)", "the target 4 is not one of 3 classes"),
            ("c:add(0, 1)", "the prediction 0 is not one of 3 classes"),
            ("c:add(torch.zeros(2, 2), 1)", "the prediction must be a number or a vector"),
            ("c:add('1', 1)", "the prediction must be a number or a vector"),
            ("c:add(1)", "argument #2 .'target'. is missing"),
            ("c:batchAdd(torch.Tensor{4}, torch.Tensor{1})", "the prediction 4 is not one of 3 classes"),
            ("c:batchAdd(torch.Tensor{1, 2}, torch.Tensor{1})", "2 predictions for 1 targets"),
            ("c:batchAdd(torch.zeros(2, 3, 4), torch.Tensor{1})", "must be a vector or a matrix"),
            ("c.add(1, 1)", "called without an object"),
            ("c:render()", "render needs qtwidget"),
            ("optim.ConfusionMatrix(0)", "at least one class"),
        ],
    )
    def test_bad_input(self, runtime: Runtime, call, message):
        with pytest.raises(LuaError, match=message) as raised:
            runtime.execute(f"require 'optim' c = optim.ConfusionMatrix(3)\n{call}")
        assert raised.value.message.startswith("python:2: ")
