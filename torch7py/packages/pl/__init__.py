"""pl: Penlight, a library of functions and classes in Lua."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("pl", __name__, lua="pl.lua", makes_global=True, with_torch=True, projects=32)
package("pl.dir", __name__, requires=("paths",), lua="dir.lua")
for _name in (
    "app array2d class compat comprehension config data Date file func import_into input lapp lexer "
    "List luabalanced Map MultiMap operator OrderedMap path permute pretty seq Set sip strict "
    "stringio stringx tablex template test text types url utils xml"
).split():
    package(f"pl.{_name}", __name__, lua=f"{_name}.lua")
