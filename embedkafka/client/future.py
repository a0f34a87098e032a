"""kafka-python's ``Future``, for results that are there when it is made."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from embedkafka.errors import RetriableError


class Future:
    """A value or an error, with kafka-python's attributes and callbacks."""

    __slots__ = ("exception", "is_done", "value")

    def __init__(self, value: Any = None, exception: BaseException | None = None) -> None:
        self.is_done = True
        self.value = value
        self.exception = exception

    @classmethod
    def done_with(cls, value: Any) -> Future:
        return cls(value)

    @classmethod
    def failed_with(cls, error: BaseException) -> Future:
        return cls(exception=error)

    def succeeded(self) -> bool:
        return self.exception is None

    def failed(self) -> bool:
        return self.exception is not None

    def retriable(self) -> bool:
        return isinstance(self.exception, RetriableError)

    def add_callback(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        """Call ``f(*args, value)`` now if it succeeded."""
        if self.exception is None:
            functools.partial(f, *args, **kwargs)(self.value)
        return self

    def add_errback(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        """Call ``f(*args, error)`` now if it failed."""
        if self.exception is not None:
            functools.partial(f, *args, **kwargs)(self.exception)
        return self

    def add_both(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        """Call ``f`` with the value or the error."""
        return self.add_callback(f, *args, **kwargs).add_errback(f, *args, **kwargs)
