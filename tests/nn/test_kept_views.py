"""Results that a program keeps, and views of them, over the module's next call: they show its new numbers.

``programs/kept_views.lua`` looks at the results of every module, ``programs/shared_memory.lua`` at the memory in which
they lie; what both saw in the original stands in golden files. ``programs/kept_over_paths.lua`` prints nothing there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare

# Results of which a view still shows the old numbers: parts of a longer tensor, which the steps of a sequence are.
SEQUENCES = {"nn.Sequencer", "nn.BiSequencer", "nn.BiSequencerLM"}
# What the original does with its last result besides.
LEFT = {
    "nn.MaskedSelect": "an error of the original",
    "nn.Reinforce": "without a result in the original",
    "nn.SpatialReSamplingEx": "the last output and gradInput get other sizes in their memory",
}


def test_views_of_results_show_what_comes_in_their_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    compared = compare("kept_views", tmp_path, capfd)
    differ = [case for case in compared if case.ours != case.theirs]
    wrong = [
        f"{c.expr}, {c.variant}: {c.ours}, originally {c.theirs}"
        for c in differ
        if c.cls not in SEQUENCES | LEFT.keys()
    ]
    assert wrong == []
    assert len(compared) > 400


def test_results_lie_in_the_memory_that_they_were_given(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    compared = compare("shared_memory", tmp_path, capfd)
    differ = {
        f"{c.expr}, {c.variant}: {c.ours}, originally {c.theirs}" for c in compared if c.ours != c.theirs
    }
    assert differ == {"nn.Reinforce(), output: none, originally nothing"}
    assert len(compared) > 400


def test_views_follow_whatever_becomes_of_the_model(runtime, capfd: pytest.CaptureFixture[str]) -> None:
    """After copies, files and conversions, and whichever of the ways to compute a model does a step."""
    runtime.run(Path(__file__).parent / "programs" / "kept_over_paths.lua")
    assert capfd.readouterr().out == ""


def test_an_entry_of_a_table_is_overwritten_where_it_is_kept(runtime):
    """In tables of gradients too, whether the program holds the entry or a view of it."""
    kept = runtime.execute("""
        require 'nn'
        local m, g = nn.CMulTable(), torch.ones(3)
        local x = {torch.Tensor{1, 2, 3}, torch.Tensor{4, 5, 6}}
        local whole = m:forward(x) and m:backward(x, g)
        local entry, view = whole[1], whole[2]:narrow(1, 2, 1)
        local y = {torch.Tensor{7, 8, 9}, torch.Tensor{10, 11, 12}}
        m:forward(y)
        m:backward(y, g)
        return {entry[1], view[1]}
    """)
    assert kept == [10, 8]
