"""dataload: batches beside what slices of the data give, and data sets read from files of the original's formats."""

from __future__ import annotations

import collections
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

HELPERS = """
local dl = require 'dataload'
local function flat(t) return table.concat(t:contiguous():view(-1):totable(), ' ') end
local function sizes(t) return table.concat(t, 'x') end
local function walked(iterator)
   local seen = {}
   for k, inputs, targets in iterator do seen[#seen + 1] = k .. ': ' .. flat(inputs) .. ' | ' .. flat(targets) end
   return table.concat(seen, '\\n')
end
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEEP_DATA_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("DEEP_SAVE_PATH", str(tmp_path / "save"))
    return tmp_path / "data"


@pytest.fixture
def lua(folder: Path) -> Any:
    runtime = Runtime()
    return lambda text: runtime.execute(HELPERS + text)


def test_the_folders_are_made_where_the_environment_says(lua, folder):
    assert lua("return dl.DATA_PATH, dl.SAVE_PATH") == (str(folder), str(folder.with_name("save")))
    assert folder.is_dir()
    assert folder.with_name("save").is_dir()
    assert lua("return require 'dataload._env' == dl, _G.dl == nil") == (True, True)


class TestTensorLoader:
    MADE = "local loader = dl.TensorLoader(torch.range(1, 5), torch.range(11, 15)) "

    def test_subiter_goes_around_and_goes_on(self, lua):
        walked = lua(self.MADE + "return walked(loader:subiter(2, 6)), walked(loader:subiter(3, 3))")
        assert walked[0] == "2: 1 2 | 11 12\n4: 3 4 | 13 14\n5: 5 | 15\n6: 1 | 11"
        assert walked[1] == "3: 2 3 4 | 12 13 14"

    def test_an_epoch_is_all_without_a_size_or_with_none_above_0(self, lua):
        for size in ("nil", "-1", "0"):
            assert lua(self.MADE + f"return walked(loader:subiter(4, {size}))").endswith("\n5: 5 | 15")

    def test_reset_begins_again(self, lua):
        text = "loader:subiter(2)() loader:reset() return walked(loader:subiter(5))"
        assert lua(self.MADE + text) == "5: 1 2 3 4 5 | 11 12 13 14 15"

    def test_sampleiter_draws_as_random_does(self, lua):
        drawn = lua(self.MADE + "torch.manualSeed(3) return walked(loader:sampleiter(2, 5))")
        numbers = lua("torch.manualSeed(3) return flat(torch.LongTensor(5):random(1, 5))").split()
        lines = [line.split(": ")[1].split(" | ") for line in drawn.splitlines()]
        assert [number for line in lines for number in line[0].split()] == numbers
        assert [int(b) - int(a) for line in lines for a, b in zip(*map(str.split, line), strict=True)] == [
            10
        ] * 5
        assert [line.split(":")[0] for line in drawn.splitlines()] == ["2", "4", "5"]

    def test_buffers_are_used_again_and_more_arguments_handed_on(self, lua):
        text = """local seen = {}
        function loader:sub(first, last, inputs, targets, more)
           seen[#seen + 1] = tostring(more)
           return dl.DataLoader.sub(self, first, last, inputs, targets)
        end
        local inputs
        for k, i in loader:subiter(2, nil, 'more') do
           assert(inputs == nil or rawequal(inputs, i))
           inputs = i
        end
        return table.concat(seen, ' ')"""
        assert lua(self.MADE + text) == "more more more"

    def test_nests(self, lua):
        text = """local loader = dl.TensorLoader({torch.range(1, 6):view(3, 2), {torch.range(7, 9)}}, torch.range(1, 3))
        local inputs, targets = loader:index(torch.LongTensor{3, 1})
        local size = loader:isize(false)
        return flat(inputs[1]), flat(inputs[2][1]), flat(targets), sizes(size[1]), sizes(size[2][1]),
               sizes(loader:isize()[1]), #loader:tsize()"""
        assert lua(text) == ("5 6 1 2", "9 7", "3 1", "3x2", "3", "2", 0)

    def test_split_and_shuffle(self, lua):
        text = (
            self.MADE
            + """local a, b = loader:split(0.5)
        a.inputs:fill(0)
        local _, order = loader:shuffle()
        return flat(a.targets), flat(b.targets), flat(loader.inputs), flat(loader.targets), flat(order)"""
        )
        first, second, inputs, targets, order = lua(text)
        assert (first, second) == ("11 12", "13 14 15")
        assert sorted(map(int, order.split())) == [1, 2, 3, 4, 5]
        assert targets.split() == [str(10 + int(place)) for place in order.split()]
        assert inputs.split() == [place if int(place) > 2 else "0" for place in order.split()]

    def test_clone_is_a_deep_copy(self, lua):
        assert lua(
            self.MADE + "local c = loader:clone() c.inputs:fill(0)\n return loader.inputs:sum(), c:size()"
        ) == (15, 5)

    def test_refusals(self, lua):
        for text, message in (
            ("dl.TensorLoader(torch.zeros(2), torch.zeros(3))", "2 inputs but 3 targets"),
            (self.MADE + "loader:split(1)", "ratio between 0 and 1"),
            ("dl.DataLoader():size()", "DataLoader:size is not implemented"),
        ):
            with pytest.raises(LuaError, match=message):
                lua(text)


class TestSequences:
    def test_a_sequence_in_columns(self, lua):
        made = "local loader = dl.SequenceLoader(torch.range(1, 9), 2) "
        assert lua(made + "return walked(loader:subiter(2))") == "2: 1 5 2 6 | 2 6 3 7\n3: 3 7 | 4 8"
        assert lua(made + "return loader:size(), sizes(loader:isize()), sizes(loader:tsize(false))") == (
            3,
            "2",
            "3x2",
        )

    def test_bidirectional_targets_are_the_inputs(self, lua):
        made = "local loader = dl.SequenceLoader(torch.range(1, 9), 2, true) "
        assert lua(made + "return loader:size(), walked(loader:subiter(3))") == (
            4,
            "3: 1 5 2 6 3 7 | 1 5 2 6 3 7\n4: 4 8 | 4 8",
        )

    def test_batches_are_views(self, lua):
        text = "local l = dl.SequenceLoader(torch.range(1, 9), 2) l:sub(1, 2):fill(0) return flat(l.data)"
        assert lua(text) == "0 0 0 0 3 7 4 8"

    def test_many_sequences_with_masks_between(self, lua):
        made = "local loader = dl.MultiSequence({torch.range(1, 4), torch.range(11, 12), torch.range(21, 25)}, 2) "
        steps = 11 / 2
        # Column 1 takes the first sequence, column 2 the second and the third, and then column 1 the first again.
        first, second = [0, 1, 2, 3, 0, 1], [0, 11, 0, 21, 22, 23]
        assert lua(made + "return loader:size()") == math.ceil(steps)
        walked = lua(made + "return walked(loader:subiter(4))").split("\n")
        columns = [list(map(int, line.split(": ")[1].split(" | ")[0].split())) for line in walked]
        numbers = [number for column in columns for number in column]
        assert (numbers[0::2], numbers[1::2]) == (first, second)
        assert walked[0].split(" | ")[1] == "1 1 2 12 3 1 4 22"

    def test_rows_of_several_numbers(self, lua):
        text = """local sequence = torch.range(1, 6):view(3, 2)
        local inputs, targets = dl.MultiSequence({sequence}, 1):sub(1, 3)
        return flat(inputs), flat(targets), sizes(inputs:size():totable())"""
        assert lua(text) == ("0 0 1 2 3 4", "0 0 3 4 5 6", "3x1x2")

    def test_reset_begins_with_the_first_sequence(self, lua):
        made = "local l = dl.MultiSequence({torch.range(1, 4), torch.range(5, 9)}, 1) l:sub(1, 5) "
        assert lua(made + "l:reset() return flat((l:sub(1, 2)))") == "0 1"

    def test_sequences_drawn_at_random(self, lua):
        text = """local l = dl.MultiSequence({torch.Tensor{1, 1}, torch.Tensor{2, 2}}, 1)
        l.randseq = true
        return flat((l:sub(1, 200)))"""
        counts = collections.Counter(lua(text).split())
        assert counts["0"] == 100
        assert 30 < counts["1"] < 70

    def test_refusals(self, lua):
        for text, message in (
            ("dl.SequenceLoader(torch.range(1, 9), 2):sub(1, 4)", "beyond the end"),
            ("dl.SequenceLoader(torch.range(1, 9), 2):sampleiter(2)", "use subiter"),
            ("dl.SequenceLoader({1}, 2)", "a tensor expected"),
            ("dl.MultiSequence({1}, 2)", "a table of tensors expected"),
        ):
            with pytest.raises(LuaError, match=message):
                lua(text)


class TestAsyncIterator:
    MADE = """local loader = dl.TensorLoader(torch.range(1, 6), torch.range(1, 6))
    local async = dl.AsyncIterator(loader) """

    def test_the_same_batches(self, lua):
        first, second, third = lua(
            self.MADE
            + "return walked(loader:subiter(4, 10)), walked(async:subiter(4, 10)), async.ninprogress"
        )
        assert first == second
        assert third == 0

    def test_a_last_example_alone_is_left_out(self, lua):
        assert (
            lua(self.MADE + "return walked(async:subiter(5, 7))") == "5: 1 2 3 4 5 | 1 2 3 4 5\n7: 1 2 | 1 2"
        )

    def test_a_batch_lasts_until_the_next_one_is_asked_for(self, lua):
        text = """local ok = true
        for k, inputs, targets in async:sampleiter(1, 40) do ok = ok and inputs[1] == targets[1] end
        return ok"""
        assert lua(self.MADE + text) is True

    def test_one_iterator_at_a_time(self, lua):
        with pytest.raises(LuaError, match="one iterator at a time"):
            lua(self.MADE + "local first = async:subiter(2) async:sampleiter(2) first()")
        with pytest.raises(LuaError, match="a loader expected"):
            lua("dl.AsyncIterator(torch.zeros(2))")


class TestTools:
    def test_vocabularies(self, lua):
        text = """local vocab, ivocab, counts = dl.buildVocab({'b', 'a', 'c', 'a', 'b', 'd'}, %s)
        return table.concat(ivocab, ' '), vocab.a, vocab.b, counts.b,
               flat(dl.text2tensor({'b', 'a', 'd'}, vocab)), torch.type(dl.text2tensor({'a'}, vocab))"""
        assert lua(text % "nil") == ("a b c d", 1, 2, 2, "2 1 4", "torch.IntTensor")
        assert lua(text % "2") == ("a b <OOV>", 1, 2, 2, "2 1 3", "torch.IntTensor")
        with pytest.raises(LuaError, match="'z' is not in the vocabulary"):
            lua("dl.text2tensor({'z'}, {a = 1})")

    def test_numbers(self, lua):
        assert lua("return flat(dl.rescale(torch.Tensor{0, 5, 10}, -1, 1))") == "-1 0 1"
        assert lua("return flat(dl.rescale(torch.Tensor{0, 5}, 0, 1, 0, 10))") == "0 0.5"
        assert lua("return flat(dl.binarize(torch.Tensor{0.1, 0.5, 0.7}, 0.5))") == "0 1 1"

    def test_texts(self, lua, tmp_path):
        (tmp_path / "lines").write_text("a\nb\nc")
        assert lua(f"return dl.getNumberOfLines('{tmp_path}/lines')") == 3
        assert lua("return table.concat(dl.splitString('a:b::c'), '|')") == "a|b|c"
        assert lua("return table.concat(dl.splitString('a,b;c', ',;'), '|')") == "a|b|c"

    def test_tables_as_text(self, lua):
        assert lua("return table.tostring{1, 'x', {true}}") == '{1,"x",{true}}'
        assert (
            lua("return table.tostring({a = 1, [2] = 'q\"'}, true, true)") == "{\n   [2] : 'q\"'\n   a : 1\n}"
        )

    def test_names_that_are_given_once(self, lua):
        first, second = lua("return dl.uniqueid('me'), dl.uniqueid('me', '/')")
        assert first.startswith("me:")
        assert first.endswith(":1")
        assert second.startswith("me/")
        assert second.endswith("/2")

    def test_bigrams(self, lua):
        text = """local bigrams = dl.buildBigrams(dl.SequenceLoader(torch.LongTensor{1, 2, 1, 2, 1, 3}, 1))
        local order = torch.sort(bigrams[1].prob, true)
        return flat(order), bigrams[2].prob[1], bigrams[2].index[1], bigrams[3] == nil"""
        most, *others = lua(text)
        assert [float(p) for p in most.split()] == pytest.approx([2 / 3, 1 / 3])
        assert others == [1, 1, True]

    def test_nothing_is_downloaded(self, lua, folder):
        for text, file in (
            ("dl.loadPTB(2)", "PennTreeBank/ptb.train.txt"),
            ("dl.loadMNIST()", "mnist/test.th7"),
            ("dl.loadCIFAR10()", "cifar10/cifar-10-torch.tar.gz"),
            ("dl.loadGBW(2)", "BillionWords/word_map.th7"),
            ("dl.loadSentiment140()", "Twitter/testtokens.manual.2009.06.14.csv"),
        ):
            with pytest.raises(LuaError, match=f"{folder}/{file} is missing.* from http"):
                lua(text)


class TestSets:
    def test_ptb(self, lua, folder):
        (folder / "PennTreeBank").mkdir(parents=True)
        texts = {"train": " b a c \n a b a \n", "valid": " a b \n c c \n", "test": " c a \n b a \n"}
        for name, text in texts.items():
            (folder / "PennTreeBank" / f"ptb.{name}.txt").write_text(text)
        words = texts["train"].replace("\n", "<eos>").split()
        numbers = {word: i for i, word in enumerate(sorted(set(words)), 1)}
        column, other = [numbers[w] for w in words[:4]], [numbers[w] for w in words[4:]]
        expected = " ".join(f"{a} {b}" for a, b in zip(column, other, strict=True))
        text = """local train, valid, test = dl.loadPTB({2, 1, 1})
        return flat(train.data), table.concat(train.ivocab, ' '), train.wordfreq.a, valid.vocab.c, valid:size(),
               flat(test.data)"""
        assert lua(text) == (expected, "<eos> a b c", 3, 4, 5, "4 2 1 3 2 1")

    @pytest.mark.parametrize("text_format", [True, False])
    def test_mnist(self, lua, folder, text_format):
        (folder / "mnist").mkdir(parents=True)
        for name, count in (("train", 6), ("test", 2)):
            images = (torch.arange(count * 784) % 256).view(count, 28, 28, 1).float()
            labels = torch.arange(count).float()
            path = folder / "mnist" / f"{name}.th7"
            torch7py.save([images, labels], path)
            if text_format:
                lua(f"torch.save('{path}', torch.load('{path}'), 'ascii')")
        text = """local train, valid, test = dl.loadMNIST()
        local inputs, targets = train:sub(1, 2)
        return train:size(), valid:size(), test:size(), flat(targets), sizes(inputs:size():totable()),
               inputs:min(), inputs:max(), valid.targets[1], #test.classes,
               dl.loadMNIST(nil, 0.5, false).inputs:max()"""
        assert lua(text) == (5, 1, 2, "1 2", "2x1x28x28", 0, 1, 6, 10, 255)

    def test_cifar10(self, lua, folder):
        place = folder / "cifar10" / "cifar-10-batches-t7"
        place.mkdir(parents=True)
        for i, name in enumerate(["test_batch", *(f"data_batch_{i}" for i in range(1, 6))]):
            data = torch.full((3072, 2), i, dtype=torch.uint8)
            labels = torch.tensor([[i, i]], dtype=torch.uint8)
            torch7py.save({"data": data, "labels": labels, "batch_label": "x"}, place / f"{name}.t7")
        text = """local train, valid, test = dl.loadCIFAR10()
        return flat(train.targets), flat(valid.targets), flat(test.targets), sizes(train:isize()),
               train.inputs[8][3][32][32], test.classes[10]"""
        assert lua(text) == ("2 2 3 3 4 4 5 5", "6 6", "1 1", "3x32x32", 0.75, "truck")

    def test_billion_words(self, lua, folder):
        place = folder / "BillionWords"
        place.mkdir(parents=True)
        end, start = 793471, 793470
        rows = [[1, 5], [1, 6], [1, end], [4, 7], [4, end]]
        for name in ("train_tiny", "valid_data", "test_data"):
            torch7py.save(torch.tensor(rows, dtype=torch.int32), place / f"{name}.th7")
        torch7py.save(["the", "of"], place / "word_map.th7")
        torch7py.save(torch.tensor([3, 2], dtype=torch.int32), place / "word_freq.th7")
        text = """local train, valid = dl.loadGBW({2, 1, 1}, 'train_tiny.th7', nil, nil, false)
        local inputs, targets = train:sub(1, 4)
        return flat(inputs:select(2, 1)), flat(targets:select(2, 1)), flat(inputs:select(2, 2)), train:size(),
               train.vocab.of, flat(train.wordfreq), torch.type(train.sequences)"""
        expected = (f"0 {start} 5 6", f"1 5 6 {end}", f"0 {start} 7 0", 4, 2, "3 2", "tds.Vec")
        assert lua(text) == expected
        assert (place / "train_tiny.cache.t7").is_file()
        assert lua(text) == expected  # from the file that was left

    def test_sentiments(self, lua, folder):
        place = folder / "Twitter"
        place.mkdir(parents=True)
        row = '"{}","1","day","NO_QUERY","me","{}"\n'
        train = [(0, "bad bad day"), (2, "day"), (4, "good day"), (4, "good"), (0, "rare bad")]
        texts = "".join(row.format(*line) for line in train)
        (place / "traintokens.1600000.processed.noemoticon.csv").write_text(texts)
        tests = row.format(4, "good new day too long")
        (place / "testtokens.manual.2009.06.14.csv").write_text(tests)
        text = """local train, valid, test = dl.loadSentiment140(nil, 2, 4, 0.5)
        local words = {}
        for _, set in ipairs{train, valid} do
           for i = 1, set:size() do words[#words + 1] = set.targets[i] .. ' ' .. set:tensor2text(set.inputs[i]) end
        end
        table.sort(words)
        return table.concat(words, '|'), table.concat(test.ivocab, ' '), flat(test.unigram), flat(test.inputs),
               train.inputs[1][1]"""
        # Words in the order of the alphabet: bad (3 times), day (3), good (2); "rare" is one of none.
        expected = (
            "1 <OOV> bad|1 bad bad day|2 good|2 good day",
            "<OOV> bad day good",
            "1 3 3 2",
            "4 1 3 1",
            0,
        )
        assert lua(text) == expected
        assert (place / "cache_2_4.t7").is_file()
        assert lua(text) == expected

    def test_normalization(self, lua, tmp_path):
        text = f"""torch.manualSeed(1)
        local images = torch.randn(64, 2, 8, 8)
        images:select(2, 2):mul(3):add(5)
        local loader = dl.TensorLoader(images, torch.zeros(64))
        local f = dl.fitImageNormalize(loader, 64, '{tmp_path}/cache', false, 2, 'subiter')
        local kept = torch.load('{tmp_path}/cache')
        local out = dl.fitImageNormalize(loader, 64, '{tmp_path}/cache')(images:clone())
        return kept.mean[2], kept.std[2], out:select(2, 2):mean(), out:select(2, 2):std(),
               f(images):sum() == out:sum()"""
        mean, deviation, mean_after, deviation_after, same = lua(text)
        assert (mean, deviation) == pytest.approx((5, 3), abs=0.1)
        assert (mean_after, deviation_after) == pytest.approx((0, 1), abs=1e-3)
        assert same is True
