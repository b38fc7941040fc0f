"""Functions of Lua's libraries and of packages that are one expression or statement in Python: a text for each.

``{0}`` is the first argument, ``{p0}`` that as a position counted from 0, ``{n0}`` as a number, ``{m0}`` as a factor,
``{*}`` are all arguments, and any other name is that of a helper. Modules that a text names are imported.
"""

from __future__ import annotations

import re

from torch7py.translate.native import code
from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import Rule, functions, statements
from torch7py.translate.tree import Call

_CALLS = {
    "cutorch.getDeviceCount": "torch.cuda.device_count()",
    "cutorch.getRNGState": "torch.cuda.get_rng_state()",
    "lfs.mkdir": "{make_directory}({0})",
    "os.tmpname": "tempfile.mkstemp()[1]",
    "paths.extname": "{extension}({0})",
    "paths.mkdir": "{make_directory}({0})",
    "paths.tmpname": 'os.path.join(tempfile.mkdtemp(), "file")',
    "torch.CmdLine": "argparse.ArgumentParser()",
    "torch.getnumthreads": "torch.get_num_threads()",
    "torch.round": "{lua_round}({n0})",  # of a number: Python rounds halves to even ones
    "torch.tic": "time.time()",
}
_SUMS = {"cutorch.getDevice": "torch.cuda.current_device() + 1", "torch.toc": "time.time() - {m0}"}
_CHOICES = {
    "os.execute": "os.system({0}) == 0 or None",  # whether a command has ended without an error: true or nil
    "paths.dirname": 'os.path.dirname({0}) or "."',
    "sys.dirname": 'os.path.dirname({0}) or "."',
}
_STATEMENTS = {
    **dict.fromkeys(
        ("cltorch.manualSeed", "cltorch.setDevice", "cltorch.synchronize"),
        'raise RuntimeError("PyTorch has no OpenCL")',
    ),
    "cutorch.manualSeed": "torch.cuda.manual_seed({0})",
    "cutorch.manualSeedAll": "torch.cuda.manual_seed_all({0})",
    "cutorch.setDevice": "torch.cuda.set_device({p0})",
    "cutorch.setRNGState": "torch.cuda.set_rng_state({0})",
    "cutorch.synchronize": "torch.cuda.synchronize()",
    "io.flush": "sys.stdout.flush()",
    "io.stdout.flush": "sys.stdout.flush()",
    "lfs.mkdir": "os.makedirs({0}, exist_ok=True)",
    "lfs.rmdir": "os.rmdir({0})",
    "math.randomseed": "random.seed({*})",
    "os.execute": "os.system({0})",
    "paths.mkdir": "os.makedirs({0}, exist_ok=True)",
    "paths.rmdir": "os.rmdir({0})",
    "torch.setnumthreads": "torch.set_num_threads({*})",
}
_PLACE = re.compile(r"\{([a-z_]*)([0-9*]?)\}")
_MODULE = re.compile(r"(?<![\w.\"])(argparse|os|random|sys|tempfile|time)\.")


def _form(text: str, level: int = code.ATOM) -> Rule:
    """The rule that fills a text in."""

    def rule(t: Translation, node: Call) -> Py:
        def filled(place: re.Match[str]) -> str:
            what, at = place.groups()
            if not at:
                return t.need(what)
            if at == "*":
                return t.calls.arguments(node, [])
            argument = node.arguments[int(at)]
            if what == "p":
                return str(t.expressions.position(argument))
            if what == "n":
                return str(t.expressions.number(argument))
            return t.value(argument).at(code.MULTIPLY) if what == "m" else str(t.value(argument))

        t.imports.update(_MODULE.findall(text))
        return Py(_PLACE.sub(filled, text), level)

    return rule


def _register(path: str, text: str) -> None:
    write = _form(text)

    def rule(t: Translation, node: Call) -> None:
        t.emit(write(t, node).text)

    statements[path] = rule


for _texts, _level in ((_CALLS, code.ATOM), (_SUMS, code.ADD), (_CHOICES, code.OR)):
    functions.update({path: _form(text, _level) for path, text in _texts.items()})
for _path, _text in _STATEMENTS.items():
    _register(_path, _text)
