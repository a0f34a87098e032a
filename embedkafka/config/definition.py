"""What a setting is: its name, type, default and what values it takes; and a table of settings that checks whole maps.

A table is data: one :class:`ConfigKey` a setting.  :class:`ConfigDef` parses a value the way Kafka's
``org.apache.kafka.common.config.ConfigDef`` does, with its sentences, so that a tool that shows them shows the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from embedkafka.errors import KafkaConfigurationError

ConfigValue = bool | int | float | str | list[str] | None


class ConfigType(IntEnum):
    """The types of values, with the numbers DescribeConfigs gives them (KIP-569)."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    SHORT = 4
    LONG = 5
    DOUBLE = 6
    LIST = 7
    CLASS = 8
    PASSWORD = 9


class Importance(IntEnum):
    """How often a reader of the documentation needs the setting."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2


_BITS = {ConfigType.SHORT: 15, ConfigType.INT: 31, ConfigType.LONG: 63}
MAX_INT = 2**31 - 1
MAX_LONG = 2**63 - 1


class Refusal(NamedTuple):
    """What is wrong: the value (of a list the item) and why."""

    value: object
    reason: str


Validator = Callable[[ConfigValue], "Refusal | None"]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number with a smallest value."""

    minimum: float

    def __call__(self, value: ConfigValue) -> Refusal | None:
        assert isinstance(value, int | float)
        if value < self.minimum:
            return Refusal(value, f"Value must be at least {_number(self.minimum)}")
        return None

    def __str__(self) -> str:
        return f"[{_number(self.minimum)},...]"


@dataclass(frozen=True, slots=True)
class Between:
    """A number within two bounds, both included."""

    minimum: float
    maximum: float

    def __call__(self, value: ConfigValue) -> Refusal | None:
        assert isinstance(value, int | float)
        if value < self.minimum:
            return Refusal(value, f"Value must be at least {_number(self.minimum)}")
        if value > self.maximum:
            return Refusal(value, f"Value must be no more than {_number(self.maximum)}")
        return None

    def __str__(self) -> str:
        return f"[{_number(self.minimum)},...,{_number(self.maximum)}]"


