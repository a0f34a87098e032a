"""From an exception to what a person is told: what is wrong, what to do, which exit code."""

from __future__ import annotations

import errno

from embedkafka import errors
from embedkafka.cli.exits import CliError, ExitCode

_NOT_FOUND = (errors.UnknownTopicOrPartitionError, errors.GroupIdNotFoundError)

_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (errors.TopicAlreadyExistsError, "pick another name, or add --if-not-exists"),
    (errors.NonEmptyGroupError, "close its consumers first; `embedkafka groups describe` lists them"),
    (errors.InvalidConfigurationError, "`embedkafka topics configs TOPIC --all` lists the settings and their values"),
    (errors.MessageSizeTooLargeError, "raise the topic's max.message.bytes: `embedkafka topics alter`"),
    (errors.CorruptRecordError, "`embedkafka log verify` says where"),
)


def explain(error: Exception) -> CliError:
    """The message for an error that reached the top of a command."""
    if isinstance(error, errors.DirectoryLockedError):
        owner = "another process" if error.owner_pid is None else f"process {error.owner_pid}"
        hint = (
            "" if error.address is None else f"it listens on {error.address}: change things there with any client, or "
        )
        hint += (
            "close it there; what only looks works beside it: topics, groups, users, acls and quotas list, topics and "
        )
        hint += "groups describe, topics configs, consume without --group, log, backup"
        return CliError(f"{error.path} is in use by {owner}", hint, ExitCode.IN_USE)
    if isinstance(error, errors.KafkaError):
        exit_code = ExitCode.NOT_FOUND if isinstance(error, _NOT_FOUND) else ExitCode.FAILED
        hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
        text = ", ".join(str(argument) for argument in error.args) or type(error).__name__
        return CliError(text, hint, exit_code)
    if isinstance(error, OSError):
        return CliError(_os_error(error), _os_hint(error))
    if isinstance(error, UnicodeDecodeError):
        return CliError(f"the input is not UTF-8: {error}", "")
    return CliError(
        f"unexpected {type(error).__name__}: {error}",
        "this is a bug in embedkafka; EMBEDKAFKA_TRACEBACK=1 shows where",
    )


def _os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    where = f": {error.filename}" if error.filename else ""
    return f"{reason[:1].lower()}{reason[1:]}{where}"


def _os_hint(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full; nothing that was acknowledged is lost"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "you lack the permission; look at the owner with `ls -ld`"
    if error.errno == errno.EROFS:
        return "the file system is mounted read-only"
    return ""
