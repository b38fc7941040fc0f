"""The loaders of dataload: the page prints what the original prints."""

from __future__ import annotations

import collections
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.translate.layers.helpers import HELPERS
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

START = "local dl = require 'dataload'\ntorch.manualSeed(3)\n"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEEP_DATA_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("DEEP_SAVE_PATH", str(tmp_path / "save"))
    return tmp_path / "data"


def verified(source: str, tmp_path: Path, again: bool = False) -> str:
    """The page of a program. ``again``: compared with a second run, which finds the file that the first one left."""
    page = translate_script(source.encode(), "program.lua")
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    script = tmp_path / "program.lua"
    script.write_text(source)
    if again:
        Runtime().run(script)
    comparison = verify_script(page, script)
    assert comparison.numbers > 0
    assert comparison.largest < 1e-12
    return page.code


def test_tensors(tmp_path):
    source = (
        START
        + """local loader = dl.TensorLoader(torch.range(1, 10):view(5, 2), torch.range(11, 15))
for k, inputs, targets in loader:subiter(2, 6) do print(k, inputs:sum(), targets[1]) end
for k, inputs, targets in loader:subiter(3) do print(k, inputs[1][1], targets:sum()) end
loader:reset()
for k, inputs in loader:subiter(nil, 4) do print(k, inputs:sum()) end
for k, inputs, targets in loader:sampleiter(2, 5) do print(k, inputs:sum(), targets:sum()) end
local some, classes = loader:sample(3)
print(some:sum(), classes:sum())
loader:shuffle()
local train, valid = loader:split(0.6)
print(train:size(), valid:size(), loader.targets[1])
local inputs, targets = valid:sub(1, 2)
print(inputs[1][1], targets:sum())
print(loader:index(torch.LongTensor{2, 1})[1][2])
"""
    )
    code = verified(source, tmp_path)
    assert "    for k, inputs, targets in loader.subiter(2, 6):\n" in code
    assert "    for k, inputs, _ in loader.subiter(epoch_size=4):\n" in code
    assert "    train, valid = loader.split(0.6)\n" in code


def test_sequences(tmp_path):
    source = (
        START
        + """local loader = dl.SequenceLoader(torch.range(1, 13), 2)
for k, inputs, targets in loader:subiter(4) do print(k, inputs:sum(), targets:sum(), targets[1][2]) end
local both = dl.SequenceLoader(torch.range(1, 13), 3, true)
for k, inputs, targets in both:subiter(3, 3) do print(k, inputs:sum(), targets:sum()) end
print(loader:size(), both:size(), both.batchsize)
local many = dl.MultiSequence({torch.range(1, 4), torch.range(11, 12), torch.range(21, 25)}, 2)
for k, inputs, targets in many:subiter(4, 20) do
   for i = 1, inputs:size(1) do print(k, inputs[i][1], inputs[i][2], targets[i][1], targets[i][2]) end
end
many:reset()
local inputs, targets = many:sub(1, 3)
print(inputs:sum(), targets:sum())
local rows = dl.MultiSequence({torch.range(1, 8):view(4, 2)}, 1)
print(rows:sub(1, 6):sum())
"""
    )
    code = verified(source, tmp_path)
    assert "    inputs, targets = many.sub(0, 3)\n" in code


def test_tools(tmp_path):
    source = (
        START
        + """local vocab, ivocab, counts = dl.buildVocab({'b', 'a', 'b', 'c'}, 2)
print(#ivocab, ivocab[2], vocab['b'], counts['b'], dl.text2tensor({'a', 'b'}, vocab):sum())
table.print{a = 1, b = 'it"s', c = true, d = {1, 2.5, 'x'}}
local cmd = torch.CmdLine()
cmd:option('-rate', 0.5, '')
cmd:option('-name', 'x', '')
cmd:option('-quiet', false, '')
local opt = cmd:parse(arg)
table.print(opt)
print(paths.concat(dl.SAVE_PATH, 'models'))
print(dl.uniqueid('me'), dl.uniqueid('me', '-'))
"""
    )
    code = verified(source, tmp_path)
    assert '    print(os.path.join(data_folder("save"), "models"))\n' in code


