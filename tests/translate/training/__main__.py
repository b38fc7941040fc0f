"""``python -m tests.translate.training COUNT [SEED] [FOLDER]``: looks for programs whose translations fail.

Each one that fails is made smaller and written to FOLDER, with its page and the reason; at the end stand the counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.translate.training.choices import Choices, shrunk
from tests.translate.training.outcome import Outcome, outcome
from tests.translate.training.program import program


def smaller(made: Mapping[str, int], found: Outcome) -> dict[str, int]:
    """The choices that the failure needs, of the same kind and for the same reason but for its numbers and places."""
    kind, reason = found.kind, _words(found.reason)

    def fails(less: Mapping[str, int]) -> bool:
        again = outcome(program(Choices(given=less)))
        return again.kind == kind and _words(again.reason) == reason

    return shrunk(made, fails)


def _words(reason: str) -> str:
    """The first reason without its place and values."""
    first = reason.split("\n")[0]
    if "they part" in first or "of the output differs" in first:
        return "they part"
    return "".join(c for c in first.split(": ", 1)[-1] if not c.isdigit())


def main(count: int, seed: int = 1, folder: Path | None = None) -> int:
    counts: Counter[str] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    for number in range(seed, seed + count):
        choices = Choices(number)
        found = outcome(program(choices))
        counts[found.kind] += 1
        if found.kind == "equal":
            continue
        key = (found.kind, _words(found.reason))
        seen[key] += 1
        if seen[key] > 1:
            continue
        print(f"{number}: {found.kind}: {found.reason.splitlines()[0]}", flush=True)
        if folder is not None:
            needed = smaller(choices.made, found)
            source = program(Choices(given=needed))
            again = outcome(source)
            name = f"{found.kind}_{number}"
            folder.mkdir(parents=True, exist_ok=True)
            folder.joinpath(f"{name}.lua").write_text(
                source + "".join(f"-- {k}: {v}\n" for k, v in needed.items())
            )
            folder.joinpath(f"{name}.py").write_text(again.code + f"\n# {again.reason}\n")
    for (kind, reason), times in seen.most_common():
        print(f"{times:5} {kind}: {reason}")
    print(", ".join(f"{times} {kind}" for kind, times in counts.most_common()), f"of {count}")
    return 0 if counts["equal"] == count else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(int(given[0]), int(given[1]) if given[1:] else 1, Path(given[2]) if given[2:] else None))
