"""itorch outside of a notebook: programs run, arguments are looked at, and what is not shown is said once.

tests/notebook has what it shows in a notebook.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.html.pages import checked_page, parsed
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops import state
from torch7py.ops.screen import Bundle, Screen


@pytest.fixture
def runtime():
    with Runtime() as runtime:
        runtime.execute("itorch = require 'itorch'")
        yield runtime


def test_a_program_runs_without_a_notebook(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    runtime.execute("""
        itorch.html('<b>x</b>')
        itorch.Plot():line({1, 2}, {3, 4}):title('t'):xaxis('x'):yaxis('y'):legend(false):draw():redraw()
        itorch.html('y')
    """)
    assert capfd.readouterr().err == (
        "itorch: nothing is shown outside of a notebook; image.save and gnuplot make files\n"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("itorch.html(3)", "itorch.html: a string expected, not a number"),
        ("itorch.image(3)", "itorch.image: a tensor, a table of tensors or the name of a file expected"),
        ("itorch.Plot():line({1, 2}, {1})", "itorch.Plot: line: as many elements expected, not 2 and 1"),
        ("itorch.Plot():circle('x', {1})", "itorch.Plot: circle: a tensor or a table of numbers expected"),
        ("itorch.video('nosuch.mp4')", "itorch.video: cannot read nosuch.mp4: No such file or directory"),
        ("itorch.Plot():quiver(torch.ones(2, 3), torch.ones(3, 2))", "two matrices of one size expected"),
        ("itorch.Plot():save('/nosuch/plot.html')", "itorch.Plot: save: /nosuch/plot.html"),
    ],
)
def test_wrong_arguments(runtime: Runtime, call: str, message: str) -> None:
    with pytest.raises(LuaError, match=message.replace("(", r"\(")):
        runtime.execute(call)


def test_a_screen_gets_each_kind_of_thing(runtime: Runtime) -> None:
    shown: list[Bundle] = []
    runtime.state.screen = Screen(shown.append)
    runtime.execute("""
        itorch.html('<i>h</i>')
        itorch.image(torch.rand(3, 4, 5))
        itorch.image({torch.rand(1, 4, 5), torch.rand(1, 4, 5)}, {padding = 1})
        itorch.Plot():segment({0, 1}, {0, 1}, {1, 2}, {1, 2}):quad({0, 2}, {0, 2}, {1, 3}, {1, 3}, 'red', 'q')
           :triangle(torch.randn(3), torch.randn(3)):histogram(torch.randn(40), 5):quiver(torch.randn(3, 4),
           torch.randn(3, 4)):gscatter({1, 2, 3}, {1, 2, 3}, {1, 2, 1}):text({1, 2}, {1, 2}, {'a', 'ü$'}):draw()
    """)
    assert [min(bundle) for bundle in shown] == ["text/html", "image/png", "image/png", "image/png"]
    assert shown[0]["text/html"] == "<i>h</i>"
    assert shown[1]["text/plain"] == "<image 3x4x5>"
    assert shown[2]["text/plain"] == "<image 1x5x12>"
    assert all(isinstance(bundle["image/png"], bytes) for bundle in shown[1:])


def test_figures_wait_until_the_program_pauses(runtime: Runtime) -> None:
    shown: list[Bundle] = []
    screen = runtime.state.screen = Screen(shown.append)
    runtime.execute("gnuplot = require 'gnuplot'; gnuplot.plot(torch.randn(5)); gnuplot.title('a')")
    assert shown == []
    runtime.execute("gnuplot.figure(2); gnuplot.plot(torch.randn(5))")  # the first is left
    assert [bundle["text/plain"] for bundle in shown] == ["<figure 1>"]
    with state.use(runtime.state):
        screen.pause()
    assert [bundle["text/plain"] for bundle in shown[1:]] == ["<figure 2>"]


def test_a_plot_is_a_page_too(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "plot.html"
    runtime.execute(f"itorch.Plot():line({{1, 2}}, {{3, 4}}):title('é'):save({str(path)!r})")
    root = checked_page(path.read_text(encoding="utf-8"))
    assert root.one("title").text == "é"
    data = base64.b64decode(root.one("img").attributes["src"].partition("base64,")[2])
    assert data.startswith(b"\x89PNG")


def test_sound_and_drawings(runtime: Runtime, tmp_path: Path) -> None:
    shown: list[Bundle] = []
    runtime.state.screen = Screen(shown.append)
    (tmp_path / "a.svg").write_text("<svg></svg>")
    (tmp_path / "a.mp3").write_bytes(b"sound")
    runtime.execute(f"itorch.image({str(tmp_path / 'a.svg')!r}); itorch.audio({str(tmp_path / 'a.mp3')!r})")
    assert shown[0]["text/html"] == "<svg></svg>"
    (audio,) = parsed(str(shown[1]["text/html"])).all("audio")
    assert base64.b64decode(audio.attributes["src"].partition("base64,")[2]) == b"sound"
