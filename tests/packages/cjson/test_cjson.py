"""cjson, beside Python's json and the messages that lua-cjson's manual and tests have."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture(scope="module")
def run():
    with Runtime() as runtime:
        runtime.execute("cjson = require 'cjson' safe = require 'cjson.safe'")
        yield runtime.execute


def lua_string(text: str) -> str:
    """A Lua literal of a text's bytes in UTF-8."""
    return '"' + "".join(f"\\{code:03}" for code in text.encode("utf-8", "surrogatepass")) + '"'


def message(run, source: str) -> str:
    with pytest.raises(LuaError) as caught:
        run(source)
    return str(caught.value)


ENCODED = {
    "nil": "null",
    "cjson.null": "null",
    "true": "true",
    "10": "10",
    "1/3": "0.33333333333333",
    "1e20": "1e+20",
    "-0.5": "-0.5",
    "'a/b\"\\\\\\n\\127\\1\\233'": '"a\\/b\\"\\\\\\n\\u007f\\u0001\u00e9"',
    "{}": "{}",
    "{1, 'two', {3}}": '[1,"two",[3]]',
    "{b = 1, a = {c = false}}": '{"a":{"c":false},"b":1}',
    "{[3] = 'x'}": '[null,null,"x"]',
    "{[1] = 1, [1.5] = 2}": '{"1":1,"1.5":2}',
    "{[0] = 1}": '{"0":1}',
    "{['2'] = 1}": '{"2":1}',
    "setmetatable({1}, {__index = function() return 9 end, __len = function() return 5 end})": "[1]",
    "setmetatable({a = 1}, {__pairs = error})": '{"a":1}',
}


@pytest.mark.parametrize("value", ENCODED)
def test_encode(run, value):
    assert run(f"return cjson.encode({value})") == ENCODED[value]


def test_the_manuals_example(run):
    assert run("""local v = cjson.decode('[ true, { "foo": "bar" } ]') return v[1], v[2].foo, #v""") == (
        True,
        "bar",
        2,
    )


def test_null(run):
    assert run("local v = cjson.decode('[1, null]') return v[2] == cjson.null, #v, type(v[2])") == (
        True,
        2,
        "userdata",
    )
    assert run("return tostring(cjson.null), cjson.null == safe.null") == ("userdata: NULL", True)


values = st.recursive(
    st.booleans()
    | st.integers(-(10**13), 10**13)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
@settings(max_examples=80)
def test_texts_of_python(run, value):
    """What json writes is read, and written so that json reads the same to 14 digits."""
    for ascii_only in (True, False):
        text = lua_string(json.dumps(value, ensure_ascii=ascii_only))
        again = json.loads(run(f"return cjson.encode(cjson.decode({text}))").encode("latin1").decode("utf-8"))
        assert same(again, value)


def same(a, b) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=1e-13)
    return a == b and type(a) is type(b)


