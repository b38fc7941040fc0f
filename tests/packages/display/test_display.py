"""display: a program runs, and nothing is shown."""

from __future__ import annotations

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


def test_display_shows_nothing_and_says_so_once(capfd):
    assert lua("""
        local disp = require 'display'
        disp.configure {port = 8000}
        local first = disp.image(torch.rand(3, 8, 8), {title = 'x'})
        assert(disp.images({torch.rand(8, 8)}, {win = first}) == first)
        disp.plot({{1, 2}, {2, 3}}, {labels = {'a', 'b'}})
        return first
    """)
    assert capfd.readouterr().err.count("nothing is shown") == 1
    with pytest.raises(LuaError, match="an image has 2 or 3 dimensions, several have 4, not 1"):
        lua("require('display').image(torch.rand(3))")
