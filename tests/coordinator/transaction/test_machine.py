"""What the transaction coordinator answers, request by request, as Kafka 4.3's does."""

from __future__ import annotations

import pytest
from coordinator.transaction.driver import P0, P1, Driver

from embedkafka.coordinator.transaction.api import (
    DescribedTransaction,
    EndTxnReply,
    ListedTransaction,
    ListTransactionsReply,
    ListTransactionsRequest,
)
from embedkafka.coordinator.transaction.config import TransactionConfig
from embedkafka.coordinator.transaction.decision import (
    AbortTimedOut,
    DescribeTransactions,
    ExpireIds,
    InitProducerReply,
    Loaded,
    MarkersWritten,
)
from embedkafka.coordinator.transaction.state import TransactionState as S
from embedkafka.errors import (
    ConcurrentTransactionsError,
    InvalidProducerIdMappingError,
    InvalidRegularExpressionError,
    InvalidRequestError,
    InvalidTransactionTimeoutError,
    InvalidTxnStateError,
    ProducerFencedError,
    TransactionAbortableError,
    TransactionalIdNotFoundError,
)

HIGHEST = 32_767


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def ongoing(driver: Driver) -> Driver:
    driver.init()
    assert driver.add() == {P0: 0}
    return driver


class TestInit:
    def test_a_new_id_gets_a_producer_id_and_epoch_0(self, driver: Driver) -> None:
        assert driver.init() == InitProducerReply(0, 1000, 0)
        assert driver.state is S.EMPTY

    def test_the_next_producer_gets_the_next_epoch(self, driver: Driver) -> None:
        driver.init()
        assert driver.init() == InitProducerReply(0, 1000, 1)

    def test_an_empty_id_is_refused(self, driver: Driver) -> None:
        assert driver.init("").error_code == InvalidRequestError.errno

    @pytest.mark.parametrize("timeout_ms", [0, -1, 900_001])
    def test_a_timeout_out_of_range_is_refused_and_nothing_is_written(self, driver: Driver, timeout_ms: int) -> None:
        assert driver.init(timeout_ms=timeout_ms).error_code == InvalidTransactionTimeoutError.errno
        assert driver.log == []

    def test_the_longest_timeout_is_granted(self, driver: Driver) -> None:
        assert driver.init(timeout_ms=900_000).error_code == 0

    def test_an_open_transaction_is_aborted_first_with_a_raised_epoch(self, ongoing: Driver) -> None:
        assert ongoing.init().error_code == ConcurrentTransactionsError.errno
        assert (ongoing.state, ongoing.find().producer_epoch, ongoing.prepared) == (S.PREPARE_ABORT, 1, ["x"])
        assert ongoing.init().error_code == ConcurrentTransactionsError.errno
        ongoing.write_markers()
        assert ongoing.state is S.COMPLETE_ABORT
        assert ongoing.init() == InitProducerReply(0, 1000, 2)

    def test_the_fenced_producer_can_neither_add_nor_end(self, ongoing: Driver) -> None:
        ongoing.init()
        ongoing.write_markers()
        ongoing.init()
        assert ongoing.add(epoch=0) == {P0: ProducerFencedError.errno}
        assert ongoing.end(epoch=0).error_code == ProducerFencedError.errno

    def test_a_producer_that_gives_its_id_and_epoch_goes_on_with_the_next_epoch(self, driver: Driver) -> None:
        driver.init()
        assert driver.init(producer_id=1000, epoch=0) == InitProducerReply(0, 1000, 1)

    def test_the_same_request_again_gets_the_same_answer(self, driver: Driver) -> None:
        driver.init()
        driver.init(producer_id=1000, epoch=0)
        assert driver.init(producer_id=1000, epoch=0) == InitProducerReply(0, 1000, 1)

    def test_an_epoch_that_another_producer_has_overtaken_is_fenced(self, driver: Driver) -> None:
        driver.init()
        driver.init()
        driver.init()
        before = list(driver.log)
        assert driver.init(producer_id=1000, epoch=0).error_code == ProducerFencedError.errno
        assert driver.init(producer_id=7, epoch=2).error_code == ProducerFencedError.errno
        assert driver.log == before

    def test_a_used_up_epoch_brings_a_new_producer_id(self, driver: Driver) -> None:
        driver.init()
        driver.put(producer_epoch=HIGHEST - 1)
        assert driver.init() == InitProducerReply(0, 1001, 0)
        assert driver.find().previous_producer_id == 1000

    def test_a_producer_whose_epoch_is_used_up_may_repeat_its_request(self, driver: Driver) -> None:
        driver.init()
        driver.put(producer_epoch=HIGHEST - 1)
        assert driver.init(producer_id=1000, epoch=HIGHEST - 1) == InitProducerReply(0, 1001, 0)
        assert driver.init(producer_id=1000, epoch=HIGHEST - 1) == InitProducerReply(0, 1001, 0)

    def test_fencing_may_use_the_highest_epoch(self, ongoing: Driver) -> None:
        ongoing.put(producer_epoch=HIGHEST - 1)
        ongoing.init()
        assert ongoing.find().producer_epoch == HIGHEST
        ongoing.write_markers()
        assert ongoing.init() == InitProducerReply(0, 1001, 0)


