"""How Python functions and classes become those of a Lua package."""

from __future__ import annotations

from typing import Any

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.packages.registry import Fields, function, package, packages, record


@pytest.fixture
def example():
    """A register with one package more."""
    yield package("example", __name__, makes_global=True)
    packages.remove("example")


class TestFunctions:
    def test_a_table_is_copied_there_and_back(self, example, runtime):
        @function("example.double")
        def double(values: list[float]) -> None:
            values[:] = [2 * v for v in values]
            values.append(0)

        assert runtime.execute("require 'example' local t = {1, 2} example.double(t) return t") == [2, 4, 0]

    def test_fields_stay_where_they_are(self, example, runtime):
        seen: list[Any] = []

        @function("example.use")
        def use(fields: Fields, other: Fields | None = None) -> None:
            seen.append((dict(fields), len(fields), fields.get("no"), "a" in fields, other))
            fields["b"] = {"c": [1, 2]}
            del fields["a"]

        runtime.execute("require 'example' t = setmetatable({a=1, z='x', 5}, {__index={q=7}}) example.use(t)")
        assert seen == [({"a": 1, "z": "x"}, 2, None, True, None)]
        assert runtime.execute("return t.a, t.b.c[2], t.z, t[1], t.q") == (None, 2, "x", 5, 7)

    def test_fields_from_python_are_a_dict(self):
        def set_one(fields: Fields) -> None:
            fields["one"] = 1

        plain: dict[str, Any] = {}
        set_one(plain)
        assert plain == {"one": 1}

    def test_fields_outlive_the_call_but_not_the_runtime(self, example):
        from tests.inner_runtime import InnerRuntime as Runtime

        kept: list[Fields] = []

        @function("example.keep")
        def keep(fields: Fields) -> None:
            kept.append(fields)

        with Runtime() as runtime:
            runtime.execute("require 'example' t = {a=1} example.keep(t) t.a = 2 collectgarbage()")
            assert kept[0]["a"] == 2
            with pytest.raises(KeyError):
                kept[0]["b"]
        with pytest.raises(RuntimeError, match="closed"):
            kept[0].get("a")

    def test_names_of_files_are_bytes_in_lua(self, example, runtime):
        @function("example.echo", filenames=True)
        def echo(name: str) -> tuple[str, list[str]]:
            assert name == "\u00fc\udcff"
            return name, [name]

        assert runtime.execute(
            "require 'example' local a, b = example.echo('\\195\\188\\255') return a == b[1], #a"
        ) == (True, 3)


class TestRecords:
    def test_objects_are_tables(self, example, runtime):
        @record("example.Counter", {"__init": "__init__", "add": "add", "__tostring__": "__str__"})
        class Counter:
            def __init__(self, start: int = 0) -> None:
                self.count = start

            def add(self, n: int = 1) -> Counter:
                self.count += n
                return self

            def __str__(self) -> str:
                return f"counted {self.count}"

        assert str(Counter(1).add(2)) == "counted 3"
        runtime.execute("require 'example' c = example.Counter(5)")
        assert runtime.execute("return c.count, torch.type(c), tostring(c), rawequal(c:add():add(3), c)") == (
            5,
            "example.Counter",
            "counted 5",
            True,
        )
        assert runtime.execute("c.count, c.mine = 20, 'x' c:add(1) return c.count, c.mine") == (21, "x")
        with pytest.raises(LuaError, match=r"example\.Counter:add: called without an object"):
            runtime.execute("c.add(3)")

    def test_a_field_that_is_not_there(self, example, runtime):
        @record("example.Empty", {"__init": "__init__", "look": "look"})
        class Empty:
            def __init__(self) -> None:
                self.here = True

            def look(self) -> bool:
                return hasattr(self, "away")

        assert runtime.execute("require 'example' return example.Empty():look()") is False


class TestRegistering:
    def test_twice_is_an_error(self, example):
        def nothing() -> None: ...

        function("example.f")(nothing)
        with pytest.raises(ValueError, match="registered twice"):
            function("example.f")(nothing)
        with pytest.raises(
            ValueError, match=f"'example' is registered twice: by {__name__} and by elsewhere"
        ):
            package("example", "elsewhere")
        record("example.C", {})(type("C", (), {}))
        with pytest.raises(ValueError, match="registered twice"):
            record("example.C", {})(type("C", (), {}))
