"""How many examples the laws are tried with."""

from __future__ import annotations

from hypothesis import settings

MANY = settings(settings.default, max_examples=min(settings.default.max_examples, 500))
"""For what takes up to a tenth of a second an example: the long profile's 2,000 would take a quarter of an hour."""
