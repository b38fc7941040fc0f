"""tds: hashes and vectors. The orders of keys are what upstream's own C code gave for the same insertions."""

from __future__ import annotations

import pytest

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture(scope="module")
def run():
    with Runtime() as runtime:
        runtime.execute("tds = require 'tds'")
        yield runtime.execute


def message(run, source: str) -> str:
    with pytest.raises(LuaError) as caught:
        run(source)
    return str(caught.value)


class TestHash:
    def test_values(self, run):
        script = """local h, x = tds.Hash(), torch.Tensor(2)
        h.a, h[1], h[true], h[x], h.f = 'text', 2.5, false, tds.Vec(7), x
        h.gone = 1 h.gone = nil h.never = nil
        return #h, h.a, h[1], h[true], h[x][1], h.f == x, h.gone, h.missing"""
        assert run(script) == (5, "text", 2.5, False, 7, True, None, None)

    def test_a_tensor_is_kept_not_copied(self, run):
        assert run("local h, x = tds.Hash(), torch.zeros(2) h.x = x x:fill(3) return h.x:sum()") == 6

    def test_of_a_table(self, run):
        script = """local h = tds.Hash {a = 1, list = {10, 20, {30}}, map = {b = {}}}
        return torch.type(h), torch.type(h.list), #h.list, h.list[3][1], torch.type(h.map), torch.type(h.map.b)"""
        assert run(script) == ("tds.Hash", "tds.Vec", 3, 30, "tds.Hash", "tds.Vec")

    @pytest.mark.parametrize(
        ("steps", "order"),
        [
            (
                (
                    "h.the = 1 h.cat = 1 h.dog = 1 h[1] = 1 h[2] = 1 h[-0.5] = 1 h[true] = 1 h.cat = nil h.bird = 1 "
                    "h[''] = 1 h[1e300] = 1"
                ),
                "2 true 1  the bird 1e+300 dog -0.5",
            ),
            (
                "for i = 1, 40 do h['w' .. i] = 1 end for i = 1, 40, 3 do h['w' .. i] = nil end",
                "w24 w27 w26 w21 w20 w23 w14 w15 w17 w11 w12 w5 w6 w3 w2 w30 w18 w32 w29 w9 w8 w36 w33 w35 w38 w39",
            ),
            ("h.w518 = 1 h[8.4046267944e-314] = 1 h[false] = 1", "false w518 8.4046267944318e-314"),
        ],
    )
    def test_the_order_is_the_originals(self, run, steps, order):
        script = f"""local h, keys = tds.Hash(), {{}} {steps}
        for key, value in pairs(h) do
            assert(value == 1)
            keys[#keys + 1] = type(key) == 'number' and ('%.14g'):format(key) or tostring(key)
        end
        return table.concat(keys, ' ')"""
        assert run(script) == order

    def test_many_removals(self, run):
        script = """local h = tds.Hash()
        for i = 1, 5000 do h[i] = i h[i - 1] = nil end
        local n, sum = 0, 0
        for k, v in pairs(h) do n, sum = n + 1, sum + v end
        return n, sum, #h"""
        assert run(script) == (1, 5000, 1)

    def test_setting_values_on_the_way(self, run):
        script = """local h = tds.Hash() for i = 1, 12 do h[i] = i end
        local n = 0
        for k in pairs(h) do n = n + 1 if k % 2 == 0 then h[k] = nil else h[k] = 0 end end
        return n, #h"""
        assert run(script) == (12, 6)

    def test_text(self, run):
        assert run("return tostring(tds.Hash {long = {1}, [2] = 'b'})") == (
            "tds.Hash[2]{\n2    : b\nlong : tds.Vec[1]{\n           1 : 1\n       }\n}"
        )
        assert run("local h = tds.Hash() for i = 1, 25 do h[i] = i end return tostring(h)").count("\n") == 22

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("tds.Hash(3)", "lua table or nothing expected"),
            ("tds.Hash()[nil] = 1", "hash index is nil"),
            ("local x = tds.Hash()[nil]", "hash index is nil"),
            ("tds.Hash().f = print", "unsupported key/value type <function> (set)"),
            ("tds.Hash().t = {}", "unsupported key/value type <table> (set)"),
            ("tds.Hash()[{}] = 1", "unsupported key/value type <table> (set)"),
            ("require 'nn' tds.Hash().m = nn.Linear(1, 1)", "unsupported key/value type <nn.Linear> (set)"),
            ("tds.Hash()[0 / 0] = 1", "not a number as the key"),
        ],
    )
    def test_errors(self, run, source, says):
        assert message(run, f"\n{source}").startswith("python:2: ")
        assert says in message(run, source)


