"""``python -m torch7py`` is the ``torch7py`` command."""

from __future__ import annotations

from torch7py.cli.main import main

if __name__ == "__main__":
    main(prog_name="torch7py")
