"""Results that a program keeps, and views of them, over the module's next call: they show its new numbers.

``programs/kept_views.lua`` looks at the results of every module; what it saw in the original stands in a golden file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nn.program_on_every_class import compare

# Results of which a view still shows the old numbers: tables of results, and parts of a longer one.
LEFT = {
    f"nn.{name}"
    for name in """
    BiSequencer BiSequencerLM Bilinear CAdd CAddTensorTable CDivTable CMaxTable CMinTable CosineDistance DotProduct
    Index MV MaskedSelect MixtureTable ModuleFromCriterion NCEModule PairwiseDistance Reinforce Repeater SAdd
    SelectTable SeqGRU SeqLSTM SeqLSTMP Sequencer SoftMaxTree SpatialBinaryConvolution SpatialClassifier
    SpatialGlimpse SpatialReSamplingEx TemporalDynamicKMaxPooling TemporalRowConvolution ZipTableOneToMany
""".split()
}


def test_views_of_results_show_what_comes_in_their_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    compared = compare("kept_views", tmp_path, capfd)
    differ = [case for case in compared if case.ours != case.theirs]
    wrong = [f"{c.expr}, {c.variant}: {c.ours}, originally {c.theirs}" for c in differ if c.cls not in LEFT]
    assert wrong == []
    assert len(compared) > 400
