"""Classes that Lua programs make of tables (objects/): wholly native, and equal to the original in what they print."""

from __future__ import annotations

from pathlib import Path

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
    "objects_in_place": [
        "    def __init__(self, x, y, label=None):\n        self.x = x\n",
        "def point(x, y):\n    return Point(x, y)\n",
        'origin = Point(x=0, y=0, label="origin")\n',
        "moved = Point(y=2, x=1)\n",
    ],
    "prototypes": [
        "        if colour is not None:\n            self.colour = colour\n",
        'class Square(Shape):\n    sides = 4\n    colour = "blue"\n',
        "class Cube(Square):\n    def area(self):\n        return 6 * super().area()\n",
        "    box = Cube(side=3)\n    box.sides = 6\n",
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
