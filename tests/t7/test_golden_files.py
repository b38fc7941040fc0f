"""The original's own files: what they hold, that they are written back byte for byte, and what their models give."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import torch7py
import torch7py.files
import torch7py.nn.registry
from tests.inner_runtime import InnerRuntime as Runtime
from tests.t7.golden_files import described, files, is_binary, t7_names, unpack
from tests.together import together
from torch7py import Table
from torch7py.nn.unknown_layer import UnknownLayer
from torch7py.ops import types
from torch7py.ops.files import DiskFile
from torch7py.ops.memory import Storage
from torch7py.t7.objects import Object
from torch7py.t7.outline import outline
from torch7py.t7.reader import Reader

torch7py.files.register_layers()

ENDINGS = (".binary.t7", ".ascii.t7")


def stem(name: str) -> str:
    return name.removesuffix(ENDINGS[0]).removesuffix(ENDINGS[1])


# -- what they hold ----------------------------------------------------------------------------------------


class Comparison:
    """An object as read against its description; ids of the description must match objects one to one."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.storages: dict[int, int] = {}

    def check(self, obj: Any, wanted: Any, where: str = "it") -> None:
        if not isinstance(wanted, dict):
            self._scalar(obj, wanted, where)
        elif "ref" in wanted:
            assert obj is self.objects[wanted["ref"]] or obj == self.objects[wanted["ref"]], where
        elif "items" in wanted:
            self._meet(wanted["id"], obj, where)
            self._entries(obj, wanted, where)
        elif wanted["type"].endswith("Storage"):
            self._meet(wanted["id"], obj, where)
            assert isinstance(obj, Storage)
            assert obj.type.storage == wanted["type"]
            self._numbers(obj.tensor(), wanted["data"], where)
        else:
            self._meet(wanted["id"], obj, where)
            self._tensor(obj, wanted, where)

    def _meet(self, number: int, obj: Any, where: str) -> None:
        assert number not in self.objects, where
        assert not any(obj is other for other in self.objects.values()), f"{where} is shared"
        self.objects[number] = obj

    @staticmethod
    def _scalar(obj: Any, wanted: Any, where: str) -> None:
        if wanted == "nan" and not isinstance(obj, str):
            assert math.isnan(obj), where
        elif wanted in ("inf", "-inf") and not isinstance(obj, str):
            assert obj == float(wanted), where
        else:
            assert type(obj) is type(wanted) or (isinstance(obj, float) and type(wanted) is int), where
            assert obj == wanted, where

    def _entries(self, obj: Any, wanted: Any, where: str) -> None:
        if wanted["type"] != "table":
            assert isinstance(obj, Object), where
            assert obj.class_name == wanted["type"]
            obj = obj.fields
        assert isinstance(obj, Table), where
        assert len(obj) == len(wanted["items"]), where
        simple = {(type(key) is bool, key): key for key in obj if isinstance(key, (str, int, float))}
        others = [key for key in obj if not isinstance(key, (str, int, float))]
        for key, value in wanted["items"]:
            if isinstance(key, dict):
                found = self._key(others, key)
                others.remove(found)
                self.check(found, key, f"{where}, a key")
            else:
                found = simple[isinstance(key, bool), key]
            self.check(obj[found], value, f"{where}[{key!r}]")

    def _key(self, others: list[Any], wanted: Any) -> Any:
        """The object among those that are keys that is meant: one met before, or one that was not and looks so."""
        if "ref" in wanted:
            return self.objects[wanted["ref"]]
        new = [key for key in others if not any(key is other for other in self.objects.values())]
        plain = [(name, value) for name, value in wanted["items"] if not isinstance(value, dict)]
        alike = [key for key in new if all(name in key and key[name] == value for name, value in plain)]
        assert len(alike) == 1
        return alike[0]

    def _tensor(self, obj: Any, wanted: Any, where: str) -> None:
        assert isinstance(obj, torch.Tensor), where
        assert types.of(obj).tensor == wanted["type"], where
        sizes = list(obj.shape) if obj.numel() else []
        assert sizes == wanted["size"], where
        if sizes:
            assert list(obj.stride()) == wanted["stride"], where
        assert obj.storage_offset() + 1 == wanted["offset"], where
        storage = obj.untyped_storage()
        assert storage.nbytes() == wanted["storageSize"] * obj.element_size(), where
        if wanted["storage"]:
            assert self.storages.setdefault(wanted["storage"], storage._cdata) == storage._cdata, where
        self._numbers(obj.reshape(-1), wanted["data"], where)

    @staticmethod
    def _numbers(vector: torch.Tensor, wanted: list[Any], where: str) -> None:
        expected = torch.tensor([float(v) for v in wanted], dtype=torch.float64)
        assert torch.equal(vector.double().nan_to_num(nan=4.25), expected.nan_to_num(nan=4.25)), where


@together("ending", ENDINGS)
@together("name", sorted(described()))
def test_what_they_hold(tmp_path: Path, name: str, ending: str) -> None:
    file = DiskFile(unpack(tmp_path, name + ending))
    file.binary = is_binary(name + ending)
    comparison = Comparison()
    comparison.check(Reader(file).read(), described()[name])
    assert file.remaining() == 0
    file.close()
    numbers = list(comparison.storages.values())
    assert len(set(numbers)) == len(numbers), "storages that are shared here are not in the file"


