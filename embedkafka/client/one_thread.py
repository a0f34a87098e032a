"""The guard of clients that are for one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from embedkafka.errors import ConcurrentModificationError

if TYPE_CHECKING:
    from embedkafka.client.link import EmbeddedLink

_Method = TypeVar("_Method", bound=Callable[..., Any])


class OneThread:
    """A client whose guarded methods one thread at a time may be inside."""

    _link: EmbeddedLink
    _is_manual: bool
    _user: int | None = None  # the thread inside

    def _check_entry(self) -> None:
        """Raise where no method can be called now."""
        self._link.check_usable()


def by_one_thread(method: _Method) -> _Method:
    """A public method: the client must be open, and no other thread inside it."""

    @wraps(method)
    def guarded(self: OneThread, *args: Any, **kwargs: Any) -> Any:
        me = threading.get_ident()
        if self._user is not None and self._user != me:
            raise ConcurrentModificationError(
                f"{type(self).__name__} is for one thread at a time; another is inside (wakeup() alone may be called)"
            )
        outermost = self._user is None
        self._check_entry()
        self._user = me
        try:
            return method(self, *args, **kwargs)
        finally:
            if outermost:
                self._user = None
                if self._is_manual:
                    self._link.after_call()

    return guarded  # type: ignore[return-value]  # the same signature
