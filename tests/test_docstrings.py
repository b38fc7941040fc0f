"""Every layer and criterion says in its docstring how it is made in Lua, and what it takes and gives."""

from __future__ import annotations

import inspect
import re

from tests.every_class import ABSTRACT, registry
from tests.together import together


def documentation(name: str) -> str:
    return inspect.cleandoc(registry()[name].__dict__.get("__doc__") or "")


@together("name", sorted(registry()))
def test_the_lua_signature_comes_first(name: str) -> None:
    shown = registry()[name].torch7_name
    assert re.match(rf"``{re.escape(shown)}[({{].*?``[:,. ]", documentation(name), re.S), documentation(name)


@together("name", sorted(set(registry()) - set(ABSTRACT)))
def test_what_it_takes_and_gives(name: str) -> None:
    """Shapes, or the class whose shapes it has."""
    text = documentation(name).partition("``:")[2] or documentation(name).partition("``")[2]
    assert re.search(r"shape|->|``(nn|cudnn)\.\w+``|\(batch|\(n\)", text, re.I), documentation(name)


@together("name", sorted(set(registry()) - set(ABSTRACT)))
def test_arguments_are_named_as_in_lua(name: str) -> None:
    """As many names in the signature as the constructor can take, unless it takes any number, or a table."""
    cls = registry()[name]
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return
    found = re.match(r"``[\w.]+\((.*?)\)``", documentation(name), re.S)
    if found is None:  # nn.X{...}
        return
    written = [word for word in re.split(r"[\[\], \n]+", found[1]) if word]
    assert len(written) == len(parameters), (written, [p.name for p in parameters])
