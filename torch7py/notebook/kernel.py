"""A kernel of Jupyter for Lua, as iTorch was: ``python -m torch7py.notebook.kernel -f connection_file``."""

from __future__ import annotations

import base64
import sys
from traceback import format_exception
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

from torch7py import __version__
from torch7py.bridge.errors import LuaError
from torch7py.notebook.session import CellError, Session
from torch7py.ops.errors import Torch7Error
from torch7py.ops.screen import Bundle

__all__ = ["LuaKernel", "main"]


class LuaKernel(Kernel):
    """Runs cells of Lua in one runtime."""

    implementation = "torch7py"
    implementation_version = __version__
    banner = "Torch7 programs (Lua) on PyTorch, by torch7py. ?torch.add shows help."
    language_info = {  # noqa: RUF012  (so the base class has it)
        "name": "lua",
        "version": "5.1",
        "mimetype": "text/x-lua",
        "file_extension": ".lua",
        "codemirror_mode": "lua",
        "pygments_lexer": "lua",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.session_of_lua = Session(self._show)
        self.session_of_lua.runtime.require("itorch")  # which iTorch's notebooks have without asking for it

    def _show(self, bundle: Bundle) -> None:
        data = {
            kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for kind, value in bundle.items()
        }
        sys.stdout.flush()  # what was printed before stands above
        self.send_response(self.iopub_socket, "display_data", {"data": data, "metadata": {}})

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        self._claim_output()
        try:
            self.session_of_lua.run(code, f"cell {self.execution_count}")
        except SystemExit:  # os.exit
            return {**self._done(), "payload": [{"source": "ask_exit", "keepkernel": False}]}
        except KeyboardInterrupt as error:
            return self._failed("KeyboardInterrupt", str(error) or "interrupted", [], silent)
        except CellError as error:
            return self._failed("LuaError", error.message, error.lines, silent)
        except Exception as error:  # noqa: BLE001  (a notebook waits for an answer, whatever it is)
            lines = [] if isinstance(error, Torch7Error) else format_exception(error)
            return self._failed(type(error).__name__, str(error), lines, silent)
        return self._done()

    def _claim_output(self) -> None:
        """What is printed belongs to the cell that runs now."""
        for stream in (sys.stdout, sys.stderr):
            set_parent = getattr(stream, "set_parent", None)
            if set_parent is not None:
                set_parent(self.get_parent())

    def _done(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }

    def _failed(self, name: str, value: str, lines: list[str], silent: bool) -> dict[str, Any]:
        content = {"ename": name, "evalue": value, "traceback": lines or [f"{name}: {value}"]}
        sys.stdout.flush()
        if not silent:
            self.send_response(self.iopub_socket, "error", content)
        return {"status": "error", "execution_count": self.execution_count, **content}

    async def do_complete(self, code: str, cursor_pos: int | None) -> dict[str, Any]:
        end = len(code) if cursor_pos is None else cursor_pos
        start, names = self.session_of_lua.console.complete(code, end)
        return {
            "status": "ok",
            "matches": names,
            "cursor_start": start,
            "cursor_end": end,
            "metadata": {},
        }

    async def do_inspect(
        self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()
    ) -> dict[str, Any]:
        text = self.session_of_lua.console.help(_topic(code, cursor_pos)) if code.strip() else None
        data = {} if text is None else {"text/plain": text}
        return {"status": "ok", "found": text is not None, "data": data, "metadata": {}}

    async def do_is_complete(self, code: str) -> dict[str, Any]:
        state = self.session_of_lua.console.is_complete(code)
        return {"status": state, "indent": "   "} if state == "incomplete" else {"status": state}

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        try:
            self.session_of_lua.runtime.close()
        except LuaError as error:
            print(error, file=sys.stderr)
        return {"status": "ok", "restart": restart}


def _topic(code: str, cursor: int) -> str:
    """The name at the cursor, with what stands before its dots and colons."""
    start = end = min(cursor, len(code))
    while start and (code[start - 1].isalnum() or code[start - 1] in "_.:"):
        start -= 1
    while end < len(code) and (code[end].isalnum() or code[end] == "_"):
        end += 1
    return code[start:end].strip(".:")


def main() -> None:
    IPKernelApp.launch_instance(kernel_class=LuaKernel)


if __name__ == "__main__":
    main()
