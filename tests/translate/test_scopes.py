"""Which variable a name means."""

from __future__ import annotations

from torch7py.translate.parse import parse
from torch7py.translate.scopes import Scopes, Variable, resolve


def scopes_of(source: str) -> Scopes:
    return resolve(parse(source))


def local(scopes: Scopes, name: str) -> Variable:
    scopes_ = [scopes.main, *scopes.of_function.values()]
    (found,) = [variable for scope in scopes_ for variable in scope.variables if variable.name == name]
    return found


def test_a_local_begins_after_its_statement():
    scopes = scopes_of("local x = x")
    assert len(scopes.globals["x"].reads) == 1
    assert local(scopes, "x").reads == []


def test_a_local_function_sees_itself():
    scopes = scopes_of("local function f() return f end")
    assert "f" not in scopes.globals
    assert local(scopes, "f").captured


def test_upvalues_and_who_assigns_them():
    scopes = scopes_of("local a, b = 1, 2\nlocal function f() a = b end")
    a, b = local(scopes, "a"), local(scopes, "b")
    assert (a.captured, a.assigned_inside, b.captured, b.assigned_inside) == (True, True, True, False)
    assert b.constant
    assert not a.constant
    (inner,) = scopes.of_function.values()
    assert list(inner.upvalues) == [b, a]


def test_an_upvalue_passes_through_the_functions_between():
    scopes = scopes_of("local a\nlocal function f() return function() return a end end")
    assert all(local(scopes, "a") in scope.upvalues for scope in scopes.of_function.values())


def test_loop_variables_and_locals_of_a_body():
    scopes = scopes_of("for i = 1, 3 do local x = i; fs[i] = function() return i + x end end")
    assert local(scopes, "i").kind == "loop"
    assert local(scopes, "i").captured
    assert local(scopes, "x").in_loop


def test_until_sees_the_body():
    scopes = scopes_of("repeat local done = f() until done")
    assert "done" not in scopes.globals


def test_globals():
    scopes = scopes_of("function f() g = 1 end\nlocal f\nfunction f() end")
    assert set(scopes.globals) == {"f", "g"}
    assert [scope.globals_written for scope in scopes.of_function.values()] == [{"g"}, set()]
    assert len(local(scopes, "f").writes) == 1
