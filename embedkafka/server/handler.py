"""What answers an API: a plain function, and whether it may block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from embedkafka.server.call import Call


class Handler(NamedTuple):
    """The function that answers one API's calls.

    ``function(call, request)`` gets the decoded request and gives the response's message; None when
    :meth:`Call.complete` will be called with it, on whatever thread; or :data:`NO_RESPONSE`.  It runs on a worker's
    thread and may block there.  With ``on_loop`` it runs on the loop's thread, unless the call is heavy, and must not
    block: it may go on in a worker by returning :meth:`Call.in_worker`.

    A peer's mistake is answered with Kafka's code by the function itself; what it raises closes the connection.
    """

    api_key: int
    function: Callable[[Call, Any], Any]
    on_loop: bool = False


NO_RESPONSE: Final = object()
"""The call is over and nothing is sent: a produce with ``acks`` 0."""
