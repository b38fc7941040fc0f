"""iterm: a program runs, and nothing is shown."""

from __future__ import annotations

import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


def test_iterm_shows_nothing_and_says_so_once(capfd, tmp_path):
    path = tmp_path / "g.svg"
    lua(f"""
        require 'iterm.dot'
        require 'optnet.graphgen'
        local iterm, g = require 'iterm', graph.Graph()
        g:add(graph.Edge(graph.Node('a'), graph.Node('b')))
        iterm.image(torch.rand(3, 8, 8))
        iterm.dot(g, {str(path)!r})
    """)
    assert capfd.readouterr().err.count("nothing is shown") == 1
    assert "svg" in path.read_text()
    with pytest.raises(LuaError, match="a file name expected, not a number"):
        lua("require('iterm').display(1)")
