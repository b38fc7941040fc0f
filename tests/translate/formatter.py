"""``ruff format`` as a process that stays, for tests that translate hundreds of programs.

``torch7py.translate.layout`` starts the formatter once for each translation, which takes ten times as long as its work.
Here it runs as a language server, with the same settings.
"""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Sequence
from typing import Any

from ruff.__main__ import find_ruff_bin

from torch7py.translate.layout import WIDTH, _prepared, lay_out_all

__all__ = ["Formatter"]


class Formatter:
    """Lays pages out as ``lay_out_all`` does. What the server refuses, that function gets."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [find_ruff_bin(), "server", "--isolated", "--quiet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._count = 0
        settings = {
            "configuration": {"target-version": "py310", "line-length": WIDTH},
            "configurationPreference": "editorOnly",
            "lint": {"enable": False},
            "logLevel": "error",
        }
        self._ask(
            "initialize",
            {
                "processId": None,
                "rootUri": None,
                "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
                "initializationOptions": {"settings": settings},
            },
        )
        self._tell("initialized", {})

    def lay_out_all(self, pages: Sequence[str]) -> list[str]:
        found = [self._formatted(_prepared(page)) for page in pages]
        if None in found:
            return lay_out_all(pages)
        return [text for text in found if text is not None]

    def close(self) -> None:
        self._ask("shutdown", None)
        self._tell("exit", None)
        self._process.communicate()

    def _formatted(self, text: str) -> str | None:
        if "\r" in text:  # which ends a line for the server
            return None
        document = {"uri": f"untitled:page{self._count}.py"}
        self._tell(
            "textDocument/didOpen",
            {"textDocument": {**document, "languageId": "python", "version": 1, "text": text}},
        )
        options = {"tabSize": 4, "insertSpaces": True}
        edits = self._ask("textDocument/formatting", {"textDocument": document, "options": options})
        self._tell("textDocument/didClose", {"textDocument": document})
        if edits is None:  # nothing to change, or no Python
            try:
                ast.parse(text)
            except SyntaxError:
                return None
            return text
        lines = text.split("\n")

        def offset(position: dict[str, int]) -> int:
            return sum(len(line) + 1 for line in lines[: position["line"]]) + position["character"]

        for edit in sorted(edits, key=lambda edit: -offset(edit["range"]["start"])):
            start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
            text = text[:start] + edit["newText"] + text[end:]
        return text

    # The protocol: a header with the length, and JSON.

    def _ask(self, method: str, params: Any) -> Any:
        self._count += 1
        self._send({"id": self._count, "method": method, "params": params})
        while True:
            message = self._next()
            if "method" not in message:
                assert message["id"] == self._count, message
                return message.get("result")

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self._process.stdin.flush()

    def _next(self) -> Any:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self._process.stdout.read(length))
