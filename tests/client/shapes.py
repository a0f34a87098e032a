"""The public face of a package, flattened to ``{what: value}`` so that two can be compared line by line."""

from __future__ import annotations

import importlib
import inspect
import selectors
from enum import Enum
from types import ModuleType
from typing import Any

Shape = dict[str, str]

_SPECIAL_METHODS = ("__init__", "__iter__", "__next__", "__enter__", "__exit__")
_CLIENTS = ("KafkaProducer", "KafkaConsumer", "KafkaAdminClient")
_TUPLES = (
    "TopicPartition",
    "TopicPartitionReplica",
    "OffsetAndMetadata",
    "ConsumerGroupMetadata",
)


def shape_of(package: str, *, record: Any, record_metadata: Any, offset_and_timestamp: Any) -> Shape:
    """Flatten ``package`` (``kafka`` or ``embedkafka``).

    The three types are given because the packages keep them in different places.
    """
    root, admin, errors = (importlib.import_module(package + path) for path in ("", ".admin", ".errors"))
    shape: Shape = {}
    shape.update({f"name {name}": "there" for name in root.__all__})
    shape.update({f"admin name {name}": "there" for name in admin.__all__})
    for name in _CLIENTS:
        shape.update(_client(getattr(root, name)))
    for name in ("ConsumerRebalanceListener", "AsyncConsumerRebalanceListener", "Serializer", "Deserializer"):
        shape.update(_methods(getattr(root, name)))
    for name in _TUPLES:
        shape.update(_tuple(name, getattr(root, name)))
    shape.update(_tuple("ConsumerRecord", record))
    shape.update(_tuple("RecordMetadata", record_metadata))
    shape.update(_tuple("OffsetAndTimestamp", offset_and_timestamp))
    shape.update(_values(admin))
    shape.update(_errors(errors))
    return shape


def _client(client: type) -> Shape:
    shape = _methods(client)
    for name, default in client.DEFAULT_CONFIG.items():  # type: ignore[attr-defined]
        shape[f"{client.__name__} setting {name}"] = _text(default)
    return shape


def _methods(cls: type) -> Shape:
    shape: Shape = {}
    for name, member in inspect.getmembers(cls, callable):
        if name.startswith("_") and name not in _SPECIAL_METHODS:
            continue
        if name == "__init__" and member is object.__init__:
            continue
        try:
            parameters = inspect.signature(member).parameters.values()
        except ValueError:
            continue
        listed = ", ".join(_parameter(parameter) for parameter in parameters if parameter.name != "self")
        if name == "__exit__":
            listed = "..."
        shape[f"{cls.__name__}.{name}"] = f"({listed})"
    return shape


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")  # type: ignore[call-overload]
    default = "" if parameter.default is parameter.empty else f"={_text(parameter.default)}"
    return f"{stars}{parameter.name}{default}"


def _tuple(name: str, cls: Any) -> Shape:
    defaults = getattr(cls, "_field_defaults", {})
    fields = [f"{field}={_text(defaults[field])}" if field in defaults else field for field in cls._fields]
    return {f"fields of {name}": ", ".join(fields)}


def _values(admin: ModuleType) -> Shape:
    shape: Shape = {}
    for name in admin.__all__:
        cls = getattr(admin, name)
        if not isinstance(cls, type) or name in _CLIENTS:
            continue
        if issubclass(cls, Enum):
            shape[f"admin {name} members"] = ", ".join(f"{member.name}={member.value}" for member in cls)
        elif hasattr(cls, "_fields"):
            shape.update(_tuple(f"admin {name}", cls))
        else:
            shape.update({f"admin {line}": value for line, value in _methods(cls).items()})
    return shape


def _errors(errors: ModuleType) -> Shape:
    shape: Shape = {}
    for name, cls in vars(errors).items():
        if isinstance(cls, type) and issubclass(cls, Exception):
            bases = [base.__name__ for base in cls.__mro__[1:] if issubclass(base, errors.KafkaError)]
            traits = [trait for trait in ("retriable", "invalid_metadata") if getattr(cls, trait, False)]
            code = f"{cls.errno} {cls.message} " if hasattr(cls, "errno") else ""
            shape[f"error {name}"] = f"{code}({', '.join(bases)}) {' '.join(traits)}".strip()
    return shape


def _text(value: Any) -> str:
    """A default in words that do not name a package."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, type) and issubclass(value, selectors.BaseSelector):
        return "<class DefaultSelector>"  # another class on each platform
    if isinstance(value, type):
        return f"<class {value.__name__}>"
    if inspect.isroutine(value):
        return "<function>"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    if hasattr(value, "__dict__") and type(value).__module__.split(".")[0] in ("kafka", "embedkafka"):
        return f"<{type(value).__name__}>"
    return repr(value)
