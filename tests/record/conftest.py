from __future__ import annotations

from typing import Any

import pytest
from record.codecs import CODECS


@pytest.fixture(params=sorted(CODECS))
def codec(request: pytest.FixtureRequest) -> Any:
    """The compiled and the plain codec, one after the other."""
    return CODECS[request.param]
