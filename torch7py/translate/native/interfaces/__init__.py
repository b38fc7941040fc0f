"""What the parts of the writer of pages ask of each other. It stands below all of them and above ``analysis``."""

from __future__ import annotations
