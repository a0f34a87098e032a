"""kio needs Python 3.11; below, what is compared with it is left out instead of skipped."""

from __future__ import annotations

import sys

collect_ignore = ["test_kio.py"] if sys.version_info < (3, 11) else []
