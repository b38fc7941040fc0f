"""torch.CmdLine: how a program ends that is called wrongly, and its log."""

from __future__ import annotations

import pytest

from tests.inner_runtime import InnerRuntime as Runtime

OPTIONS = """
local cmd = torch.CmdLine()
cmd:text('Train')
cmd:option('-rate', 0.1, 'step size')
local opt = cmd:parse(arg)
print('rate ' .. opt.rate)
"""


class TestCommandLine:
    @pytest.mark.parametrize(
        ("words", "code", "written"),
        [
            ([], 0, "rate 0.1\t\n"),
            (["-rate", "3"], 0, "rate 3\t\n"),
            (["--help"], 0, "Usage: {script} [options]\nTrain\n  -rate step size [0.1]\n"),
            (["-nope"], 1, "\t\n\t\nUsage: [options]\nTrain\n  -rate step size [0.1]\n"),
        ],
    )
    def test_ends(self, tmp_path, capfd, words, code, written):
        script = tmp_path / "script.lua"
        script.write_text(OPTIONS)
        with Runtime() as runtime:
            assert runtime.run(script, words) == code
        assert capfd.readouterr().out == written.format(script=script)

    def test_a_log_gets_what_is_printed(self, tmp_path, capfd):
        with Runtime() as runtime:
            runtime.globals["log"] = str(tmp_path / "log")
            runtime.execute("local cmd = torch.CmdLine() cmd:silent() cmd:log(log) print('seen', 1)")
        assert (tmp_path / "log").read_text().endswith("[----------------------] \nseen 1 \n")
        assert capfd.readouterr().out == ""