# -- written back ------------------------------------------------------------------------------------------


def check_saved_again(folder: Path, name: str) -> None:
    content = torch7py.load(unpack(folder, name))
    torch7py.save(content, folder / "again", format="binary" if is_binary(name) else "ascii")
    assert (folder / "again").read_bytes() == files()[name]


# Every binary file, and of those as text, which take longer, one in six; the others are among the slow tests.
TEXTS = [name for name in t7_names() if not is_binary(name)]
QUICK = [name for name in t7_names() if is_binary(name)] + TEXTS[::6]


@together("name", QUICK)
def test_saved_again_they_are_identical(tmp_path: Path, name: str) -> None:
    check_saved_again(tmp_path, name)


@pytest.mark.slow
@together("name", sorted(set(TEXTS) - set(QUICK)))
def test_other_texts_saved_again_are_identical(tmp_path: Path, name: str) -> None:
    check_saved_again(tmp_path, name)


# The tables of a run of the original come in another order in each file: only what has none of those can be compared.
UNORDERED = ("table", "nn_", "crit_", "class", "checkpoint", "misc", "shared", "function")


@together("name", [n for n in t7_names() if is_binary(n) and not any(word in n for word in UNORDERED)])
def test_a_binary_file_and_a_text_say_the_same(tmp_path: Path, name: str) -> None:
    torch7py.save(torch7py.load(unpack(tmp_path, name)), tmp_path / "again", format="ascii")
    assert (tmp_path / "again").read_bytes() == files()[stem(name) + ENDINGS[1]]


# -- after a change ----------------------------------------------------------------------------------------


def with_parameters() -> list[str]:
    """The files that hold a layer with parameters."""

    def has_weight(wanted: Any) -> bool:
        if not isinstance(wanted, dict) or "items" not in wanted:
            return False
        names = {pair[0] for pair in wanted["items"] if isinstance(pair[0], str)}
        is_layer = wanted["type"].startswith("nn.") and {"weight", "gradWeight"} <= names
        return is_layer or any(has_weight(part) for pair in wanted["items"] for part in pair)

    holding = {name for name, content in described().items() if has_weight(content)}
    return [name for name in t7_names() if stem(name) in holding]


def differing(old: bytes, new: bytes) -> Any:
    """Where two files of one length differ, as an array."""
    first, second = (numpy.frombuffer(data, numpy.uint8) for data in (old, new))
    return numpy.flatnonzero(first != second)


def models_in(root: Any) -> list[torch.nn.Module]:
    if isinstance(root, torch.nn.Module):
        return [root]
    if isinstance(root, Table):
        return [model for value in root.values() for model in models_in(value)]
    return []


@together("name", with_parameters()[::3])
def test_one_changed_weight_changes_only_itself(tmp_path: Path, name: str) -> None:
    check_one_changed_weight(tmp_path, name)


@pytest.mark.slow
@together("name", with_parameters())
def test_one_changed_weight_of_any_file_changes_only_itself(tmp_path: Path, name: str) -> None:
    check_one_changed_weight(tmp_path, name)


def check_one_changed_weight(tmp_path: Path, name: str) -> None:
    content = torch7py.load(unpack(tmp_path, name))
    weight = next(p for model in models_in(content) for p in model.parameters())
    with torch.no_grad():
        weight.view(-1)[0] = 123.5
    torch7py.save(content, tmp_path / "again", format="binary" if is_binary(name) else "ascii")
    old, new = files()[name], (tmp_path / "again").read_bytes()
    if not is_binary(name):
        lines = [n for n, (a, b) in enumerate(zip(old.split(b"\n"), new.split(b"\n"), strict=True)) if a != b]
        one, other = old.split(b"\n")[lines[0]].split(b" "), new.split(b"\n")[lines[0]].split(b" ")
        assert len(lines) == 1
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1
        return
    assert len(old) == len(new)
    changed = differing(old, new)
    assert 0 < len(changed) <= weight.element_size()
    assert changed[-1] - changed[0] < weight.element_size()


# A new running_var, where the file has the running_std of before, makes the object one of today's version.
UPGRADED = ("nn_batchnorm_2015.binary.t7",)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [n for n in with_parameters() if is_binary(n) and n not in UPGRADED])
def test_a_state_dict_changes_only_the_weights(tmp_path: Path, name: str) -> None:
    """Every byte that differs is in a storage that a parameter or buffer lies in."""
    path = unpack(tmp_path, name)
    content = torch7py.load(path)
    for model in models_in(content):
        state = {key: torch.randn_like(value) for key, value in model.state_dict().items()}
        model.load_state_dict(state)
    torch7py.save(content, tmp_path / "again")
    old, new = files()[name], (tmp_path / "again").read_bytes()
    assert len(old) == len(new)
    ranges = [
        range(storage.position, storage.position + storage.bytes)
        for storage in outline(path).storages
        if storage.type.is_floating
    ]
    changed = differing(old, new)
    assert len(changed)
    inside = numpy.zeros(len(old), dtype=bool)
    for place in ranges:
        inside[place.start : place.stop] = True
    assert inside[changed].all()
    again = models_in(torch7py.load(tmp_path / "again"))
    for one, other in zip(models_in(content), again, strict=True):
        assert one.state_dict().keys() == other.state_dict().keys()
        for key, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[key]), key