class TestVec:
    def test_values(self, run):
        script = """local v = tds.Vec(4, 'five', nil, true)
        v[6] = torch.ones(2) v:insert('last') v:insert(1, 'first')
        return #v, v[1], v[2], v[3], v[4], v[5], v[7]:sum(), v[8], v[99]"""
        assert run(script) == (8, "first", 4, "five", None, True, 2, "last", None)

    def test_of_a_table(self, run):
        assert run("local v = tds.Vec {1, {2, 3}, {a = 4}} return #v, v[2][2], v[3].a") == (3, 3, 4)
        assert run("local v = tds.Vec {[3] = 'x'} return #v, v[1], v[3]") == (3, None, "x")

    def test_remove_and_resize(self, run):
        script = """local v = tds.Vec(1, 2, 3, 4)
        assert(select('#', v:remove(1)) == 0) v:remove() v:remove(9)
        local n, first = #v, v[1]
        v:resize(1) v:resize(3)
        return n, first, #v, v[1], v[2]"""
        assert run(script) == (2, 2, 3, 2, None)

    def test_iteration_includes_nil(self, run):
        for name in ("pairs", "ipairs"):
            script = f"local n, s = 0, '' for i, x in {name}(tds.Vec(1, nil, 3)) do n, s = n + i, s .. tostring(x) end"
            assert run(f"{script} return n, s") == (6, "1nil3")

    def test_sort(self, run):
        script = (
            "local v = tds.Vec(3, 1, 2, 5, 4) v:sort(function(a, b) return a < b end) return v:concat(',')"
        )
        assert run(script) == "1,2,3,4,5"

    def test_equal_elements_come_out_as_from_glibc(self, run):
        """A comparison that is false counts as greater, and merges turn what is equal round."""
        script = """local v = tds.Vec('b1', 'a1', 'b2', 'a2', 'b3')
        v:sort(function(a, b) return a:sub(1, 1) < b:sub(1, 1) end) return v:concat ' '"""
        assert run(script) == "a2 a1 b3 b2 b1"

    def test_concat(self, run):
        script = """local v = tds.Vec('a', 2, true)
        local s = v:concatstorage('-')
        return v:concat(), v:concat(', ', 2, 3), torch.type(s), s:string(), tds.Vec():concat()"""
        assert run(script) == ("a2true", "2, true", "torch.CharStorage", "a-2-true", "")

    def test_text(self, run):
        assert run("return tostring(tds.Vec(4, nil, 'a\\nb'))") == (
            "tds.Vec[3]{\n    1 : 4\n    2 : nil\n    3 : a\n        b\n}"
        )

    @pytest.mark.parametrize(
        ("source", "says"),
        [
            ("tds.Vec()[0] = 1", "positive number expected as key"),
            ("local x = tds.Vec()[-1]", "positive number expected as key"),
            ("tds.Vec():remove()", "positive number expected as key"),
            ("tds.Vec().x = 1", "positive number expected as key"),
            ("tds.Vec():push(1)", "invalid key (number) or method name"),
            ("tds.Vec {a = 1}", "lua table with number keys expected"),
            ("tds.Vec():insert()", "[key] value expected"),
            ("tds.Vec(1):insert(4, 1)", "cannot insert at 4 into 1 elements"),
            ("tds.Vec():resize(-1)", "size must be a positive number"),
            ("tds.Vec():sort()", "compare function must be a lua or C function"),
            ("tds.Vec(print)", "unsupported key/value type <function> (set)"),
        ],
    )
    def test_errors(self, run, source, says):
        assert message(run, f"\n{source}").startswith("python:2: ")
        assert says in message(run, source)


def test_counter(run):
    script = """local a = tds.AtomicCounter()
    local before = a:inc() a:inc() local two = a:get() a:set(100)
    return before, two, tostring(a), torch.type(a)"""
    assert run(script) == (0, 2, "tds.AtomicCounter=100", "tds.AtomicCounter")
    assert "no such method" in message(run, "tds.AtomicCounter():dec()")
    waiting = message(run, "local c = tds.AtomicCounter() repeat until c:get() > 0")
    assert "waiting for another thread" in waiting


def test_the_same_names_in_lower_case(run):
    assert run(
        "return tds.hash == tds.Hash, tds.vec == tds.Vec, tds.atomic_counter == tds.AtomicCounter, _G.x"
    ) == (
        True,
        True,
        True,
        None,
    )


def test_methods_can_be_added(run):
    assert run("function tds.Hash:__call() return #self end return tds.Hash {a = 1}()") == 1


def test_files(run, tmp_path):
    path = tmp_path / "x.t7"
    script = """local counter = tds.AtomicCounter() counter:set(3)
    local h = tds.Hash {words = {'a', 'b'}, [2] = 5} h.x = torch.Tensor {1, 2}
    torch.save('%s', {h, h, tds.Vec(1, nil, true), counter})
    local t = torch.load('%s')
    return t[1] == t[2], #t[1], t[1].words[2], t[1][2], t[1].x:sum(), #t[3], t[3][3], t[4]:get(),
           torch.deserialize(torch.serialize(tds.Vec('q')))[1]""".replace("%s", str(path))
    assert run(script) == (True, 3, "b", 5, 3, 3, True, 3, "q")
    read = torch7py.load(path)
    torch7py.save(read, tmp_path / "again.t7")
    assert path.read_bytes() == (tmp_path / "again.t7").read_bytes()