def test_ptb(tmp_path, data):
    (data / "PennTreeBank").mkdir(parents=True)
    for name, text in {
        "train": " b a c \n a b a \n",
        "valid": " a b \n c c \n",
        "test": " c a \n b a \n",
    }.items():
        (data / "PennTreeBank" / f"ptb.{name}.txt").write_text(text)
    source = (
        START
        + """local train, valid, test = dl.loadPTB({2, 1, 1})
print('Vocabulary size : ' .. #train.ivocab, train:size(), valid:size())
for k, inputs, targets in train:subiter(2) do
   print(k, train.ivocab[inputs[1][1]], train.wordfreq[train.ivocab[targets[1][2]]])
end
print(test.vocab['a'], test.data:sum())
"""
    )
    code = verified(source, tmp_path)
    assert "    train, valid, test = load_ptb([2, 1, 1])\n" in code


def test_billion_words(tmp_path, data):
    place = data / "BillionWords"
    place.mkdir(parents=True)
    rows = [[1, 1], [1, 2], [1, 793471], [4, 1], [4, 793471]]
    for name in ("train_tiny", "valid_data", "test_data"):
        torch7py.save(torch.tensor(rows, dtype=torch.int32), place / f"{name}.th7")
    torch7py.save(["the", "of"], place / "word_map.th7")
    torch7py.save(torch.tensor([3, 2], dtype=torch.int32), place / "word_freq.th7")
    source = (
        START
        + """local train, valid = dl.loadGBW({2, 1, 1}, 'train_tiny.th7', nil, nil, true)
print(train:size(), #train.ivocab, train.vocab['of'], train.wordfreq:float():sum())
for k, inputs, targets in train:subiter(3) do print(k, inputs:sum(), targets:sum()) end
"""
    )
    code = verified(source, tmp_path, again=True)
    assert '    train, _, _ = load_billion_words([2, 1, 1], "train_tiny.th7", verbose=True)\n' in code


def test_sentiments(tmp_path, data):
    place = data / "Twitter"
    place.mkdir(parents=True)
    row = '"{}","1","day","NO_QUERY","me","{}"\n'
    train = [(0, "bad bad day"), (2, "day"), (4, "good day"), (4, "good"), (0, "rare bad")]
    (place / "traintokens.1600000.processed.noemoticon.csv").write_text(
        "".join(row.format(*t) for t in train)
    )
    (place / "testtokens.manual.2009.06.14.csv").write_text(row.format(4, "good new day too long"))
    source = (
        START
        + """local train, valid, test = dl.loadSentiment140(nil, 2, 4, 0.5)
print(#train.ivocab, train:size(), valid:size(), test.unigram[2])
for k, inputs, targets in train:sampleiter(2, 3) do
   print(k, targets[1], train:tensor2text(inputs[1]))
end
print(test:tensor2text(test.inputs[1]), train.inputs:sum(), train.inputs[1]:sum())
"""
    )
    code = verified(source, tmp_path, again=True)
    assert "    train, valid, test = load_sentiment140(least=2, length=4, valid_ratio=0.5)\n" in code


def helpers(*names: str) -> dict[str, Any]:
    """Functions as they stand in pages."""
    space: dict[str, Any] = {"collections": collections, "os": os, "re": re, "torch": torch}
    for name in names:
        exec(HELPERS[name], space)
    return space