class TestAdd:
    def test_the_first_partition_begins_a_transaction(self, ongoing: Driver) -> None:
        found = ongoing.find()
        assert (found.state, found.partitions, found.start_ms) == (S.ONGOING, {P0}, ongoing.now_ms)
        assert ongoing.watches_timeouts

    def test_more_partitions_do_not_begin_it_again(self, ongoing: Driver) -> None:
        began_ms, ongoing.now_ms = ongoing.now_ms, ongoing.now_ms + 5
        ongoing.add([P1])
        assert (ongoing.find().partitions, ongoing.find().start_ms) == ({P0, P1}, began_ms)

    def test_a_partition_that_is_there_already_costs_no_record(self, ongoing: Driver) -> None:
        before = list(ongoing.log)
        assert ongoing.add() == {P0: 0}
        assert ongoing.log == before

    @pytest.mark.parametrize("version", [1, 2])
    def test_the_version_of_the_client_is_remembered(self, driver: Driver, version: int) -> None:
        driver.init()
        driver.add(version=version)
        assert driver.find().client_version == version

    def test_an_unknown_id_a_wrong_producer_and_a_wrong_epoch_are_refused(self, driver: Driver) -> None:
        driver.init()
        assert driver.add(transactional_id="nobody") == {P0: InvalidProducerIdMappingError.errno}
        assert driver.add(producer_id=7) == {P0: InvalidProducerIdMappingError.errno}
        assert driver.add(epoch=1) == {P0: ProducerFencedError.errno}
        assert driver.add(transactional_id="") == {P0: InvalidRequestError.errno}
        assert driver.state is S.EMPTY

    @pytest.mark.parametrize("commit", [True, False])
    def test_while_markers_are_on_their_way_nothing_can_be_added(self, ongoing: Driver, commit: bool) -> None:
        ongoing.end(commit=commit)
        assert ongoing.add() == {P0: ConcurrentTransactionsError.errno}
        ongoing.write_markers()
        assert ongoing.add() == {P0: 0}

    def test_verification_finds_what_is_in_the_transaction_and_adds_nothing(self, ongoing: Driver) -> None:
        before = list(ongoing.log)
        codes = ongoing.add([P0, P1], verify_only=True)
        assert codes == {P0: 0, P1: TransactionAbortableError.errno}
        assert ongoing.log == before

    def test_verification_outside_a_transaction_finds_nothing(self, driver: Driver) -> None:
        driver.init()
        assert driver.add(verify_only=True) == {P0: TransactionAbortableError.errno}