def scripts_name(name: str) -> bool:
    """Whether a script with nn and rnn loaded knows all classes of a file, and all of their versions."""
    graphs = {"nngraph.Node", "graph.Graph", "graph.Edge"}
    known = {"table", "oracle.Foo", "oracle.Bar", *graphs, *torch7py.nn.registry.layers}

    def used(wanted: Any) -> set[str]:
        if not isinstance(wanted, dict) or "items" not in wanted:
            return set()
        inner: set[str] = set().union(*(used(part) for pair in wanted["items"] for part in pair))
        return inner | {wanted["type"]}

    wanted = described().get(stem(name).replace("_fwd", ""))
    # batch normalization of 2015 becomes that of today, as in the original
    return used(wanted) <= known and not name.startswith(("nn_batchnorm_2015", "nn_batchnorm_fwd_2015"))


@pytest.fixture(scope="module")
def scripts():
    runtime = Runtime()
    runtime.execute("""
        require 'rnn'
        require 'nngraph'
        oracle = {}
        torch.class('oracle.Foo')
        torch.class('oracle.Bar', 'oracle.Foo')
        function copy(from, to, mode) torch.save(to, torch.load(from, mode), mode) end
    """)
    yield runtime
    runtime.close()


@pytest.mark.sampled(12)
@pytest.mark.parametrize("name", [name for name in t7_names() if scripts_name(name)])
def test_a_script_saves_them_again_as_they_are(scripts: Runtime, tmp_path: Path, name: str) -> None:
    mode = "binary" if is_binary(name) else "ascii"
    scripts.globals["copy"](str(unpack(tmp_path, name)), str(tmp_path / "again"), mode)
    assert (tmp_path / "again").read_bytes() == files()[name]


# -- models ------------------------------------------------------------------------------------------------


def models() -> list[str]:
    """The models that have an input with an output, each after its training step."""
    return sorted(
        name.replace("_eval_io", "_fwd") for name in t7_names() if "_eval_io" in name and is_binary(name)
    )


# nn's LogSoftMax of 2015 had a polynomial for exp, right to about 1e-6.
POLYNOMIAL = ("nn_mlp_fwd_2015", "nn_post_fastlstm_fwd_2015")


def tolerance(name: str) -> float:
    if stem(name) in POLYNOMIAL:
        return 1e-6
    return 1e-6 if "_float" in name else 1e-14


def assert_equal(ours: Any, wanted: Any, limit: float) -> None:
    if isinstance(wanted, Table):
        assert len(ours) == len(wanted)
        for one, other in zip(ours, wanted.array(), strict=True):
            assert_equal(one, other, limit)
    else:
        assert ours.shape == wanted.shape
        assert (ours - wanted).abs().max().item() <= limit


def load_model(tmp_path: Path, name: str) -> Any:
    content = torch7py.load(unpack(tmp_path, name))
    model = content["model"] if isinstance(content, Table) else content
    unknown = {part.class_name for part in model.modules() if isinstance(part, UnknownLayer)}
    if unknown:
        pytest.skip(f"not there yet: {', '.join(sorted(unknown))}")
    return model


@pytest.mark.parametrize("name", models())
def test_a_model_gives_what_it_gave(tmp_path: Path, name: str) -> None:
    model = load_model(tmp_path, name)
    pair = torch7py.load(unpack(tmp_path, name.replace("_fwd", "_eval_io")))
    input = pair["input"].array() if isinstance(pair["input"], Table) else pair["input"]
    model.set_evaluate()
    assert_equal(model.torch7_forward(input), pair["output"], tolerance(name))


@pytest.mark.one_runtime
@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", models())
def test_a_model_gives_it_to_a_script_and_goes_on_training(
    runtime: Runtime, tmp_path: Path, name: str
) -> None:
    load_model(tmp_path, name)
    pair = unpack(tmp_path, name.replace("_fwd", "_eval_io"))
    runtime.execute(f"""
        require 'rnn'
        require 'nngraph'
        local content = torch.load('{tmp_path / name}')
        m = content.model or content
        io = torch.load('{pair}')
        m:evaluate()
        output = m:forward(io.input)
    """)
    assert_equal(runtime.globals["output"], torch7py.load(pair)["output"], tolerance(name))
    runtime.execute("""
        m:training()
        m:zeroGradParameters()
        if m.forget then m:forget() end
        local before = {}
        for i, p in ipairs((m:parameters())) do before[i] = p:clone() end
        m:backward(io.input, m:forward(io.input))
        m:updateParameters(0.1)
        moved = 0
        for i, p in ipairs((m:parameters())) do moved = moved + (p - before[i]):abs():max() end
    """)
    assert runtime.globals["moved"] > 0
