"""Nothing that is left for the loop is lost, and nobody rings for what the loop is about to look at."""

from __future__ import annotations

import asyncio
import threading

import pytest

from embedkafka.server.mailbox import Mailbox


class _Loop(asyncio.BaseEventLoop):
    """Remembers what it was asked to run soon."""

    def __init__(self) -> None:
        self.rung: list[object] = []

    def call_soon(self, callback, *args, context=None):  # type: ignore[no-untyped-def]
        self.rung.append(callback)

    call_soon_threadsafe = call_soon

    def __del__(self) -> None:
        pass


@pytest.fixture
def loop() -> _Loop:
    return _Loop()


@pytest.fixture
def mailbox(loop: _Loop) -> Mailbox:
    mailbox = Mailbox(loop)
    mailbox.belongs_here()
    return mailbox


def test_the_bell_rings_once_for_as_many_as_there_are(loop: _Loop, mailbox: Mailbox) -> None:
    ran: list[int] = []
    mailbox.post(ran.append, 1)
    mailbox.post(ran.append, 2)
    assert loop.rung == [mailbox.deliver]
    mailbox.deliver()
    assert ran == [1, 2]


def test_what_a_call_leaves_is_delivered_without_a_bell(loop: _Loop, mailbox: Mailbox) -> None:
    ran: list[int] = []
    mailbox.hold()
    mailbox.post(ran.append, 1)
    mailbox.deliver()
    assert ran == [1]
    assert not loop.rung
    mailbox.post(ran.append, 2)
    assert loop.rung


def test_what_a_delivered_call_leaves_comes_after_what_was_there(loop: _Loop, mailbox: Mailbox) -> None:
    ran: list[str] = []

    def call() -> None:
        mailbox.hold()
        mailbox.post(ran.append, "of the call")
        mailbox.deliver()
        ran.append("the call")

    mailbox.hold()
    mailbox.post(call)
    mailbox.post(ran.append, "behind it")
    mailbox.deliver()
    assert ran == ["the call", "behind it", "of the call"]
    mailbox.post(ran.append, "later")
    assert loop.rung


def test_a_call_that_fails_is_logged_and_the_next_one_runs(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []
    mailbox.post(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    mailbox.post(ran.append, 1)
    mailbox.deliver()
    assert ran == [1]
    assert "ZeroDivisionError" in caplog.text


def test_nothing_is_lost_when_threads_post_while_the_loop_holds_and_delivers() -> None:
    loop = asyncio.new_event_loop()
    mailbox = Mailbox(loop)
    posted, ran = 4 * 1_000, []

    def arrived() -> None:
        ran.append(None)
        if len(ran) == posted:
            loop.stop()

    def turn(left: int) -> None:
        mailbox.hold()
        mailbox.deliver()
        if left:
            loop.call_soon(turn, left - 1)

    def post() -> None:
        for _ in range(1_000):
            mailbox.post(arrived)

    mailbox.belongs_here()
    threads = [threading.Thread(target=post) for _ in range(4)]
    loop.call_soon(turn, 500)
    loop.call_later(20, loop.stop)
    for thread in threads:
        thread.start()
    loop.run_forever()
    for thread in threads:
        thread.join()
    loop.close()
    assert len(ran) == posted
