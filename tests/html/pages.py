"""What a page must be, whatever is on it: told by a parser of HTML that is not ours, and by a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = frozenset("br col hr img input link meta wbr".split())
ADDRESSES = frozenset("src srcset href action data poster background xlink:href".split())


class Element:
    def __init__(self, name: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.name, self.attributes, self.parent = name, attributes, parent
        self.content: list[Element | str] = []

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def text(self) -> str:
        return "".join(item if isinstance(item, str) else item.text for item in self.content)

    def all(self, name: str | None = None, class_: str | None = None) -> list[Element]:
        """The elements inside it with a name, and of a class, in order."""
        found = []
        for item in self.content:
            if isinstance(item, Element):
                if (name is None or item.name == name) and (class_ is None or class_ in item.classes):
                    found.append(item)
                found += item.all(name, class_)
        return found

    def one(self, name: str | None = None, class_: str | None = None) -> Element:
        (found,) = self.all(name, class_)
        return found


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.at = Element("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.content.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag: str) -> None:
        assert self.at.name == tag, f"</{tag}> ends a <{self.at.name}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.content.append(data)


def parsed(text: str) -> Element:
    """The tree of a page or of a part of one, in which every element is closed."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert parser.at is parser.root, f"<{parser.at.name}> is not closed"
    return parser.root


def checked_page(text: str) -> Element:
    """The tree of a page that stands alone: nothing from outside, no scripts, links that lead somewhere on it."""
    root = parsed(text)
    assert text.startswith("<!DOCTYPE html>")
    assert not root.all("script")
    assert not root.all("link")
    everything = root.all()
    identifiers = [e.attributes["id"] for e in everything if "id" in e.attributes]
    assert len(identifiers) == len(set(identifiers))
    for element in everything:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"a handler of events: {name}"
            if name in ADDRESSES:
                assert value.startswith(("#", "data:")), f"an address outside of the page: {value}"
                assert not value.startswith("#") or value[1:] in identifiers, f"{value} leads nowhere"
    for style in [s.text for s in root.all("style")] + [e.attributes.get("style", "") for e in everything]:
        assert not re.search(r"url\(|@import|expression\(", style)
    (policy,) = [m for m in root.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy.attributes["content"]
    assert "width=device-width" in " ".join(m.attributes.get("content", "") for m in root.all("meta"))
    return root


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = (390, 1400)

# A page around the one that is looked at: it measures that one, in which no script runs, at several widths.
_FRAME = """<!DOCTYPE html><body>{frames}<pre id="out">waiting</pre><script>
addEventListener("load", () => {{
  const out = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument, root = page.documentElement;
    return {{width: frame.clientWidth, needed: root.scrollWidth, height: root.scrollHeight, text: page.body.innerText,
      small: [...page.querySelectorAll("body *")].filter(
        e => e.innerText && parseFloat(getComputedStyle(e).fontSize) < 9).length}};
  }});
  document.getElementById("out").textContent = JSON.stringify(out);
}});
</script>"""


def seen_by_browser(page: Path) -> list[dict[str, Any]]:
    """What Chromium makes of a page at each of ``WIDTHS``: the width that it needs, its height and its visible text."""
    assert CHROMIUM is not None
    frames = "".join(
        f'<iframe src="{page.name}" style="width:{w}px;height:900px;border:0"></iframe>' for w in WIDTHS
    )
    frame = page.with_name("frame.html")
    frame.write_text(_FRAME.format(frames=frames))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    command += [
        "--window-size=1500,1000",
        f"--user-data-dir={page.parent / 'browser'}",
        "--dump-dom",
        frame.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    told = parsed(done.stdout).one("pre").text
    found: list[dict[str, Any]] = json.loads(told)
    return found
