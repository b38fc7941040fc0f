"""Classes that Lua programs make of tables (objects/): wholly native, and equal to the original in what they print."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

OBJECTS = Path(__file__).parent / "objects"

# What each page has that is its own.
LINES = {
    "argument_checks": [
        '    def __init__(self, room=3, label="shelf", price=None):\n        """A shelf with nothing on it."""\n',
        "    def put(self, weight, most=None, note=None):\n        if most is None:\n            most = weight\n",
        'shelf, other = Shelf(), Shelf(label="other", room=1)\n',
        'lua_text(shelf.put(6, note="fragile")),',
        "    # ### Shelves\n",
    ],
    "called_class": [
        "class Money:\n    def __init__(self, cents, unit=None):\n",
        "    def __rmul__(self, other):\n        return Money.__mul__(other, self)\n",
        "coin, note = Money(50), Money(500, ",
    ],
    "derived_metatables": [
        "class Link(Tag):\n    __eq__ = object.__eq__\n    __hash__ = object.__hash__\n",
        "        super().__init__(text)\n        self.seen = None\n        self.target = target\n",
    ],
    "equal_or_another_kind": [
        "        if not isinstance(b, Length):\n            return NotImplemented\n",
        "    __hash__ = object.__hash__\n",
    ],
    "metatable_beside": [
        "class Queue:\n    def __init__(self, label):\n",
        "    # what print shows of it\n    def __str__(self):\n",
        "class Stamp:\n    def __init__(self, day):\n",
        "def stamp(day):\n    return Stamp(day)\n",
    ],
    "objects_in_place": [
        "    def __init__(self, x, y, label=None):\n        self.x = x\n",
        "def point(x, y):\n    return Point(x, y)\n",
        'origin = Point(x=0, y=0, label="origin")\n',
        "moved = Point(y=2, x=1)\n",
    ],
    "of_classic": [
        "class Careful(Player):\n    def __init__(self, name, most):\n        super().__init__(name)\n",
        "    # the one that is ahead\n    @staticmethod\n    def ahead(a, b):\n",
    ],
    "of_penlight": [
        '        super().__init__("square")\n        self.side = side\n',
        "class Dot(Shape):\n    pass\n",
        "        str(isinstance(square, Shape)).lower(),\n",
    ],
    "packed_arguments": [
        "    def __init__(self, names, limit, price=3, label=None):\n        self.names = names\n",
        "        if weights is None:\n",
        'a = Store(names=["x", "y"], limit=5)\n',
    ],
    "private_methods": [
        "        self._clear()\n",
        "def _mark(self, at):\n",
        "self._mark(i * factor)\n",
        "show(Ruler(2).draw())\n",
        "return self._sides_ - self._sides / 8",
    ],
    "prototypes": [
        "        if colour is not None:\n            self.colour = colour\n",
        'class Square(Shape):\n    sides = 4\n    colour = "blue"\n',
        "class Cube(Square):\n    def area(self):\n        return 6 * super().area()\n",
        "    box = Cube(side=3)\n    box.sides = 6\n",
    ],
    "taken_fields": [
        "            setattr(self, name, value)\n",
        "self.hook(self, 2)",
        'hook": lambda self, x: x * self.classes})',
        "print(type(loader).__name__, ",
    ],
}


@pytest.mark.parametrize("name", sorted(path.stem for path in OBJECTS.glob("*.lua")))
def test_native_and_equal(name: str) -> None:
    path = OBJECTS / f"{name}.lua"
    page = translate_script(path.read_bytes(), path.name)
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    for line in LINES[name]:
        assert line in page.code
    assert verify_script(page, path).lines > 0


# Classes of a table that one file gives, each in a file of its own; the first makes objects of one that comes later.
FILES = {
    "box/env.lua": "local box = {}\nreturn box\n",
    "box/init.lua": """
        local box = require 'box.env'
        require 'box.base'
        require 'box.pair'
        return box
    """,
    "box/base.lua": """
        local box = require 'box.env'
        local argcheck = require 'argcheck'
        local Base = torch.class('box.Base', box)
        Base.__init = argcheck{{name = 'self', type = 'box.Base'}, call = function(self) end}
        function Base:size() error('of which there is none') end
        -- with itself
        function Base:paired() return box.Pair(self, self) end
        function Base:text() return torch.type(self) == 'box.Pair' and 'a pair' or 'no pair' end
    """,
    "box/pair.lua": """
        local box = require 'box.env'
        local argcheck = require 'argcheck'
        local Pair, parent = torch.class('box.Pair', 'box.Base', box)
        Pair.__init = argcheck{
           {name = 'self', type = 'box.Pair'},
           {name = 'one', type = 'box.Base'},
           {name = 'other', type = 'box.Base'},
           call = function(self, one, other)
              parent.__init(self)
              self.one, self.other = one, other
           end
        }
        Pair.size = argcheck{
           {name = 'self', type = 'box.Pair'},
           call = function(self) return self.one:size() + self.other:size() end
        }
        local Single = torch.class('box.Single', 'box.Base', box)
        Single.__init = argcheck{
           noordered = true,
           {name = 'self', type = 'box.Single'},
           {name = 'items', type = 'table'},
           call = function(self, items) self.items = items end
        }
        function Single:size() return #self.items end
    """,
    "marks.lua": """
        local classic = require 'classic'
        local Mark = classic.class('Mark')
        function Mark:_init(text) self.text = text end
        return Mark
    """,
    "stars.lua": """
        local classic = require 'classic'
        local Mark = require 'marks'
        local Star, super = classic.class('Star', Mark)
        function Star:_init(n) super._init(self, ('*'):rep(n)) end
        return Star
    """,
    "main.lua": """
        require 'torch'
        local box = require 'box.env'
        require 'box.init'
        local single = box.Single{items = {3, 1}}
        local pair = box.Pair(single, single:paired())
        print(pair:size(), single:size(), pair:text(), single:text())
        print(torch.isTypeOf(pair, 'box.Base'), torch.isTypeOf(single, 'box.Pair'), torch.type(pair) ~= 'box.Base')
        print(single:paired():size())
        local Star = require 'stars'
        print(Star(3).text)
    """,
}


def test_classes_of_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("box").mkdir()
    for name, text in FILES.items():
        tmp_path.joinpath(name).write_text(dedent(text))
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "main.lua"
    page = translate_script(script.read_bytes(), str(script))
    assert [str(problem) for problem in page.problems] == []
    assert "single = Single(items=[3, 1])\n" in page.code
    assert "from box.pair import Pair, Single\n" in page.code or "from box.pair import Single\n" in page.code
    assert "def paired(self):\n        from box.pair import Pair\n" in page.modules["box/base.py"]
    assert '"a pair" if type(self) is Pair else "no pair"' in page.modules["box/base.py"]
    assert "class Star(Mark):\n" in page.modules["stars.py"]
    assert verify_script(page, script).lines == 4