class TestEndVersion2:
    @pytest.mark.parametrize(
        ("commit", "prepared", "complete"),
        [(True, S.PREPARE_COMMIT, S.COMPLETE_COMMIT), (False, S.PREPARE_ABORT, S.COMPLETE_ABORT)],
    )
    def test_the_epoch_grows_with_the_decision(self, ongoing: Driver, commit: bool, prepared: S, complete: S) -> None:
        assert ongoing.end(commit=commit) == EndTxnReply(0, 1000, 1)
        assert (ongoing.state, ongoing.find().producer_epoch, ongoing.find().partitions) == (prepared, 1, {P0})
        ongoing.write_markers()
        assert (ongoing.state, ongoing.find().producer_epoch, ongoing.find().partitions) == (complete, 1, frozenset())

    def test_the_markers_of_one_transaction_do_not_complete_the_next(self, ongoing: Driver) -> None:
        ongoing.end()
        ongoing.write_markers()
        ongoing.add()
        ongoing.end()
        ongoing.send(MarkersWritten("x", 1000, 1))
        assert ongoing.state is S.PREPARE_COMMIT
        ongoing.send(MarkersWritten("x", 1000, 2))
        assert ongoing.state is S.COMPLETE_COMMIT

    @pytest.mark.parametrize("commit", [True, False])
    def test_a_repeated_request_succeeds_once_the_markers_are_there(self, ongoing: Driver, commit: bool) -> None:
        ongoing.end(commit=commit, epoch=0)
        assert ongoing.end(commit=commit, epoch=0).error_code == ConcurrentTransactionsError.errno
        ongoing.write_markers()
        before = list(ongoing.log)
        assert ongoing.end(commit=commit, epoch=0) == EndTxnReply(0, 1000, 1)
        assert ongoing.log == before

    @pytest.mark.parametrize("commit", [True, False])
    def test_a_repeated_request_may_not_change_its_mind(self, ongoing: Driver, commit: bool) -> None:
        ongoing.end(commit=commit, epoch=0)
        assert ongoing.end(commit=not commit, epoch=0).error_code == InvalidTxnStateError.errno
        ongoing.write_markers()
        assert ongoing.end(commit=not commit, epoch=0).error_code == InvalidTxnStateError.errno

    def test_while_markers_are_on_their_way_the_new_epoch_cannot_end_anything(self, ongoing: Driver) -> None:
        ongoing.end()
        assert ongoing.end(epoch=1).error_code == ProducerFencedError.errno

    def test_a_used_up_epoch_ends_in_a_new_producer_id(self, ongoing: Driver) -> None:
        ongoing.put(producer_epoch=HIGHEST - 1)
        assert ongoing.end() == EndTxnReply(0, 1001, 0)
        prepared = ongoing.find()
        assert (prepared.producer_id, prepared.producer_epoch, prepared.next_producer_id) == (1000, HIGHEST, 1001)
        ongoing.write_markers()
        done = ongoing.find()
        assert (done.producer_id, done.producer_epoch, done.previous_producer_id) == (1001, 0, 1000)
        assert ongoing.end(producer_id=1000, epoch=HIGHEST - 1) == EndTxnReply(0, 1001, 0)

    @pytest.mark.parametrize("after", [S.EMPTY, S.COMPLETE_COMMIT, S.COMPLETE_ABORT])
    def test_a_transaction_without_a_write_can_be_aborted(self, driver: Driver, after: S) -> None:
        driver.init()
        if after is not S.EMPTY:
            driver.add()
            driver.end(commit=after is S.COMPLETE_COMMIT)
            driver.write_markers()
        epoch = driver.find().producer_epoch
        assert driver.end(commit=False) == EndTxnReply(0, 1000, epoch + 1)
        driver.write_markers()
        assert driver.state is S.COMPLETE_ABORT

    @pytest.mark.parametrize("after", [S.EMPTY, S.COMPLETE_COMMIT, S.COMPLETE_ABORT])
    def test_a_transaction_without_a_write_cannot_be_committed(self, driver: Driver, after: S) -> None:
        driver.init()
        if after is not S.EMPTY:
            driver.add()
            driver.end(commit=after is S.COMPLETE_COMMIT)
            driver.write_markers()
        assert driver.end(commit=True).error_code == InvalidTxnStateError.errno
        assert driver.state is after

    def test_an_unknown_id_a_wrong_producer_and_a_wrong_epoch_are_refused(self, ongoing: Driver) -> None:
        assert ongoing.end("nobody").error_code == InvalidProducerIdMappingError.errno
        assert ongoing.end(producer_id=7).error_code == InvalidProducerIdMappingError.errno
        assert ongoing.end(epoch=1).error_code == ProducerFencedError.errno
        assert ongoing.end("").error_code == InvalidRequestError.errno
        assert ongoing.state is S.ONGOING


