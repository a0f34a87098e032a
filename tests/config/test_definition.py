from __future__ import annotations

import pytest

from embedkafka.config import BROKER_CONFIGS, TOPIC_CONFIGS, ConfigType, to_text
from embedkafka.config.definition import AtLeast, ConfigDef, ConfigKey, OneOf
from embedkafka.errors import KafkaConfigurationError


def test_a_name_is_accepted_dotted_and_as_a_keyword() -> None:
    assert BROKER_CONFIGS.parse({"num.partitions": 3}) == BROKER_CONFIGS.parse({"num_partitions": "3"})


def test_both_forms_of_one_name_at_once_are_refused() -> None:
    with pytest.raises(KafkaConfigurationError, match="twice"):
        BROKER_CONFIGS.parse({"num.partitions": 3, "num_partitions": 3})


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("num_partition", "num.partitions"), ("log.retention.m", "log.retention.ms"), ("max.openfiles", "max.open.files")],
)
def test_an_unknown_name_is_refused_and_the_nearest_is_named(wrong: str, nearest: str) -> None:
    with pytest.raises(KafkaConfigurationError, match=f"{wrong}; did you mean {nearest}"):
        BROKER_CONFIGS.parse({wrong: 1})


def test_a_name_like_nothing_known_is_refused_without_a_guess() -> None:
    with pytest.raises(KafkaConfigurationError) as raised:
        BROKER_CONFIGS.parse({"qqqq": 1})
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "shown", "why"),
    [
        ("retention.ms", "-5", "-5", "Value must be at least -1"),
        ("retention.ms", "abc", "abc", "Not a number of type LONG"),
        ("retention.ms", "", "", "Not a number of type LONG"),
        ("segment.bytes", str(2**31), str(2**31), "Not a number of type INT"),
        ("min.cleanable.dirty.ratio", "7", "7.0", "Value must be no more than 1"),
        ("min.cleanable.dirty.ratio", "x", "x", "Not a number of type DOUBLE"),
        ("preallocate", "yes", "yes", "Expected value to be either true or false"),
        ("cleanup.policy", "delete,foo", "foo", "String must be one of: compact, delete"),
        ("compression.gzip.level", "77", "77", "Value must be between 1 and 9 or equal to -1"),
        ("message.timestamp.type", "Mine", "Mine", "String must be one of: CreateTime, LogAppendTime"),
    ],
)
def test_a_bad_value_is_refused_with_kafkas_sentence(name: str, value: str, shown: str, why: str) -> None:
    with pytest.raises(KafkaConfigurationError) as raised:
        TOPIC_CONFIGS.parse({name: value})
    assert raised.value.args == (f"Invalid value {shown} for configuration {name}: {why}",)


@pytest.mark.parametrize("value", [1.5, True, [1], object()])
def test_a_whole_number_is_nothing_but_a_whole_number(value: object) -> None:
    with pytest.raises(KafkaConfigurationError):
        TOPIC_CONFIGS.parse({"retention.ms": value})


def test_values_of_lists_lose_blanks_and_duplicates() -> None:
    assert TOPIC_CONFIGS.parse({"cleanup.policy": " delete, compact,delete"}) == {
        "cleanup.policy": ["delete", "compact"]
    }


def test_an_empty_list_is_a_value() -> None:
    assert TOPIC_CONFIGS.parse({"cleanup.policy": ""}) == {"cleanup.policy": []}


def test_none_is_refused_where_there_is_a_default() -> None:
    with pytest.raises(KafkaConfigurationError, match="Null value not supported"):
        TOPIC_CONFIGS.parse({"retention.ms": None})


def test_every_default_passes_its_own_check() -> None:
    for table in (TOPIC_CONFIGS, BROKER_CONFIGS):
        for key in table.values():
            if key.default is not None:
                assert key.parse(to_text(key.default)) == key.default, key.name


def test_every_key_says_what_it_does() -> None:
    for table in (TOPIC_CONFIGS, BROKER_CONFIGS):
        for key in table.values():
            assert key.doc.endswith("."), key.name


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (None, None), (["a", "b"], "a,b"), (0.5, "0.5"), (-1, "-1"), ([], "")]
)
def test_a_value_is_written_as_kafka_writes_it(value: object, text: str | None) -> None:
    assert to_text(value) == text  # type: ignore[arg-type]


def test_a_table_checks_with_the_validators_it_is_given() -> None:
    table = ConfigDef(
        "toy",
        [
            ConfigKey("a.b", ConfigType.INT, 1, "A.", AtLeast(1)),
            ConfigKey("c", ConfigType.STRING, "x", "C.", OneOf(("x",))),
        ],
    )
    assert table.parse({"a_b": "7", "c": "x"}) == {"a.b": 7, "c": "x"}
    with pytest.raises(KafkaConfigurationError, match="Unknown toy config name: z"):
        table.parse({"z": 1})
