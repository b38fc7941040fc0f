"""visdom: a program runs, and nothing is shown."""

from __future__ import annotations

from tests.inner_runtime import lua


def test_visdom_shows_nothing_and_says_so_once(capfd):
    assert lua("""
        local plot = require 'visdom' {server = 'http://localhost', port = 8097}
        local window = plot:line {Y = torch.rand(3)}
        assert(plot:image {img = torch.rand(3, 8, 8), win = window} == window and plot:text {text = 'a'} ~= window)
        return torch.type(plot), plot.port, plot:check_connection()
    """) == ("visdom.client", 8097, False)
    assert capfd.readouterr().err.count("nothing is shown") == 1