class TestEndVersion1:
    @pytest.fixture
    def ongoing(self, driver: Driver) -> Driver:
        driver.init()
        driver.add(version=1)
        return driver

    @pytest.mark.parametrize("commit", [True, False])
    def test_the_epoch_stays(self, ongoing: Driver, commit: bool) -> None:
        assert ongoing.end(commit=commit, version=1) == EndTxnReply()
        ongoing.write_markers()
        assert ongoing.find().producer_epoch == 0

    @pytest.mark.parametrize("commit", [True, False])
    def test_the_same_again_succeeds_and_the_other_does_not(self, ongoing: Driver, commit: bool) -> None:
        ongoing.end(commit=commit, version=1)
        assert ongoing.end(commit=commit, version=1).error_code == ConcurrentTransactionsError.errno
        assert ongoing.end(commit=not commit, version=1).error_code == InvalidTxnStateError.errno
        ongoing.write_markers()
        assert ongoing.end(commit=commit, version=1).error_code == 0
        assert ongoing.end(commit=not commit, version=1).error_code == InvalidTxnStateError.errno

    @pytest.mark.parametrize("commit", [True, False])
    def test_an_empty_transaction_cannot_be_ended(self, driver: Driver, commit: bool) -> None:
        driver.init()
        assert driver.end(commit=commit, version=1).error_code == InvalidTxnStateError.errno


class TestTime:
    def test_a_transaction_is_aborted_after_its_timeout_and_not_at_it(self, ongoing: Driver) -> None:
        ongoing.now_ms += 60_000
        assert ongoing.send(AbortTimedOut()).watch_timeouts
        assert ongoing.state is S.ONGOING
        ongoing.now_ms += 1
        assert not ongoing.send(AbortTimedOut()).watch_timeouts
        assert (ongoing.state, ongoing.find().producer_epoch, ongoing.prepared) == (S.PREPARE_ABORT, 1, ["x"])

    def test_the_producer_of_a_timed_out_transaction_cannot_commit_it(self, ongoing: Driver) -> None:
        ongoing.now_ms += 60_001
        ongoing.send(AbortTimedOut())
        assert ongoing.end(epoch=0).error_code == InvalidTxnStateError.errno
        ongoing.write_markers()
        assert ongoing.end(epoch=0).error_code == InvalidTxnStateError.errno
        assert ongoing.add(epoch=0) == {P0: ProducerFencedError.errno}

    def test_the_producer_of_a_timed_out_transaction_can_abort_it_and_go_on(self, ongoing: Driver) -> None:
        ongoing.now_ms += 60_001
        ongoing.send(AbortTimedOut())
        ongoing.write_markers()
        assert ongoing.end(commit=False, epoch=0) == EndTxnReply(0, 1000, 1)

    def test_ids_expire_after_their_time_unless_a_transaction_is_open(self) -> None:
        driver = Driver(TransactionConfig(id_expiration_ms=1_000))
        driver.init("idle")
        driver.init("x")
        driver.add()
        driver.now_ms += 999
        driver.send(ExpireIds())
        assert set(driver.machine.durable()) == {"idle", "x"}
        driver.now_ms += 1
        driver.send(ExpireIds())
        assert set(driver.machine.durable()) == {"x"}

    def test_an_expired_id_begins_anew_with_another_producer_id(self) -> None:
        driver = Driver(TransactionConfig(id_expiration_ms=1_000))
        driver.init()
        driver.now_ms += 1_000
        driver.send(ExpireIds())
        assert driver.add(producer_id=1000, epoch=0) == {P0: InvalidProducerIdMappingError.errno}
        assert driver.init() == InitProducerReply(0, 1001, 0)

    @pytest.mark.parametrize("commit", [True, False])
    def test_after_a_crash_what_was_decided_is_completed_and_not_decided_anew(
        self, ongoing: Driver, commit: bool
    ) -> None:
        ongoing.end(commit=commit)
        other = ongoing.failed_over()
        assert other.prepared == ["x"]
        other.write_markers()
        assert other.state is (S.COMPLETE_COMMIT if commit else S.COMPLETE_ABORT)

    def test_after_a_crash_what_was_open_is_watched(self, ongoing: Driver) -> None:
        other = ongoing.failed_over()
        assert other.watches_timeouts
        assert other.prepared == []


