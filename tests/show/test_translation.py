"""The page about a translation, read by a parser of HTML that is not ours, and seen by a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

import torch7py
from tests.html.pages import CHROMIUM, Element, checked_page, seen_by_browser
from torch7py.show.translation import one_page, project_page
from torch7py.translate.report import Report, Verification
from torch7py.translate.side_by_side import Subject, subject_of

PROGRAM = """torch.manualSeed(1)
local n = tonumber(arg[1])
local function late(x)
   print('late', x)
end
for i = 1, n do
   if i > 5 then
      late(i)
   end
   print(torch.randn(2):sum())
end
"""


def page_of(path: Path, text: str, arguments: list[str], **options: object) -> Element:
    path.write_text(text)
    translation = torch7py.to_pytorch(path, arguments, **options)  # type: ignore[arg-type]
    subject = subject_of(translation, path, path.with_suffix(".py"), arguments)
    return checked_page(one_page(subject))


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Element:
    return page_of(tmp_path_factory.mktemp("page") / "p.lua", PROGRAM, ["2"])


def test_both_sides_with_all_their_lines(verified: Element) -> None:
    lines = [(line.one("i").text, line.one("code").text) for line in verified.all(class_="line")]
    for number, text in enumerate(PROGRAM.splitlines(), 1):
        assert (str(number), text) in lines
    assert any(text == "torch.manual_seed(1)" for _, text in ((n, t.strip()) for n, t in lines))


def test_lines_that_go_on_below_begin_behind_their_indentation(verified: Element) -> None:
    (line,) = (line for line in verified.all(class_="line") if line.one("code").text == "      late(i)")
    assert line.one("code").attributes["style"] == "--in:6"


def test_what_was_verified_and_what_was_not_reached(verified: Element) -> None:
    notices = [notice.text for notice in verified.all(class_="notice")]
    assert notices[0] == "Verified: both ran with 2, from the same weights and random numbers."
    assert notices[1] == "Not reached with these arguments, and so not verified:lines 11, 19 of p.py"
    missed = [line.one("code").text.strip() for line in verified.all(class_="missed")]
    assert missed == ['print("late", x, sep="\\t")', "late(i)"]
    assert "hatched: did not run, so not verified" in verified.one(class_="legend").text
    assert "prints the same text" in [aside.text for aside in verified.all(class_="aside")]


def test_what_both_print(verified: Element) -> None:
    (table,) = [piece for piece in verified.all("details") if "What both print" in piece.text]
    rows = [[cell.text for cell in row.all("td")] for row in table.all("tr")[1:]]
    assert [row[0] for row in rows] == ["p.lua:10", "p.lua:10"]
    assert all(row[-1] == "the same" for row in rows)


def test_codes_are_explained_on_the_spot(tmp_path: Path) -> None:
    root = page_of(tmp_path / "p.lua", "local t = loadstring('return ' .. 1)\nprint(t())\n", [])
    (row,) = root.all(class_="s-refused")[1:]  # the first is in the legend
    assert "T7-201 loadstring has no native form" in row.text
    explained = row.one("details").text
    assert "no PyTorch or Python form is" in explained
    assert "`" not in explained
    assert "Not verified: 1 place has no translation." in [
        notice.text for notice in root.all(class_="notice")
    ]


def test_a_difference_is_shown(tmp_path: Path) -> None:
    report = Report(
        "p.lua", statements=1, native=1, verified=Verification(False, difference="they part at p.lua:3")
    )
    root = checked_page(one_page(Subject("p.lua", "p.py", report, arguments=("-n", "<3>"))))
    assert root.one(class_="notice").text == "Not the same with -n <3>: they part at p.lua:3"


def test_texts_are_escaped(tmp_path: Path) -> None:
    evil = "'</script><script>alert(1)</script>'"
    root = page_of(tmp_path / "<b>.lua", f"-- <script>\nprint({evil})\n", [])
    assert evil in root.text
    assert root.one("h1").text == "<b>.lua → <b>.py"


def test_a_project(tmp_path: Path) -> None:
    whole = Report("2 files", statements=4, native=3)
    subjects = [
        Subject("a.lua", "a/a.py", Report("a.lua", statements=4, native=3), "incomplete"),
        Subject("b.lua", "b/b.py", Report(""), "failed", failure="b.lua:1: this is no Lua"),
    ]
    root = checked_page(project_page("project", subjects, whole, ["a summary"]))
    rows = [[cell.text for cell in row.all("td")] for row in root.one("table").all("tr")[1:]]
    assert rows == [["a.luaa/a.py", "75 % of 4", "incomplete"], ["b.lua", "", "failed"]]
    assert [link.attributes["href"] for link in root.one("table").all("a")] == ["#p1", "#p2"]
    assert root.all("details")[1].one(class_="notice").text == "b.lua:1: this is no Lua"


@pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed; what a page holds is tested without it"
)
def test_in_a_browser_without_scripts(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(PROGRAM + f"print('{'long ' * 60}', {'x' * 90})\n")
    translation = torch7py.to_pytorch(path, ["1"], verify=False)
    page = tmp_path / "p.html"
    page.write_text(one_page(subject_of(translation, path, path.with_suffix(".py"), ["1"])))
    for seen in seen_by_browser(page):
        assert seen["needed"] <= seen["width"], "wider than the screen"
        assert seen["small"] == 0
        assert "torch.manualSeed(1)" in seen["text"]
        assert "torch.manual_seed(1)" in seen["text"]