NUMBERS = {
    "0x6.ffp1": 13.9921875,
    "-5e3": -5000,
    "0.3e-3": 0.0003,
    "0123": 123,
    "+Inf": math.inf,
    "-Infinity": -math.inf,
    "[1.]": 1,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_that_strtod_takes(run, text):
    assert run(f"local v = cjson.decode('{text}') return type(v) == 'table' and v[1] or v") == NUMBERS[text]


def test_not_a_number(run):
    assert math.isnan(run("return cjson.decode('NaN')"))


WRONG = {
    '{ "unexpected eof": ': "Expected value but found T_END at character 21",
    '{ "extra data": true }, false': "Expected the end but found T_COMMA at character 23",
    ' { "bad escape \\q code" } ': "Expected object key string but found invalid escape code at character 16",
    ' { "bad unicode \\u0f6 escape" } ': (
        "Expected object key string but found invalid unicode escape code at character 17"
    ),
    '"\\uDC00\\uD800"': "Expected value but found invalid unicode escape code at character 2",
    '"\\uDB00"': "Expected value but found invalid unicode escape code at character 2",
    '"open': "Expected value but found unexpected end of string at character 6",
    ' [ "bad barewood", test ] ': "Expected value but found invalid token at character 20",
    "[ -+12 ]": "Expected value but found invalid number at character 3",
    "-v": "Expected value but found invalid number at character 1",
    "[ 0.4eg10 ]": "Expected comma or array end but found invalid token at character 6",
    "Infrared": "Expected the end but found invalid token at character 4",
    "[1 2]": "Expected comma or array end but found T_NUMBER at character 4",
    '{"a" 1}': "Expected colon but found T_NUMBER at character 6",
    '{"a":1 "b"}': "Expected comma or object end but found T_STRING at character 8",
    "[1,]": "Expected value but found T_ARR_END at character 4",
    "": "Expected value but found T_END at character 1",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_a_text(run, text):
    assert run(f"return safe.decode({lua_string(text)})") == (None, WRONG[text])
    assert message(run, f"\nlocal v = cjson.decode({lua_string(text)})") == f"python:2: {WRONG[text]}"


def test_other_encodings(run):
    for text in ('\\0"\\0"', '"\\0"\\0'):
        assert run(f"return safe.decode('{text}')") == (None, "JSON parser does not support UTF-16 or UTF-32")


REFUSED = {
    "print": "Cannot serialise function: type not supported",
    "torch.Tensor(2)": "Cannot serialise userdata: type not supported",
    "{[false] = 1}": "Cannot serialise boolean: table key must be a number or string",
    "{[1000] = 1}": "Cannot serialise table: excessively sparse array",
    "0/0": "Cannot serialise number: must not be NaN or Infinity",
    "{1/0}": "Cannot serialise number: must not be NaN or Infinity",
}


@pytest.mark.parametrize("value", REFUSED)
def test_what_is_not_encoded(run, value):
    assert run(f"return safe.encode({value})") == (None, REFUSED[value])


class TestSettings:
    def test_they_belong_to_a_module(self, run):
        script = """local a = cjson.new() a.encode_number_precision(3)
        return a.encode(1 / 3), cjson.encode(1 / 3), a.encode_number_precision(), a.new().encode_number_precision()"""
        assert run(script) == ("0.333", "0.33333333333333", 3, 14)

    def test_depth(self, run):
        script = """local a = safe.new() a.encode_max_depth(2) a.decode_max_depth(2)
        return {a.encode({{1}}), {a.encode({{{1}}})}, {a.decode('[[1]]')}, {a.decode('[{"a":[1]}]')}}"""
        fine, deep, read, deep_text = run(script)
        assert (fine, deep[-1]) == ("[[1]]", "Cannot serialise, excessive nesting (3)")
        assert (read, deep_text[-1]) == ([[[1]]], "Found too many nested data structures (3) at character 7")

    def test_a_table_in_itself(self, run):
        assert run("local t = {} t[1] = t return safe.encode(t)") == (
            None,
            "Cannot serialise, excessive nesting (1001)",
        )

    def test_sparse_arrays(self, run):
        script = """local a = cjson.new() local c, r, s = a.encode_sparse_array(true, 2, 3)
        return c, r, s, a.encode {[1] = 'x', [4] = 'y'}, a.encode {[1] = 'x', [5] = 'y'}"""
        assert run(script) == (True, 2, 3, '["x",null,null,"y"]', '{"1":"x","5":"y"}')

    def test_invalid_numbers(self, run):
        script = """local a = safe.new() a.encode_invalid_numbers(true)
        local text = a.encode {0 / 0, 1 / 0, -1 / 0}
        local set = a.encode_invalid_numbers('null')
        a.decode_invalid_numbers(false)
        return text, set, a.encode {1 / 0}, select(2, a.decode('0x6')), select(2, a.decode('[ 0123 ]')),
               select(2, a.decode('[ NaN ]'))"""
        assert run(script) == (
            "[NaN,Infinity,-Infinity]",
            "null",
            "[null]",
            "Expected value but found invalid number at character 1",
            "Expected value but found invalid number at character 3",
            "Expected value but found invalid token at character 3",
        )

    @pytest.mark.parametrize(
        ("call", "says"),
        [
            ("encode_number_precision(0)", "expected integer between 1 and 14"),
            ("encode_number_precision('five')", "number expected, got string"),
            ("encode_keep_buffer(nil, true)", "found too many arguments"),
            ("decode_max_depth('0')", "expected integer between 1 and 2147483647"),
            ("encode_invalid_numbers(-2)", "invalid option '-2'"),
            ("encode_sparse_array('not quite on')", "invalid option 'not quite on'"),
            ("encode()", "expected 1 argument"),
            ("decode('1', '2')", "expected 1 argument"),
            ("decode({})", "string expected, got table"),
        ],
    )
    def test_wrong_arguments(self, run, call, says):
        assert f"to '{call.split('(')[0]}' ({says})" in message(run, f"cjson.{call}")
        if "code(" in call:
            assert f"({says})" in message(run, f"local x = safe.{call} error(select(2, safe.{call}))")


def test_a_json_file_as_a_module(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "options.json").write_text('{"size": [1, 2]}')
    assert run("return require('./options').size[2]") == 2