def test_sentences_without_a_file_of_the_last_time(data, capsys):
    raw = torch.tensor([[1, 5], [1, 6], [1, 793471], [4, 7], [4, 793471], [6, 793471]])
    data.mkdir()
    torch.save(raw, data / "raw.th7")
    load = helpers("load_sentences")["load_sentences"]
    first = load(str(data / "raw.th7"))
    assert [part.tolist() for part in first] == [
        [793470, 5, 6, 793471],
        [793470, 7, 793471, 793471],  # a last line of its own is no sentence
    ]
    again = load(str(data / "raw.th7"))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    said = capsys.readouterr().out
    assert said.count("\n") == 4
    assert said.endswith(f"loading cached {data}/raw.cache.t7\n")
    torch7py.save(raw, data / "lua.th7")
    text = f"""local list = require('dataload').MultiSequenceGBW('{data}', 'lua.th7', 1).sequences
    local all = {{}}
    for i, sentence in ipairs(list) do all[i] = table.concat(sentence:totable(), ' ') end
    return table.concat(all, '|')"""
    assert Runtime().execute(text) == "|".join(" ".join(map(str, part.tolist())) for part in first)


def test_messages_without_a_file_of_the_last_time(tmp_path):
    path = tmp_path / "messages.csv"
    train = [(0, "bad bad day"), (2, "day"), (4, "good day is longer"), (4, "good"), (0, "rare bad")]
    path.write_text("".join(f'"{polarity}","1","day","NO_QUERY","me","{text}"\n' for polarity, text in train))
    read = helpers("read_messages")["read_messages"]
    for least, vocab in ((2, None), (None, {"<OOV>": 1, "good": 2, "day": 3})):
        ours = read(str(path), vocab, 3, least)
        given = "2" if vocab is None else "{['<OOV>'] = 1, good = 2, day = 3}"
        text = f"""local loader = require('dataload').Sentiment140Loader('{path}', {given}, 3)
        local unigram, words = loader.unigram or torch.LongTensor{{0}}, loader.ivocab or {{}}
        return loader.inputs, loader.targets, unigram, table.concat(words, ' ')"""
        inputs, targets, unigram, words = Runtime().execute(text)
        assert torch.equal(ours["inputs"], inputs)
        assert torch.equal(ours["targets"], targets)
        if vocab is None:
            assert torch.equal(ours["unigram"], unigram)
            assert " ".join(ours["ivocab"]) == words


def test_mnist(tmp_path, data):
    (data / "mnist").mkdir(parents=True)
    for name, count in (("train", 6), ("test", 2)):
        images = (torch.arange(count * 784) % 256).view(count, 28, 28, 1).float()
        torch7py.save([images, torch.arange(count).float()], data / "mnist" / f"{name}.th7")
    source = (
        START
        + """local train, valid, test = dl.loadMNIST()
print(train:size(), valid:size(), test:size(), #test.classes, valid.targets[1])
for k, inputs, targets in train:sampleiter(2) do print(k, inputs:size(3), inputs[1][1][2][3], targets[1]) end
print(test.inputs:max(), test.inputs:min())
"""
    )
    verified(source, tmp_path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("local kept = {}\nfor k, inputs in loader:subiter(2) do kept[k] = inputs end", "T7-230"),
        ("local kept = {}\nfor k, inputs in loader:subiter(2) do table.insert(kept, inputs) end", "T7-230"),
        ("for k, inputs in loader:subiter(2, 3, 'more') do print(k) end", "T7-203"),
        ("local nest = dl.TensorLoader({torch.zeros(3)}, torch.zeros(3))", "T7-203"),
        (
            "local s = dl.SequenceLoader(torch.zeros(9), 3)\nfor k in s:sampleiter(2) do print(k) end",
            "T7-202",
        ),
        ("local a, b, c = dl.loadPTB(20, nil, 'http://elsewhere')", "T7-203"),
        ("local m = dl.MultiSequence({torch.zeros(3)}, 3)\nm.randseq = true\nprint(m:size())", "T7-303"),
    ],
)
def test_refusals(text, code):
    source = (
        START
        + "local loader = dl.TensorLoader(torch.zeros(5), torch.zeros(5))\n"
        + text
        + "\nprint(loader:size())\n"
    )
    assert {problem.code for problem in translate_script(source.encode(), "program.lua").problems} == {code}
