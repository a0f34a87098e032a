"""The error tree: codes, names, traits."""

from __future__ import annotations

import copy
import pickle

import pytest

from embedkafka import TopicPartition, errors

_CODED = sorted(errors.kafka_errors.items())
_KAFKA_4_3_LAST_CODE = 133


def test_every_code_of_kafka_4_3_has_a_class() -> None:
    assert [code for code, _ in _CODED] == list(range(-1, _KAFKA_4_3_LAST_CODE + 1))


@pytest.mark.parametrize(("code", "error"), _CODED)
def test_a_code_leads_to_its_class(code: int, error: type[errors.BrokerResponseError]) -> None:
    assert errors.for_code(code) is error
    assert error.errno == code


@pytest.mark.parametrize(("code", "error"), _CODED)
def test_every_class_says_in_a_sentence_what_happened(code: int, error: type[errors.BrokerResponseError]) -> None:
    assert error.__doc__
    assert error.__doc__ != errors.BrokerResponseError.__doc__
    assert error.__doc__.rstrip().endswith(".")


def test_an_unknown_code_keeps_its_number() -> None:
    error = errors.for_code(9_999)
    assert issubclass(error, errors.UnknownError)
    assert error.errno == 9_999
    assert str(error("new")) == "[Error 9999] UnrecognizedBrokerError: new"


def test_the_text_of_an_error_has_code_name_and_message() -> None:
    assert str(errors.UnknownTopicOrPartitionError("t")) == "[Error 3] UnknownTopicOrPartitionError: t"


def test_errors_are_equal_when_class_and_arguments_are() -> None:
    assert errors.IllegalStateError("a") == errors.IllegalStateError("a")
    assert errors.IllegalStateError("a") != errors.IllegalStateError("b")
    assert errors.IllegalStateError("a") != errors.IllegalArgumentError("a")
    assert len({errors.IllegalStateError("a"), errors.IllegalStateError("a")}) == 1


def test_what_can_be_retried_says_so() -> None:
    assert errors.NotEnoughReplicasError.retriable
    assert not errors.NotEnoughReplicasError.invalid_metadata
    assert errors.NotLeaderForPartitionError.invalid_metadata
    assert not errors.OffsetOutOfRangeError.retriable


@pytest.mark.parametrize(
    "error",
    [
        errors.IllegalStateError("closed"),
        errors.RecordDeserializationError(TopicPartition("t", 0), 7, ValueError("bad")),
        errors.LogTruncationError({TopicPartition("t", 0): None}),
        errors.DirectoryLockedError("/data", 12),
        errors.ForeignDirectoryError("/data", "no format file"),
        errors.CommitFailedError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling_and_copying(error: errors.KafkaError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin).keys() == vars(error).keys()


def test_a_deserialization_error_says_which_record_and_what_to_do() -> None:
    error = errors.RecordDeserializationError(TopicPartition("t", 3), 7, ValueError("bad"))
    assert (error.topic_partition, error.offset) == (TopicPartition("t", 3), 7)
    assert "offset 7 of t-3" in str(error)
    assert "seek to 8" in str(error)