class TestLooking:
    def test_a_transaction_is_described(self, ongoing: Driver) -> None:
        (described,) = ongoing.send(DescribeTransactions(["x"])).reply  # type: ignore[misc]
        assert described == DescribedTransaction(
            "x", 0, "Ongoing", 60_000, ongoing.now_ms, producer_id=1000, producer_epoch=0, partitions=[P0]
        )

    def test_an_unknown_id_is_told_so(self, driver: Driver) -> None:
        (unknown, empty) = driver.send(DescribeTransactions(["x", ""])).reply  # type: ignore[misc]
        assert (unknown.error_code, empty.error_code) == (TransactionalIdNotFoundError.errno, InvalidRequestError.errno)

    @pytest.mark.parametrize(
        ("request_", "expected"),
        [
            (ListTransactionsRequest(), ["x", "y"]),
            (ListTransactionsRequest(states=["Ongoing"]), ["x"]),
            (ListTransactionsRequest(producer_ids=[1001]), ["y"]),
            (ListTransactionsRequest(transactional_id_pattern="[w-x]"), ["x"]),
            (ListTransactionsRequest(transactional_id_pattern=""), ["x", "y"]),
            (ListTransactionsRequest(states=["Ongoing", "nonsense"]), ["x"]),
        ],
    )
    def test_filters_narrow_the_list(
        self, ongoing: Driver, request_: ListTransactionsRequest, expected: list[str]
    ) -> None:
        ongoing.init("y")
        reply = ongoing.send(request_).reply
        assert isinstance(reply, ListTransactionsReply)
        assert [each.transactional_id for each in reply.transactions] == expected
        assert list(reply.unknown_states) == [state for state in request_.states if state == "nonsense"]

    def test_a_duration_leaves_only_what_is_open_for_longer(self, ongoing: Driver) -> None:
        ongoing.now_ms += 100
        listed = [ListedTransaction("x", 1000, "Ongoing")]
        assert ongoing.send(ListTransactionsRequest(duration_ms=99)).reply == ListTransactionsReply(0, [], listed)
        assert ongoing.send(ListTransactionsRequest(duration_ms=100)).reply == ListTransactionsReply(0, [], [])

    def test_a_pattern_that_is_none_is_refused(self, driver: Driver) -> None:
        reply = driver.send(ListTransactionsRequest(transactional_id_pattern="(")).reply
        assert reply == ListTransactionsReply(InvalidRegularExpressionError.errno)


def test_loading_an_empty_log_asks_for_nothing(driver: Driver) -> None:
    decision = driver.send(Loaded())
    assert (decision.prepared, decision.watch_timeouts) == ([], False)
