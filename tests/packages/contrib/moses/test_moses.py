"""moses, beside the answers that its documentation gives."""

from __future__ import annotations

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

CASES = {
    "join(_.map({1, 2, 3}, function(k, v) return k + v * 10 end))": "11 22 33",
    "join(_.select({1, 2, 3, 4}, function(k, v) return v % 2 == 0 end))": "2 4",
    "join(_.reject({1, 2, 3, 4}, function(k, v) return v % 2 == 0 end))": "1 3",
    "_.reduce({1, 2, 3, 4}, function(state, v) return state + v end)": 10,
    "_.reduce({'a', 'b'}, function(state, v) return state .. v end, '>')": ">ab",
    "_.all({2, 4}, function(k, v) return v % 2 == 0 end)": True,
    "_.any({1, 2, 3}, function(v) return v > 2 end)": True,
    "_.contains({1, 2, 3}, 4)": False,
    "_.contains({{1, 2}}, {1, 2})": True,
    "_.detect({6, 8, 10}, 8)": 2,
    "_.max({1, 3, 2})": 3,
    "_.min({{n = 4}, {n = 2}}, function(v) return v.n end)": 2,
    "_.size({1, 2, a = 3})": 3,
    "_.size(1, 2)": 2,
    "join(_.slice({1, 2, 3, 4, 5}, 2, 4))": "2 3 4",
    "join(_.slice({1, 2, 3, 4, 5}, 4))": "4 5",
    "join(_.first({1, 2, 3}, 2))": "1 2",
    "join(_.first({1, 2, 3}))": "1",
    "join(_.last({1, 2, 3}, 2))": "2 3",
    "join(_.last({1, 2, 3}))": "2 3",
    "join(_.initial({1, 2, 3}))": "1 2",
    "join(_.rest({1, 2, 3}, 2))": "2 3",
    "join(_.reverse({1, 2, 3}))": "3 2 1",
    "join(_.compact({1, false, 3}))": "1 3",
    "join(_.append({1, 2}, {3}))": "1 2 3",
    "join(_.flatten({1, {2, {3}}}))": "1 2 3",
    "join(_.uniq({1, 2, 1, 3, 2}))": "1 2 3",
    "join(_.difference({1, 2, 3}, {2}))": "1 3",
    "join(_.range(4))": "0 1 2 3 4",
    "join(_.range(2, 8, 3))": "2 5 8",
    "join(_.range(1, -1))": "",
    "join(_.rep(7, 3))": "7 7 7",
    "join({_.pop({4, 5, 6}, 2)})": "4 5",
    "join({_.unshift({4, 5, 6}, 2)})": "6 5",
    "join(_.push({1}, 2, 3))": "1 2 3",
    "join(_.sort({3, 1, 2}))": "1 2 3",
    "join(_.sort(_.keys({a = 1, b = 2})))": "a b",
    "join(_.sort(_.values({a = 1, b = 2})))": "1 2",
    "join(_.at({6, 7, 8, last = 9}, 3, 'none', 'last', 1))": "8 9 6",
    "_.bind(function(a, b) return a - b end, 10)(4)": 6,
    "_.bindn(function(a, b, c) return a * b - c end, 3, 4)(5)": 7,
    "select('#', _.bindn(function(...) return ... end, 1, nil, 2)(nil, 3))": 1,
    "join(_.pluck({{n = 1}, {n = 2}}, 'n'))": "1 2",
    "_.concat({1, true, 'x'}, '-')": "1-true-x",
    "_.indexOf({5, 6}, 6)": 2,
    "_.find({{1}, {2}}, {2})": 2,
    "_.invert({'a', 'b'}).b": 2,
    "_.extend({a = 1}, {a = 2, b = 3}).a": 2,
    "_.count({1, 2, 1}, 1)": 2,
    "_.isEmpty({})": True,
    "_.isEmpty('x')": False,
    "_.isNaN(0 / 0)": True,
    "_.isArray({1, nil, 3})": False,
    "_.isEqual({1, {2}}, {1, {2}})": True,
    "_.isEqual({1}, {1, 2})": False,
}


@pytest.mark.one_runtime
@pytest.mark.parametrize("expression", CASES)
def test_answers(runtime: Runtime, expression: str) -> None:
    code = f"local _ = require 'moses' local function join(t) return table.concat(t, ' ') end return {expression}"
    assert runtime.execute(code) == CASES[expression]


def test_a_clone_is_deep_unless_shallow(runtime: Runtime) -> None:
    code = """
        local _ = require 'moses'
        local t = {{1}}
        return _.clone(t)[1] == t[1], _.clone(t, true)[1] == t[1], _.clone(5)
    """
    assert runtime.execute(code) == (False, True, 5)


def test_what_is_not_there_is_named(runtime: Runtime) -> None:
    with pytest.raises(LuaError, match="moses: the function 'memoize' is not supported"):
        runtime.execute("require('moses').memoize(print)")


def test_shuffle(runtime: Runtime) -> None:
    code = """
        local _ = require 'moses'
        local t = {10, 20, 30, 40, 50, 60}
        local first, again, same = _.shuffle(t, 7), _.shuffle(t), _.shuffle(t, 7)
        table.sort(again)
        return _.isEqual(first, same), _.isEqual(first, t), _.isEqual(again, t), #_.shuffle({}),
           _.isEqual(_.shuffle({5}), {5})
    """
    assert runtime.execute(code) == (True, False, True, 0, True)
