"""``pairs`` in one order: which it is, and that all else about a traversal is Lua's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bridge.chunks import Engine, engines

# Traverses a table and gives 'key=value' of each step.
WALK = """
function walk(t)
   local seen = {}
   for k, v in pairs(t) do seen[#seen + 1] = tostring(k) .. '=' .. tostring(v) end
   return seen
end
"""


def with_pairs(name: str, mode: str = "sorted") -> Engine:
    engine = Engine(name)
    engine.run("native_next = pairs({})")  # on plain Lua not the global next
    engine.chunk("pairs.lua").install(mode)
    engine.run(WALK)
    return engine


@pytest.fixture(params=engines)
def engine(request) -> Engine:
    return with_pairs(request.param)


@pytest.mark.parametrize(
    ("table", "order"),
    [
        ("{}", []),
        ("{10, 20, 30}", ["1=10", "2=20", "3=30"]),
        (
            "{b = 1, a = 2, C = 3, ['a b'] = 4, aa = 5, [''] = 6}",
            ["=6", "C=3", "a=2", "a b=4", "aa=5", "b=1"],
        ),
        ("{'x', 'y', n = 2}", ["1=x", "2=y", "n=2"]),
        ("{[0] = 'z', 'x'}", ["0=z", "1=x"]),
        ("{'x', 'y', [-1] = 'm', [1.5] = 'h', [0] = 'z'}", ["-1=m", "0=z", "1=x", "1.5=h", "2=y"]),
        ("{[3] = 'c', [1] = 'a', [2] = 'b', s = 't'}", ["1=a", "2=b", "3=c", "s=t"]),
        ("{[1e300] = 1, [-1/0] = 2, [2^53] = 3}", ["-inf=2", f"{2.0**53:.14g}=3", "1e+300=1"]),
        ("{['10'] = 's', [10] = 'n', ['9'] = 's', [9] = 'n'}", ["9=n", "10=n", "10=s", "9=s"]),
        ("{['\\200'] = 1, ['z'] = 2, ['\\0'] = 3}", ["\0=3", "z=2", "\xc8=1"]),
        ("{[true] = 1, a = 2, 3}", ["1=3", "a=2", "true=1"]),
        ("{[false] = 1}", ["false=1"]),
        ("{1, nil, 3}", ["1=1", "3=3"]),
        ("{x = false}", ["x=false"]),
    ],
)
def test_order(engine, table, order):
    assert engine.rows(f"return walk({table})") == order
    assert engine.rows(f"local t = {table} walk(t) return walk(t)") == order


def test_order_does_not_depend_on_how_the_table_was_filled(engine):
    forwards = engine.rows(
        "local t = {} for i = 1, 600 do t[i] = i if i <= 300 then t['k' .. i] = i end end return walk(t)"
    )
    backwards = engine.rows(
        "local t = {} for i = 600, 1, -1 do t[i] = i if i <= 300 then t['k' .. i] = i end end return walk(t)"
    )
    assert forwards == backwards
    assert forwards[:600] == [f"{i}={i}" for i in range(1, 601)]
    assert forwards[600:] == [f"{key}={key[1:]}" for key in sorted(f"k{i}" for i in range(1, 301))]


def test_others_come_last_in_luas_own_order(engine):
    assert engine.rows("""
        local f, u, t = function() end, newproxy(), {[{}] = 1, [true] = 2, [false] = 3, last = 4, 5}
        t[f], t[u] = 6, 7
        local expected = {}
        for k, v in next, t do
           if type(k) ~= 'string' and type(k) ~= 'number' then expected[#expected + 1] = v end
        end
        local seen = {}
        for k, v in pairs(t) do seen[#seen + 1] = v end
        assert(#seen == 7 and seen[1] == 5 and seen[2] == 4)
        for i = 1, 5 do assert(seen[i + 2] == expected[i]) end
        return {#expected}
    """) == [5]


def test_an_array_needs_no_state(engine):
    assert engine.run("local f, t, k = pairs({1, 2, 3}) return type(f), #t, k") == ("function", 3, None)
    assert engine.run("local f, t = pairs({1, false, 3}) return f(t, 1)") == (2, False)


@pytest.mark.parametrize("size", [3, 20])
class TestCache:
    """An order is found anew when the keys have changed. 3 keys are sorted each time, 20 are kept."""

    FILL = "local t, n = {}, ... for i = 1, n do t[('k%02d'):format(i)] = i end walk(t) "

    def keys(self, engine: Engine, size: int, change: str) -> list[Any]:
        rows = engine.rows(self.FILL + change + " return walk(t)", size)
        return [row.split("=")[0] for row in rows]

    def expected(self, size: int) -> list[str]:
        return [f"k{i:02d}" for i in range(1, size + 1)]

    def test_same_keys(self, engine, size):
        assert self.keys(engine, size, "t.k02 = 'new'") == self.expected(size)

    def test_a_new_key(self, engine, size):
        assert self.keys(engine, size, "t.a = 1") == ["a", *self.expected(size)]

    def test_a_removed_key(self, engine, size):
        assert self.keys(engine, size, "t.k02 = nil") == [k for k in self.expected(size) if k != "k02"]

    def test_one_key_for_another(self, engine, size):
        assert self.keys(engine, size, "t.k02 = nil t.l = 1") == [
            *(k for k in self.expected(size) if k != "k02"),
            "l",
        ]

    def test_a_new_array_part(self, engine, size):
        assert self.keys(engine, size, "t[1] = 1 t[2] = 2") == ["1", "2", *self.expected(size)]

    def test_an_array_part_that_went(self, engine, size):
        assert self.keys(engine, size, "t[1] = 1 t[2] = 2 walk(t) t[1] = nil t[2] = nil") == self.expected(
            size
        )

    @pytest.mark.parametrize("key", ["0", "-1", "1.5", "7"])
    def test_a_new_number_before_behind_and_among_an_array(self, engine, size, key):
        rows = engine.rows(
            "local t, n, key = {1, 2, 3}, ... for i = 1, n do t[('k%02d'):format(i)] = i end walk(t) "
            "t[key] = 1 return walk(t)",
            size,
            float(key),
        )
        numbers = sorted(["1", "2", "3", key], key=float)
        assert [row.split("=")[0] for row in rows] == [*numbers, *self.expected(size)]

    def test_a_new_key_of_another_type(self, engine, size):
        assert self.keys(engine, size, "t[true] = 1") == [*self.expected(size), "true"]
        assert self.keys(engine, size, "t[true] = 1 walk(t) t[true] = nil") == self.expected(size)


@pytest.mark.parametrize("size", [5, 50])
class TestChangesDuringATraversal:
    FILL = "local n = ... local t = {10, 20, 30, [true] = 1, [-5] = 2} for i = 1, n do t['k' .. i] = i end "

    def test_values_may_be_set(self, engine, size):
        assert (
            engine.run(
                self.FILL
                + "for k in pairs(t) do t[k] = 0 end for _, v in pairs(t) do assert(v == 0) end return #t",
                size,
            )
            == 3
        )

    def test_every_field_may_be_removed_when_it_is_seen(self, engine, size):
        assert engine.run(
            self.FILL + "local c = 0 for k in pairs(t) do t[k] = nil c = c + 1 end return c, next(t)", size
        ) == (size + 5, None)

    def test_fields_removed_before_they_are_seen_are_not_seen(self, engine, size):
        assert (
            engine.run(
                self.FILL
                + """
            local c = 0
            for k in pairs(t) do
               c = c + 1
               if c == 2 then for other in pairs(t) do if other ~= k then t[other] = nil end end end
            end
            return c
            """,
                size,
            )
            == 2
        )

    def test_loops_in_loops(self, engine, size):
        assert (
            engine.run(
                self.FILL
                + "local c = 0 for k in pairs(t) do for l in pairs(t) do c = c + 1 end end return c",
                size,
            )
            == (size + 5) ** 2
        )

    def test_a_loop_in_a_loop_that_removes(self, engine, size):
        assert engine.rows(
            self.FILL
            + """
            local seen = {}
            for k in pairs(t) do
               seen[#seen + 1] = tostring(k)
               t[k] = nil
               for l in pairs(t) do end
            end
            return seen
            """,
            size,
        ) == ["-5", "1", "2", "3", *sorted(f"k{i}" for i in range(1, size + 1)), "true"]


class TestByHand:
    """Programs that call the iterator themselves."""

    def test_step_by_step(self, engine):
        assert engine.run("""
            local f, s, k = pairs({b = 1, a = 2, 7})
            local k1, v1 = f(s, k)
            local k2, v2 = f(s, k1)
            local k3, v3 = f(s, k2)
            return k1, v1, k2, v2, k3, v3, f(s, k3)
        """) == (1, 7, "a", 2, "b", 1, None)

    def test_from_the_beginning_again_and_from_any_key(self, engine):
        assert engine.run("""
            local f, s = pairs({a = 1, b = 2, c = 3, [true] = 4, [0] = 5})
            return f(s), (f(s)), (f(s, 'b')), (f(s, 'c')), (f(s, true)), (f(s, 'a')), (f(s, 0))
        """) == (0, 0, "c", True, None, "b", "a")

    @pytest.mark.parametrize("table", ["{b = 1, a = 2}", "{1, 2}", "{}", "{mark = 1}"])
    def test_on_the_table_itself(self, engine, table):
        first = engine.run(f"local t = {table} return (pairs(t)(t))")
        assert first == engine.run(f"local t = {table} for k in pairs(t) do return k end")
        assert engine.run("local t = {b = 1, a = 2} return (pairs(t)(t, 'a'))") == "b"

    def test_a_key_that_is_not_there(self, engine):
        for table, key in ("{a = 1}", "'x'"), ("{1, 2, a = 3}", "1.5"), ("{1, 2, a = 3}", "0"):
            answer = engine.run(f"local f, s = pairs({table}) return pcall(f, s, {key})")
            assert answer == (False, "invalid key to 'next'")


class TestMetatables:
    def test_raw_access(self, engine):
        assert engine.rows("""
            return walk(setmetatable({b = 1, a = 2}, {__index = function() error('asked') end}))
        """) == ["a=2", "b=1"]

    @pytest.mark.parametrize("mode", ["sorted", "native"])
    @pytest.mark.parametrize("name", engines)
    def test_pairs_metamethod(self, name, mode):
        engine = with_pairs(name, mode)
        assert engine.rows("""
            local mt = {__pairs = function(t)
               return function(_, k) if k == nil then return 'only', t.x end end, t, nil, 'dropped'
            end}
            assert(select('#', pairs(setmetatable({}, mt))) == 3)
            local u = newproxy(true)
            getmetatable(u).__pairs = function() return next, {9}, nil end
            local seen = walk(setmetatable({x = 5}, mt))
            seen[2] = walk(u)[1]
            mt.__metatable = 'hidden'
            seen[3] = walk(setmetatable({x = 6}, mt))[1]
            return seen
        """) == ["only=5", "1=9", "only=6"]

    def test_a_metamethod_that_gives_next_is_put_in_order(self, engine):
        assert engine.rows("""
            local fields = {}
            for i = 1, 20 do fields[string.char(96 + i)] = i end
            return walk(setmetatable({}, {__pairs = function() return next, fields, nil end}))
        """) == [f"{chr(96 + i)}={i}" for i in range(1, 21)]

    @pytest.mark.parametrize("value", ["nil", "1", "'s'", "print", "newproxy()"])
    @pytest.mark.parametrize("mode", ["sorted", "native"])
    @pytest.mark.parametrize("name", engines)
    def test_what_is_no_table(self, name, mode, value):
        engine = with_pairs(name, mode)
        ok, message = engine.run(f"return pcall(function()\n for k in pairs({value}) do end end)")
        assert not ok
        kind = engine.run(f"return type({value})")
        assert message == f"test.lua:2: bad argument #1 to 'pairs' (table expected, got {kind})"


@pytest.mark.parametrize("name", engines)
def test_native_mode_is_luas_own(name):
    engine = with_pairs(name, "native")
    assert engine.run("return (pairs({a = 1})) == native_next") is True


def test_unknown_mode(engine):
    pairs = engine.chunk("pairs.lua")
    with pytest.raises(Exception, match="no mode 'random'"):
        pairs.install("random")


def test_orders_are_given_up_with_their_tables(engine):
    """Keys and tables that only a kept order could hold alive are collected."""
    assert (
        engine.run("""
        local gone = setmetatable({}, {__mode = 'k'})
        for i = 1, 20 do
           local t = {}
           for j = 1, 20 do t['k' .. j] = j end
           t[t] = t
           gone[t] = true
           for k in pairs(t) do end
        end
        collectgarbage() collectgarbage()
        return next(gone)
    """)
        is None
    )


KEYS = st.one_of(
    st.integers(-3, 12),
    st.floats(allow_nan=False).filter(lambda x: not x.is_integer()),
    st.text(st.characters(max_codepoint=255), max_size=3),
)


@pytest.mark.parametrize("name", engines)
def test_any_table_under_any_changes(name):
    """Against the order that Python's ``sorted`` gives."""
    engine = with_pairs(name)
    make = engine.run("""
        return function()
           local t = {}
           return function(key, on)
              if on then t[key] = true else t[key] = nil end
              local keys = {}
              for k in pairs(t) do keys[#keys + 1] = k end
              return keys
           end
        end
    """)

    @given(st.lists(st.tuples(KEYS, st.booleans()), max_size=40))
    def check(changes: list[tuple[Any, bool]]) -> None:
        change = make()
        present: set[Any] = set()
        for key, on in changes:
            if on:
                present.add(key)
            else:
                present.discard(key)
            keys = change(key, on)
            numbers = sorted(k for k in present if not isinstance(k, str))
            strings = sorted(k for k in present if isinstance(k, str))
            assert [keys[i] for i in range(1, len(keys) + 1)] == [*numbers, *strings]

    check()


@pytest.mark.parametrize("name", engines)
def test_a_loop_that_is_compiled_for_arrays_gets_other_tables(name):
    """LuaJIT compiles a loop for ``next`` where it is given that, and would leave out elements of the others."""
    engine = with_pairs(name)
    wrong = engine.run("""
        local seed = 1
        local function random(n)
           seed = (seed * 1103515245 + 12345) % 2147483648
           return math.floor(seed / 65536) % n + 1
        end
        local function largest(t)
           local found = -1
           for _, value in pairs(t) do if value > found then found = value end end
           return found
        end
        for i = 1, 200 do largest{i, 2, 3} end
        local wrong = 0
        for _ = 1, 2000 do
           local counts, found, wanted = {}, nil, -1
           for _ = 1, 14 do
              local key = random(10)
              if counts[key] == nil then counts[key] = 1 else counts[key] = counts[key] + 1 end
              found = largest(counts)
           end
           for key = 1, 10 do if counts[key] and counts[key] > wanted then wanted = counts[key] end end
           if found ~= wanted then wrong = wrong + 1 end
        end
        return wrong
    """)
    assert wrong == 0


@pytest.mark.parametrize("name", engines)
def test_elements_that_go_from_an_array_on_the_way(name):
    engine = with_pairs(name)
    keys = engine.run("""
        local t, keys = {1, 2, 3, 4, 5, 6}, {}
        for key in pairs(t) do
           keys[#keys + 1] = key
           t[key] = nil
           if key == 2 then t[3], t[4] = nil, nil end
        end
        return table.concat(keys, ' ')
    """)
    assert keys == "1 2 5 6"


FEW_CHANGES = """
local seed = ...
local function draw(n)
   seed = (seed * 1103515245 + 12345) % 2147483648
   return math.floor(seed / 65536) % n + 1
end
local function before(a, b)
   if type(a) == type(b) then return a < b end
   return type(a) == 'number'
end
local function any_key(size)
   local kind = draw(12)
   if kind == 1 then return draw(draw(2) == 1 and 4 or size) - 4 elseif kind == 2 then return draw(size) * 0.5 + 40 end
   if kind == 3 then return draw(2) == 1 elseif kind == 4 then return 'k' .. draw(size) .. ' and its neighbour' end
   return 'k' .. draw(size)
end
local function check(t)
   local wanted, seen, others, n = {}, {}, 0, 0
   for key in native_next, t do
      if type(key) == 'boolean' then others = others + 1 else wanted[#wanted + 1] = key end
   end
   table.sort(wanted, before)
   for key, value in pairs(t) do
      assert(t[key] == value)
      if type(key) == 'boolean' then others = others - 1 else seen[#seen + 1] = key end
   end
   assert(#seen == #wanted and others == 0)
   for i = 1, #wanted do assert(seen[i] == wanted[i]) end
end
for round = 1, 12 do
   local t, size = {}, 20 * draw(30)
   if draw(2) == 1 then for i = 1, draw(6) do t[i] = i end end
   for i = 1, draw(2 * size) do t[any_key(size)] = i end
   for change = 1, 25 do
      check(t)
      for i = 1, draw(4) do
         local key = any_key(size)
         if draw(2) == 1 then t[key] = change else t[key] = nil end
         if type(key) == 'string' and draw(2) == 1 then t[key .. ' and its neighbour'] = change end
      end
   end
   -- Loops that began before a change go by the keys of then.
   local outer, expected = {}, {}
   for key in pairs(t) do if type(key) == 'string' then expected[#expected + 1] = key end end
   for key in pairs(t) do
      if type(key) == 'string' then outer[#outer + 1] = key end
      if draw(3) == 1 then
         t[key] = nil
         local count = 0
         for inner in pairs(t) do
            assert(inner ~= key)
            count = count + 1
            if count == 3 then break end
         end
      end
   end
   assert(#outer == #expected)
   for i = 1, #outer do assert(outer[i] == expected[i]) end
   check(t)
end
return true
"""


@pytest.mark.parametrize("name", engines)
@pytest.mark.parametrize("seeds", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_an_order_that_is_brought_up_to_date(name, seeds):
    """A few keys come and go between loops, and during them, of every kind and in tables of many sizes."""
    for seed in range(seeds):
        assert with_pairs(name).run(FEW_CHANGES, seed + 1) is True, seed
