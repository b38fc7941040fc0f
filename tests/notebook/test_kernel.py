"""The kernel for Lua, installed and started as Jupyter does it: once, since a process takes two seconds to start."""

from __future__ import annotations

import base64
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop

from tests.html.pages import parsed
from torch7py.cli.main import main

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Answer:
    """What a cell came to: its reply, what it printed, and what it showed by MIME type."""

    reply: dict[str, Any]
    text: str = ""
    shown: list[dict[str, str]] = field(default_factory=list)
    error: list[str] = field(default_factory=list)


class Notebook:
    def __init__(self, prefix: Path) -> None:
        specs = KernelSpecManager(kernel_dirs=[str(prefix / "share" / "jupyter" / "kernels")])
        self.manager = KernelManager(kernel_name="torch7py", kernel_spec_manager=specs)
        self.manager.start_kernel()
        assert self.manager.provisioner is not None
        self.pid: int = self.manager.provisioner.pid  # type: ignore[attr-defined]
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> Answer:
        answer = Answer({})

        def take(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                answer.text += content["text"]
            elif message["msg_type"] == "display_data":
                answer.shown.append(content["data"])
            elif message["msg_type"] == "error":
                answer.error = content["traceback"]

        answer.reply = self.client.execute_interactive(code, output_hook=take, timeout=30)["content"]
        return answer

    def ask(self, kind: str, *arguments: Any) -> dict[str, Any]:
        sent = getattr(self.client, kind)(*arguments)
        while True:
            message = self.client.get_shell_msg(timeout=30)
            if message["parent_header"]["msg_id"] == sent:
                content: dict[str, Any] = message["content"]
                return content


def what_is_printed(notebook: Notebook) -> None:
    answer = notebook.run("x = torch.ones(2, 2)\nx")
    assert answer.text == " 1  1\n 1  1\n[torch.DoubleTensor of size 2x2]\n\n"
    assert answer.reply["status"] == "ok"
    assert notebook.run("io.write('ä') print(x:sum()); io.stderr:write('e');").text == "ä4\t\ne"
    assert notebook.run("y = 3;").text == ""


def an_error_has_the_line_of_its_cell(notebook: Notebook) -> None:
    defined = notebook.run("function broken(t)\n  local a = 1\n  return t.b.c\nend").reply["execution_count"]
    answer = notebook.run("print 'before'\nbroken {}")
    assert answer.text == "before\t\n" or answer.text == "before\n"
    assert answer.reply["ename"] == "LuaError"
    called = answer.reply["execution_count"]
    assert answer.error == [
        f"cell {defined}:3: attempt to index field 'b' (a nil value)",
        "    3 | return t.b.c",
        "      |          ^",
        f"      cell {defined}:3: in function 'broken'",
        f"      cell {called}:2: in function 'main_chunk'",
    ]
    wrong = notebook.run("x = 1\ny = = 2")
    assert wrong.error[1:] == ["    2 | y = = 2"]
    assert notebook.run("require 'nn'\nm = nn.Liner(2)").error[-1] == "did you mean nn.Linear?"


def an_endless_cell_is_interrupted(notebook: Notebook) -> None:
    for body in ("", "torch.ones(3):sum()"):
        threading.Timer(0.3, os.kill, [notebook.pid, signal.SIGINT]).start()  # as Jupyter interrupts it
        start = time.monotonic()
        answer = notebook.run(f"while true do {body} end")
        assert time.monotonic() - start < 5
        assert answer.reply["ename"] == "KeyboardInterrupt"
    assert notebook.run("1 + 1").text.split() == ["2"]


def pictures_and_plots_are_shown(notebook: Notebook) -> None:
    answer = notebook.run("require 'image'\nimage.display{image=torch.rand(3, 4, 5), zoom=2}")
    assert answer.text == ""
    (image,) = answer.shown
    data = base64.b64decode(image["image/png"])
    assert data.startswith(PNG)
    assert (data[16:20], data[20:24]) == ((10).to_bytes(4, "big"), (8).to_bytes(4, "big"))
    code = "gnuplot = require 'gnuplot'\ngnuplot.plot(torch.randn(9))\ngnuplot.title('a')\ngnuplot.grid(true)"
    (figure,) = notebook.run(code).shown  # once, when the cell has ended
    assert base64.b64decode(figure["image/png"]).startswith(PNG)
    answer = notebook.run(
        "itorch.html('<b>é</b>')\nitorch.image({torch.rand(3, 4, 4), torch.rand(3, 4, 4)})\n"
        "itorch.Plot():circle({1, 2}, {3, 4}, 'red', 'hi'):line(torch.range(1, 3), torch.range(1, 3)):"
        "histogram(torch.randn(50)):legend():title('t'):draw();"
    )
    assert [sorted(bundle) for bundle in answer.shown] == [
        ["text/html", "text/plain"],
        ["image/png", "text/plain"],
        ["image/png", "text/plain"],
    ]
    assert answer.shown[0]["text/html"] == "<b>é</b>"


def a_model_is_drawn(notebook: Notebook) -> None:
    answer = notebook.run("require 'nn'\nm = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())\nm")
    assert answer.text.startswith("nn.Sequential {\n")
    (bundle,) = answer.shown
    titles = [title.text for title in parsed(bundle["text/html"]).all(class_="title")]
    assert titles == ["nn.Sequential", "1nn.Linear3 → 4", "2nn.Tanh"]
    assert notebook.run("local y = 1").shown == []


def completion_help_and_incomplete_cells(notebook: Notebook) -> None:
    found = notebook.ask("complete", "a = torch.randp", 15)
    assert found["matches"] == ["randperm"]
    assert (found["cursor_start"], found["cursor_end"]) == (10, 15)
    assert "torch.randperm" in notebook.ask("inspect", "torch.randperm(3)", 8)["data"]["text/plain"]
    assert not notebook.ask("inspect", "nosuchthing", 3)["found"]
    assert notebook.ask("is_complete", "for i = 1, 2 do")["status"] == "incomplete"
    assert notebook.ask("is_complete", "x = 1")["status"] == "complete"
    assert notebook.ask("is_complete", "x = = 1")["status"] == "invalid"
    assert notebook.ask("kernel_info")["language_info"]["file_extension"] == ".lua"


def test_requests_that_make_no_sense() -> None:
    run = CliRunner().invoke
    assert run(main, ["kernel", "install", "--user", "--prefix", "x"]).exit_code == 2
    assert run(main, ["kernel", "install", "--prefix", "x", "--name", "a b"]).exit_code == 2


def os_exit_ends_the_kernel(notebook: Notebook) -> None:
    assert notebook.run("os.exit(0)").reply["payload"] == [{"source": "ask_exit", "keepkernel": False}]


CHECKS = [
    what_is_printed,
    an_error_has_the_line_of_its_cell,
    an_endless_cell_is_interrupted,
    pictures_and_plots_are_shown,
    a_model_is_drawn,
    completion_help_and_incomplete_cells,
    os_exit_ends_the_kernel,
]


def test_the_kernel(tmp_path: Path) -> None:
    installed = CliRunner().invoke(main, ["kernel", "install", "--prefix", str(tmp_path)])
    assert installed.output == f"the kernel torch7py is in {tmp_path}/share/jupyter/kernels/torch7py\n"
    notebook = Notebook(tmp_path)
    try:
        for check in CHECKS:
            check(notebook)
    finally:
        notebook.client.stop_channels()
        notebook.manager.shutdown_kernel(now=True)
        ensure_event_loop().close()  # which the client has made
