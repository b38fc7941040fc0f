"""The original's own .t7 files as pages: the page gives what the original gave in evaluation."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import torch7py
from tests.t7.golden_files import files, unpack
from torch7py.translate.files import models_in, translate_file, write_page
from torch7py.translate.layers import NotNative
from torch7py.translate.model import translate_model
from torch7py.translate.verify import like, load, native_input, relative_error, verify_model

SAVED = sorted(
    name.replace("_eval_io", "")
    for name in files()
    if "_eval_io" in name and name.endswith(".binary.t7") and name.replace("_eval_io", "") in files()
)


# Recorded after a forward in training: with other running statistics, or with a step that is remembered.
LATER = (
    "nn_batchnorm.",
    "nn_batchnorm_2015.",
    "nn_lstm.",
    "nn_lstm_2015.",
    "nn_recurrent.",
    "nn_recurrent_2015.",
)


def plain(value: Any) -> Any:
    return [plain(item) for item in value.array()] if isinstance(value, torch7py.Table) else value


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_model(tmp_path: Path, name: str) -> None:
    kind = "_2015.binary" if "_2015" in name else ".binary"
    recorded = torch7py.load(unpack(tmp_path, name.replace(kind, f"_eval_io{kind}")))
    model = torch7py.load(unpack(tmp_path, name))
    source = translate_model(model, example=plain(recorded["input"]))
    single = "_float" in name
    assert verify_model(model, source, plain(recorded["input"]), 1e-5 if single else 1e-10).errors
    if name.startswith(LATER):
        return
    (cls,) = source.classes
    native = load(source.code, cls.name)().to(torch.float32 if single else torch.float64)
    native.load_state_dict(source.weights, strict=True)
    output = native.eval()(native_input(cls.inputs, plain(recorded["input"])))
    # The softmax of 2015 had a polynomial in the place of exp.
    tolerance = 1e-5 if single or ("_2015" in name and "log_softmax" in source.code) else 1e-10
    assert relative_error(output, like(output, plain(recorded["output"]))) <= tolerance


def test_a_checkpoint_gives_a_page_with_a_class_and_a_function(tmp_path: Path) -> None:
    path = unpack(tmp_path, "checkpoint_charrnn_like.binary.t7")
    source = translate_file(path)
    assert [place for place, _ in models_in(torch7py.load(path))] == ["protos.criterion", "protos.rnn"]
    write_page(source, tmp_path / "page.py")
    page = runpy.run_path(str(tmp_path / "page.py"))
    model = page["Rnn"]().double()
    model.load_state_dict(load_file(tmp_path / "page.safetensors"))
    original: Any = torch7py.load(path)["protos"]["rnn"]
    x = torch.rand(4, 3, dtype=torch.float64)
    assert torch.equal(model(x), original(x))
    logs = torch.tensor([[0.1, 0.9], [0.5, 0.5]]).log()
    loss = page["criterion"](logs, torch.tensor([2, 1]))
    assert loss.item() == pytest.approx(-(logs[0, 1] + logs[1, 0]).item() / 2)


def test_a_file_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotNative, match=r"table_array\.binary\.t7: no model in it"):
        translate_file(unpack(tmp_path, "table_array.binary.t7"))