@dataclass(frozen=True, slots=True)
class GzipLevel:
    """1 to 9, or -1 for the library's own choice."""

    def __call__(self, value: ConfigValue) -> Refusal | None:
        assert isinstance(value, int)
        if value == -1 or 1 <= value <= 9:
            return None
        return Refusal(value, "Value must be between 1 and 9 or equal to -1")

    def __str__(self) -> str:
        return "[1,...,9] or -1"


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text from a fixed choice."""

    choices: tuple[str, ...]

    def __call__(self, value: ConfigValue) -> Refusal | None:
        if value in self.choices:
            return None
        return Refusal(value, f"String must be one of: {', '.join(self.choices)}")

    def __str__(self) -> str:
        return f"[{', '.join(self.choices)}]"


@dataclass(frozen=True, slots=True)
class SomeOf:
    """A list from a fixed choice; it may be empty."""

    choices: tuple[str, ...]

    def __call__(self, value: ConfigValue) -> Refusal | None:
        assert isinstance(value, list)
        for item in value:
            if item not in self.choices:
                return Refusal(item, f"String must be one of: {', '.join(self.choices)}")
        return None

    def __str__(self) -> str:
        return f"[{', '.join(self.choices)}]"


@dataclass(frozen=True, slots=True)
class ReplicaList:
    """``*``, or pairs ``partition:broker`` separated by commas."""

    def __call__(self, value: ConfigValue) -> Refusal | None:
        assert isinstance(value, list)
        if value == ["*"]:
            return None
        for item in value:
            partition, colon, broker = item.partition(":")
            if not (colon and partition.strip().isdigit() and broker.strip().isdigit()):
                return Refusal(
                    f"[{', '.join(value)}]",
                    "expected the literal '*' or a list of [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                )
        return None

    def __str__(self) -> str:
        return "[partitionId]:[brokerId],[partitionId]:[brokerId],..."


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One setting.

    Attributes:
        name: Kafka's dotted name.
        type: the type of its values.
        default: what holds when it is not set; None when that is decided elsewhere (a synonym, or "no limit").
        doc: what it does, for a reader who knows Kafka.
        validator: what values it takes beyond its type.
        importance: as Kafka rates it.
        since: the release of this project that knows it first.
        is_internal: left out of listings, as Kafka's internal settings are.
        is_dynamic: can be changed while the engine runs.
        inert_because: why setting it changes nothing here; empty for a setting that works.
        kafka_default: Kafka's own default where this project's differs; see ``doc`` for the reason.
    """

    name: str
    type: ConfigType
    default: ConfigValue
    doc: str
    validator: Validator | None = None
    importance: Importance = Importance.MEDIUM
    since: str = "0.1"
    is_internal: bool = False
    is_dynamic: bool = False
    inert_because: str = ""
    kafka_default: ConfigValue = None

    def parse(self, value: object) -> ConfigValue:
        """The value in its Python type.

        Raises:
            KafkaConfigurationError: the value is not of the type, or the validator refuses it.
        """
        if value is None:
            if self.default is None:
                return None
            raise KafkaConfigurationError(f"Null value not supported for configuration {self.name}")
        parsed = self._convert(value)
        if self.validator is not None:
            refusal = self.validator(parsed)
            if refusal is not None:
                raise self._invalid(*refusal)
        return parsed

    def _convert(self, value: object) -> ConfigValue:
        if self.type is ConfigType.BOOLEAN:
            if isinstance(value, bool):
                return value
            text = str(value).strip().lower()
            if text in ("true", "false"):
                return text == "true"
            raise self._invalid(value, "Expected value to be either true or false")
        if self.type in _BITS:
            return self._whole_number(value)
        if self.type is ConfigType.DOUBLE:
            try:
                return float(value)  # type: ignore[arg-type]  # what float refuses is the error below
            except (TypeError, ValueError):
                raise self._invalid(value, "Not a number of type DOUBLE") from None
        if self.type is ConfigType.LIST:
            items = value if isinstance(value, list | tuple) else str(value).split(",") if str(value) else []
            return list(dict.fromkeys(str(item).strip() for item in items))  # Kafka drops duplicates too
        return str(value).strip()

    def _whole_number(self, value: object) -> int:
        try:
            if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
                raise ValueError
            number = int(value)  # type: ignore[call-overload]  # what int refuses is the error below
        except (TypeError, ValueError, OverflowError):
            raise self._invalid(value, f"Not a number of type {self.type.name}") from None
        limit = 1 << _BITS[self.type]
        if not -limit <= number < limit:
            raise self._invalid(value, f"Not a number of type {self.type.name}")
        return int(number)

    def _invalid(self, value: object, why: str) -> KafkaConfigurationError:
        return KafkaConfigurationError(f"Invalid value {value} for configuration {self.name}: {why}")


def to_text(value: ConfigValue) -> str | None:
    """A parsed value as Kafka writes it: in a describe reply, in the catalog."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    return str(value)


class ConfigDef(Mapping[str, ConfigKey]):
    """A table of settings by their dotted names."""

    def __init__(self, kind: str, keys: Iterable[ConfigKey]) -> None:
        """
        Args:
            kind: "topic" or "broker": what an error calls the settings.
            keys: the settings; names are unique.
        """
        self.kind = kind
        self._keys = {key.name: key for key in keys}
        self._by_keyword = {name.replace(".", "_"): name for name in self._keys}

    def __getitem__(self, name: str) -> ConfigKey:
        return self._keys[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def dotted(self, name: str) -> str:
        """The dotted name of a setting given either way (``num.partitions`` or ``num_partitions``).

        Raises:
            KafkaConfigurationError: no setting has this name; the message names the nearest.
        """
        if name in self._keys:
            return name
        found = self._by_keyword.get(name.replace(".", "_"))
        if found is None:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> KafkaConfigurationError:
        """The error for a name nobody knows, with the nearest known one."""
        nearest = difflib.get_close_matches(name.replace("_", "."), self._keys, n=1, cutoff=0.5)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        return KafkaConfigurationError(f"Unknown {self.kind} config name: {name}{hint}")

    def parse(self, settings: Mapping[str, object]) -> dict[str, ConfigValue]:
        """Settings by dotted name in their Python types; what is not set is not in the result.

        Raises:
            KafkaConfigurationError: an unknown name, a bad value, or a setting given in both its forms.
        """
        parsed: dict[str, ConfigValue] = {}
        for given, value in settings.items():
            name = self.dotted(given)
            if name in parsed:
                raise KafkaConfigurationError(
                    f"{self.kind} config {name} is given twice, as {given} and in another form"
                )
            parsed[name] = self._keys[name].parse(value)
        return parsed
