"""What `java_tools.py` runs: Kafka's command line tools, step after step, as a manual for them would."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One run of a tool.  ``{name}`` in arguments is a name that no other run has, ``{file:name}`` a file's path."""

    tool: str
    arguments: str = ""
    text: str = ""  # standard input
    until: str = ""  # run again until this regular expression is found
    keep: str = ""  # only lines with this regular expression are compared
    background: bool = False  # goes on while the next steps run; `Finish` waits for it
    files: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes
    is_sorted: bool = True  # the order of lines means something
    has_numbers: bool = True  # numbers mean something, too


class OpenTransaction(NamedTuple):
    """A producer begins a transaction, sends one record and stays where it is: no tool does that."""

    topic: str
    transactional_id: str


class Finish(NamedTuple):
    """Wait for the tools in the background."""


Steps = dict[str, list[Step | OpenTransaction | Finish]]


def _lines(count: int, form: str = "value {}") -> str:
    return "".join(form.format(number) + "\n" for number in range(count))


def _any(tool: str, *arguments: str) -> list[Step]:
    return [Step(tool, each, is_sorted=False) for each in arguments]


_TOPIC = "--create --topic {t} --partitions 1"


def _group_read(tool: str, more: str) -> list[Step]:
    """A topic of two partitions with ten records each, read to its end by a group."""
    return [
        Step("kafka-topics", "--create --topic {t} --partitions 2"),
        Step(
            "kafka-console-producer",
            "--topic {t} --reader-property parse.key=true",
            text="".join(f"{key}\tvalue {number}\n" for number in range(10) for key in ("a", "b", "c", "d")),
        ),
        Step(tool, more, is_sorted=False),
    ]


SCENARIOS: Steps = {
    "topics": [
        *_any(
            "kafka-topics",
            "--create --topic {t} --partitions 3 --config retention.ms=1234 --config cleanup.policy=compact,delete",
            "--create --topic {t} --partitions 3",
            "--create --topic {t} --if-not-exists",
            "--create --topic {d}",
            "--create --topic {a} --replica-assignment 0,0,0",
            "--create --topic {x} --replication-factor 2",
            "--create --topic {x} --partitions 0",
            "--create --topic {x} --config no.such.thing=1",
            "--create --topic {x} --config retention.ms=soon",
            "--create --topic not/a/name",
            "--describe --topic {t}",
            "--describe --topic {d}",
            "--describe --topic {a}",
            "--describe --topic {x}",
            "--describe --topic {x} --if-exists",
            "--describe --topic {t}|{d}",
            "--describe --topic {t} --topics-with-overrides",
            "--describe --topic {d} --topics-with-overrides",
            "--describe --topic {t} --under-replicated-partitions",
            "--describe --topic {t} --unavailable-partitions",
            "--describe --topic {t} --under-min-isr-partitions",
            "--describe --topic {t} --at-min-isr-partitions",
            "--describe --topic {t} --partition-size-limit-per-response 1",
            "--describe --topic-id AAAAAAAAAAAAAAAAAAAAew",
            "--list --topic {t}|{d}",
            "--list --topic __.* --exclude-internal",
            "--alter --topic {t} --partitions 5",
            "--alter --topic {t} --partitions 2",
            "--alter --topic {t} --partitions 6 --replica-assignment 0,0,0,0,0,0",
            "--alter --topic {x} --partitions 6",
            "--alter --topic {x} --partitions 6 --if-exists",
            "--delete --topic {t}",
            "--delete --topic {t}",
            "--delete --topic {t} --if-exists",
            "--delete --topic {d}",
            "--delete --topic __consumer_offsets_{x}",
            "--nonsense",
        )
    ],
    "configs of topics": [
        Step("kafka-topics", _TOPIC),
        *_any(
            "kafka-configs",
            "--alter --entity-type topics --entity-name {t} --add-config retention.ms=9,max.message.bytes=2048",
            "--describe --entity-type topics --entity-name {t}",
            "--describe --topic {t}",
            "--describe --all --entity-type topics --entity-name {t}",
            "--alter --entity-type topics --entity-name {t} --delete-config retention.ms",
            "--alter --entity-type topics --entity-name {t} --delete-config retention.ms",
            "--alter --entity-type topics --entity-name {t} --delete-config no.such.thing",
            "--alter --entity-type topics --entity-name {t} --add-config no.such.thing=1",
            "--alter --entity-type topics --entity-name {t} --add-config cleanup.policy=never",
            "--alter --entity-type topics --entity-name {t} --add-config cleanup.policy=[compact,delete]",
            "--alter --entity-type topics --entity-name {t} --add-config retention.ms=-5",
            "--alter --entity-type topics --entity-name {t}"
            " --add-config min.compaction.lag.ms=10,max.compaction.lag.ms=5",
            "--alter --entity-type topics --entity-name {t} --add-config leader.replication.throttled.replicas=*",
            "--alter --entity-type topics --entity-name {t} --add-config leader.replication.throttled.replicas=x",
            "--alter --entity-type topics --entity-name {t} --add-config remote.storage.enable=true",
            "--alter --entity-type topics --entity-name {t}"
            " --add-config compression.type=zstd,compression.zstd.level=99",
            "--alter --entity-type topics --entity-name {t} --add-config message.timestamp.type=LogAppendTime",
            "--describe --entity-type topics --entity-name {t}",
            "--describe --entity-type topics --entity-name {x}",
            "--alter --entity-type topics --entity-name {x} --add-config retention.ms=9",
            "--alter --entity-type topics --entity-default --add-config retention.ms=9",
        ),
        Step(
            "kafka-configs",
            "--alter --entity-type topics --entity-name {t} --add-config-file {file:c.properties}",
            files={"c.properties": "retention.ms=77\nsegment.bytes=1048576\n"},
        ),
        Step("kafka-configs", "--describe --entity-type topics --entity-name {t}", is_sorted=False),
    ],
    "configs of brokers": [
        Step("kafka-configs", "--describe --entity-type brokers", is_sorted=False),
        *_any(
            "kafka-configs",
            "--describe --entity-type brokers --entity-name 0",
            "--describe --entity-type brokers --entity-default",
            "--alter --entity-type brokers --entity-name 0 --add-config log.cleaner.threads=2",
            "--describe --entity-type brokers --entity-name 0",
            "--alter --entity-type brokers --entity-name 0 --delete-config log.cleaner.threads",
            "--alter --entity-type brokers --entity-name 0 --add-config broker.id=7",
            "--alter --entity-type brokers --entity-name 0 --add-config no.such.thing=7",
            "--alter --entity-type brokers --entity-name 0 --delete-config no.such.thing",
            "--alter --entity-type brokers --entity-name 0 --add-config log.cleaner.threads=many",
            "--alter --entity-type brokers --entity-name 7 --add-config log.cleaner.threads=2",
            "--alter --entity-type brokers --entity-name 0 --delete-config log.cleaner.threads",
            "--alter --entity-type brokers --entity-default --add-config message.max.bytes=1048600",
            "--describe --entity-type brokers --entity-default",
            "--alter --entity-type brokers --entity-default --delete-config message.max.bytes",
            "--describe --entity-type brokers --entity-default",
            "--alter --entity-type brokers --entity-default --delete-config message.max.bytes",
            "--describe --entity-type brokers --entity-name 7",
        ),
    ],
    "configs of loggers": [
        Step("kafka-configs", "--describe --entity-type broker-loggers --entity-name 0", keep="^Dynamic"),
        *_any(
            "kafka-configs",
            "--alter --entity-type broker-loggers --entity-name 0 --add-config kafka.server.KafkaApis=LOUD",
            "--alter --entity-type broker-loggers --entity-name 0 --add-config no.such.logger=INFO",
            "--describe --entity-type broker-loggers --entity-name 7",
        ),
    ],
    "configs of users, clients and addresses": [
        *_any(
            "kafka-configs",
            "--alter --entity-type users --entity-name {u} --add-config SCRAM-SHA-256=[iterations=8192,password=p]",
            "--alter --entity-type users --entity-name {u} --add-config SCRAM-SHA-512=[password=p]",
            "--alter --entity-type users --entity-name {u} --add-config SCRAM-SHA-256=[iterations=7,password=p]",
            "--describe --entity-type users --entity-name {u}",
            "--alter --user {u} --add-config producer_byte_rate=1024,consumer_byte_rate=2048",
            "--describe --entity-type users --entity-name {u}",
            "--alter --entity-type users --entity-name {u} --delete-config SCRAM-SHA-256",
            "--alter --entity-type users --entity-name {u} --delete-config SCRAM-SHA-256",
            "--alter --entity-type users --entity-name {u} --delete-config SCRAM-SHA-512,producer_byte_rate",
            "--describe --entity-type users --entity-name {u}",
            "--alter --user {u} --client {c} --add-config request_percentage=150",
            "--alter --entity-type users --entity-name {u} --entity-type clients --entity-default"
            " --add-config controller_mutation_rate=5",
            "--describe --entity-type users --entity-name {u} --entity-type clients --entity-name {c}",
            "--describe --entity-type users --entity-name {u} --entity-type clients",
            "--describe --user {u} --client-defaults",
            "--alter --entity-type clients --entity-name {c} --add-config producer_byte_rate=99",
            "--alter --entity-type clients --entity-name {c} --add-config producer_byte_rate=fast",
            "--alter --entity-type clients --entity-name {c} --add-config producer_byte_rate=-1",
            "--alter --entity-type clients --entity-name {c} --add-config connection_creation_rate=4",
            "--alter --entity-type clients --entity-name {c} --add-config no_such_rate=4",
            "--describe --entity-type clients --entity-name {c}",
            "--alter --entity-type clients --entity-name {c} --delete-config producer_byte_rate",
            "--alter --entity-type clients --entity-name {c} --delete-config producer_byte_rate",
            "--describe --entity-type clients --entity-name {c}",
            "--alter --user {u} --client {c} --delete-config request_percentage",
            "--alter --user {u} --client-defaults --delete-config controller_mutation_rate",
            "--alter --user {u} --delete-config consumer_byte_rate",
            "--describe --user {u}",
            "--alter --entity-type ips --entity-name 198.51.100.7 --add-config connection_creation_rate=100",
            "--describe --entity-type ips --entity-name 198.51.100.7",
            "--alter --entity-type ips --entity-name 198.51.100.7 --delete-config connection_creation_rate",
            "--alter --entity-type ips --entity-name 198.51.100.7 --add-config producer_byte_rate=100",
            "--alter --entity-type ips --entity-name no.address --add-config connection_creation_rate=100",
            "--describe --entity-type ips --entity-name 198.51.100.7",
        )
    ],
    "configs of groups and subscriptions": [
        *_any(
            "kafka-configs",
            "--alter --entity-type groups --entity-name {g}"
            " --add-config consumer.session.timeout.ms=50000,share.auto.offset.reset=earliest",
            "--describe --entity-type groups --entity-name {g}",
            "--describe --all --entity-type groups --entity-name {g}",
            "--alter --entity-type groups --entity-name {g} --add-config consumer.session.timeout.ms=1",
            "--alter --entity-type groups --entity-name {g} --add-config no.such.thing=1",
            "--alter --entity-type groups --entity-name {g} --add-config streams.num.standby.replicas=1",
            "--alter --entity-type groups --entity-name {g} --add-config streams.num.standby.replicas=9",
            "--alter --entity-type groups --entity-name {g} --delete-config consumer.session.timeout.ms",
            "--describe --group {g}",
            "--alter --group {g} --delete-config share.auto.offset.reset,streams.num.standby.replicas",
            "--describe --group {x}",
            "--alter --entity-type client-metrics --entity-name {m} --add-config"
            " interval.ms=5000,metrics=[org.apache.kafka.producer.,org.apache.kafka.consumer.],match=[client_id=x.*]",
            "--describe --entity-type client-metrics --entity-name {m}",
            "--alter --entity-type client-metrics --entity-name {m} --add-config interval.ms=-4",
            "--alter --entity-type client-metrics --entity-name {m} --delete-config interval.ms,metrics,match",
        ),
        *_any(
            "kafka-client-metrics",
            "--alter --name {m} --metrics org.apache.kafka. --interval 30000 --match client_id=x",
            "--describe --name {m}",
            "--delete --name {m}",
            "--describe --name {m}",
            "--alter --generate-name --metrics org.apache.kafka. --interval nonsense",
        ),
    ],
    "acls": [
        *_any(
            "kafka-acls",
            "--add --allow-principal User:{u} --operation Read --operation Describe --topic {t}",
            "--add --deny-principal User:{u} --deny-host 198.51.100.1 --operation All --topic {t}",
            "--add --allow-principal User:{u} --producer --topic {t} --transactional-id {t}",
            "--add --allow-principal User:{u} --consumer --topic {t} --group {g}",
            "--add --allow-principal User:{u} --operation Read --topic {t}- --resource-pattern-type prefixed",
            "--add --allow-principal User:{u} --operation Write --group {g}",
            "--add --allow-principal {u} --operation Read --topic {t}",
            "--add --allow-principal User:{u} --operation CreateTokens --user-principal User:{v}",
            "--list --topic {t}",
            "--list --topic {t} --principal User:{u}",
            "--list --topic {t}-9 --resource-pattern-type match",
            "--list --group {g}",
            "--list --transactional-id {t}",
            "--list --user-principal User:{v}",
            "--remove --allow-principal User:{u} --operation Describe --topic {t} --force",
            "--list --topic {t}",
            "--remove --topic {t} --force",
            "--remove --topic {t}- --resource-pattern-type prefixed --force",
            "--remove --group {g} --force",
            "--remove --transactional-id {t} --force",
            "--remove --user-principal User:{v} --force",
            "--list --topic {t}-9 --resource-pattern-type match",
        )
    ],
    "consumer groups": [
        *_group_read("kafka-console-consumer", "--topic {t} --group {g} --from-beginning --max-messages 40"),
        Step(
            "kafka-console-consumer",
            "--topic {t} --group {k} --timeout-ms 25000 --command-property group.protocol=classic",
            background=True,
        ),
        Step(
            "kafka-console-consumer",
            "--topic {t} --group {n} --timeout-ms 25000 --command-property group.protocol=consumer"
            " --command-property client.id=someone",
            background=True,
        ),
        *[
            Step("kafka-consumer-groups", arguments, until=until, is_sorted=False)
            for arguments, until in {
                "--describe --group {g}": "",
                "--describe --group {g} --offsets --verbose": "",
                "--describe --group {g} --members": "",
                "--describe --group {g} --state": "",
                "--describe --group {k} --state": "Stable",
                "--describe --group {k} --members --verbose": " 2 ",
                "--describe --group {k} --offsets": "",
                "--describe --group {k} --offsets --verbose": "",
                "--describe --group {k} --state --verbose": "",
                "--describe --group {n} --members --verbose": "{t}:0,1",
                "--describe --group {n} --members": "",
                "--describe --group {n}": "",
                "--describe --group {n} --offsets --verbose": "",
                "--describe --group {n} --state --verbose": "Stable",
                "--describe --group {x}": "",
                "--describe --group {x} --members": "",
                "--describe --group {x} --state": "",
                "--validate-regex foo[0-9]+": "",
                "--validate-regex foo(": "",
                "--delete --group {k}": "",
                "--delete-offsets --group {k} --topic {t}": "",
                "--reset-offsets --group {k} --topic {t} --to-earliest --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-earliest": "",
                "--reset-offsets --group {g} --topic {t} --to-earliest --dry-run": "",
                "--reset-offsets --group {g} --topic {t}:1 --to-offset 3 --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-current --execute": "",
                "--reset-offsets --group {g} --all-topics --shift-by -2 --execute": "",
                "--reset-offsets --group {g} --all-topics --shift-by -200 --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-offset 2000 --execute": "",
                "--reset-offsets --group {g} --topic {t} --by-duration PT1H --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-datetime 2017-08-04T00:00:00.000 --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-datetime 2100-08-04T00:00:00.000 --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-latest --export --dry-run": "",
                "--reset-offsets --group {new} --topic {t} --to-latest --execute": "",
                "--reset-offsets --group {g} --topic {x} --to-latest --execute": "",
                "--reset-offsets --group {g} --topic {t}:7 --to-latest --execute": "",
            }.items()
        ],
        Step(
            "kafka-consumer-groups",
            "--reset-offsets --group {g} --from-file {file:offsets.csv} --execute",
            files={"offsets.csv": "{t},0,1\n{t},1,2\n"},
            is_sorted=False,
        ),
        *_any(
            "kafka-consumer-groups",
            "--describe --group {g}",
            "--delete-offsets --group {g} --topic {t}:1",
            "--delete-offsets --group {g} --topic {t}:9",
            "--delete-offsets --group {x} --topic {t}",
            "--describe --group {g}",
            "--delete --group {g} --group {new}",
            "--delete --group {x}",
        ),
        Step("kafka-consumer-groups", "--list --state", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Step("kafka-consumer-groups", "--list --type", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Step("kafka-consumer-groups", "--list --state Stable", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Step("kafka-consumer-groups", "--list --type consumer --state Stable", keep="{g}|{k}|{n}|GROUP"),
        Step("kafka-consumer-groups", "--list --state Nonsense", is_sorted=False),
        Step("kafka-groups", "--list", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Step("kafka-groups", "--list --consumer", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Step("kafka-groups", "--list --group-type classic", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Step("kafka-groups", "--list --protocol consumer", keep="{g}|{k}|{n}|GROUP", is_sorted=False),
        Finish(),
        Step("kafka-consumer-groups", "--describe --group {k} --state", until="Empty", is_sorted=False),
        Step("kafka-consumer-groups", "--describe --group {n} --state", until="Empty", is_sorted=False),
        Step("kafka-consumer-groups", "--delete --group {k} --group {n}", is_sorted=False),
    ],
    "share groups": [
        Step(
            "kafka-configs",
            "--alter --entity-type groups --entity-name {g} --add-config share.auto.offset.reset=earliest",
        ),
        *_group_read("kafka-console-share-consumer", "--topic {t} --group {g} --max-messages 40 --timeout-ms 20000"),
        Step(
            "kafka-console-share-consumer",
            "--topic {t} --group {k} --timeout-ms 15000 --command-property client.id=someone",
            background=True,
        ),
        *[
            Step("kafka-share-groups", arguments, until=until, is_sorted=False)
            for arguments, until in {
                "--describe --group {g}": "",
                "--describe --group {g} --offsets --verbose": "",
                "--describe --group {g} --members": "",
                "--describe --group {g} --state": "",
                "--describe --group {k} --state --verbose": "Stable",
                "--describe --group {k} --members --verbose": "{t}:0,1",
                "--describe --group {k} --members": "",
                "--describe --group {x}": "",
                "--describe --group {x} --state": "",
                "--delete --group {k}": "",
                "--reset-offsets --group {k} --topic {t} --to-earliest --execute": "",
                "--delete-offsets --group {k} --topic {t}": "",
                "--reset-offsets --group {g} --topic {t} --to-earliest": "",
                "--reset-offsets --group {g} --topic {t} --to-earliest --dry-run": "",
                "--reset-offsets --group {g} --topic {t}:1 --to-earliest --execute": "",
                "--reset-offsets --group {g} --all-topics --to-latest --execute": "",
                "--reset-offsets --group {g} --topic {t} --to-datetime 2017-08-04T00:00:00.000 --execute": "",
                "--reset-offsets --group {g} --topic {x} --to-latest --execute": "",
                "--reset-offsets --group {x} --topic {t} --to-latest --execute": "",
                "--describe --group {g} --offsets": "",
                "--delete-offsets --group {g} --topic {t}": "",
                "--delete-offsets --group {x} --topic {t}": "",
                "--delete --group {x}": "",
            }.items()
        ],
        Step("kafka-share-groups", "--list", keep="{g}|{k}", is_sorted=False),
        Step("kafka-share-groups", "--list --state", keep="{g}|{k}|GROUP", is_sorted=False),
        Step("kafka-share-groups", "--list --state Stable", keep="{g}|{k}|GROUP", is_sorted=False),
        Step("kafka-groups", "--list --share", keep="{g}|{k}|GROUP", is_sorted=False),
        Finish(),
        Step("kafka-share-groups", "--describe --group {k} --state", until="Empty", is_sorted=False),
        Step("kafka-share-groups", "--delete --group {k} --group {g}", is_sorted=False),
    ],
    "transactions": [
        Step("kafka-topics", _TOPIC),
        OpenTransaction("{t}", "{i}"),
        *[
            Step("kafka-transactions", arguments, is_sorted=False, keep=keep, has_numbers=False)
            for arguments, keep in {
                "list": "TransactionalId|{i}",
                "list --transactional-id-pattern {i}": "",
                "list --transactional-id-pattern (": "",
                "list --duration-filter 10000000 --transactional-id-pattern {i}": "",
                "describe --transactional-id {i}": "",
                "describe --transactional-id {x}": "",
                "describe-producers --topic {t} --partition 0": "",
                "describe-producers --broker-id 0 --topic {t} --partition 0": "",
                "describe-producers --topic {x} --partition 0": "",
                "describe-producers --topic {t} --partition 9": "",
                "find-hanging --broker-id 0 --topic {t}": "",
                "find-hanging --broker-id 0 --max-transaction-timeout 0 --topic {t}": "",
                "abort --topic {t} --partition 0 --start-offset 5": "",
                "abort --topic {t} --partition 0 --start-offset 0": "",
                "describe-producers --topic {t} --partition 0 ": "",
                "describe --transactional-id {i} ": "",
                "forceTerminateTransaction --transactionalId {x}": "",
                "forceTerminateTransaction --transactionalId {i}": "",
                "force-terminate --transactional-id {i}": "",
                "describe --transactional-id  {i}": "",
                "list --transactional-id-pattern  {i}": "",
            }.items()
        ],
        Step("kafka-get-offsets", "--topic {t}"),
    ],
    "offsets and records": [
        Step("kafka-topics", _TOPIC),
        Step("kafka-console-producer", "--topic {t}", text=_lines(20)),
        Step("kafka-get-offsets", "--topic {t} --time max-timestamp", has_numbers=False),  # as it comes in batches
        *_any(
            "kafka-get-offsets",
            "--topic {t}",
            "--topic {t} --time earliest",
            "--topic {t} --time latest",
            "--topic {t} --time -4",
            "--topic {t} --time earliest-local",
            "--topic {t} --time latest-tiered",
            "--topic {t} --time earliest-pending-upload",
            "--topic {t} --time 0",
            "--topic {t} --time 99999999999999",
            "--topic {t} --time soon",
            "--topic {x}",
            "--topic-partitions {t}:0,{t}:3-5",
            "--topic-partitions {t}:0",
            "--topic {t} --partitions 0",
            "--topic {t} --partitions 7",
            "--topic {t}.* --exclude-internal-topics",
        ),
        *[
            Step("kafka-delete-records", "--offset-json-file {file:o.json}", files={"o.json": content}, is_sorted=False)
            for content in (
                '{"partitions":[{"topic":"{t}","partition":0,"offset":5}],"version":1}',
                '{"partitions":[{"topic":"{t}","partition":0,"offset":3}],"version":1}',
                '{"partitions":[{"topic":"{t}","partition":0,"offset":500}],"version":1}',
                '{"partitions":[{"topic":"{t}","partition":7,"offset":5}],"version":1}',
                '{"partitions":[{"topic":"{x}","partition":0,"offset":5}],"version":1}',
                '{"partitions":[{"topic":"{t}","partition":0,"offset":-1}],"version":1}',
            )
        ],
        *_any("kafka-get-offsets", "--topic {t} --time -2"),
        *_any(
            "kafka-log-dirs",
            "--describe --topic-list {t}",
            "--describe --topic-list {t} --broker-list 0",
            "--describe --topic-list {t} --broker-list 7",
            "--describe --topic-list {x}",
        ),
    ],
    "the cluster": [
        Step("kafka-topics", _TOPIC),
        *_any(
            "kafka-leader-election",
            "--election-type preferred --topic {t} --partition 0",
            "--election-type unclean --topic {t} --partition 0",
            "--election-type preferred --topic {t} --partition 9",
            "--election-type preferred --topic {x} --partition 0",
            "--election-type preferred --all-topic-partitions",
            "--election-type unclean --all-topic-partitions",
        ),
        Step(
            "kafka-leader-election",
            "--election-type preferred --path-to-json-file {file:e.json}",
            files={"e.json": '{"partitions":[{"topic":"{t}","partition":0}]}'},
        ),
        *[
            Step("kafka-reassign-partitions", arguments, files=files, is_sorted=False)
            for files in [
                {
                    "t.json": '{"version":1,"topics":[{"topic":"{t}"}]}',
                    "r.json": '{"version":1,"partitions":[{"topic":"{t}","partition":0,"replicas":[0]}]}',
                    "b.json": '{"version":1,"partitions":[{"topic":"{t}","partition":0,"replicas":[0,7]}]}',
                    "l.json": '{"version":1,"partitions":'
                    '[{"topic":"{t}","partition":0,"replicas":[0],"log_dirs":["/nowhere"]}]}',
                }
            ]
            for arguments in (
                "--list",
                "--generate --topics-to-move-json-file {file:t.json} --broker-list 0",
                "--generate --topics-to-move-json-file {file:t.json} --broker-list 0,7",
                "--execute --reassignment-json-file {file:r.json}",
                "--verify --reassignment-json-file {file:r.json}",
                "--execute --reassignment-json-file {file:b.json}",
                "--verify --reassignment-json-file {file:b.json}",
                "--execute --reassignment-json-file {file:r.json} --throttle 1000000",
                "--verify --reassignment-json-file {file:r.json} --preserve-throttles",
                "--verify --reassignment-json-file {file:r.json} ",
                "--cancel --reassignment-json-file {file:r.json}",
                "--execute --reassignment-json-file {file:l.json}",
            )
        ],
        *_any(
            "kafka-features",
            "describe",
            "upgrade --release-version 4.3 --dry-run",
            "upgrade --release-version 4.3-IV0 --dry-run",
            "upgrade --feature share.version=1",
            "upgrade --feature share.version=9",
            "upgrade --feature no.such.feature=1",
            "upgrade --feature transaction.version=1 --dry-run",
            "downgrade --feature transaction.version=2 --dry-run",
            "upgrade --feature share.version=1 --dry-run",
            "disable --feature no.such.feature",
            "version-mapping --release-version 4.3-IV0",
            "version-mapping",
            "feature-dependencies --feature transaction.version=2",
        ),
        *_any(
            "kafka-metadata-quorum",
            "describe --status",
            "describe --replication",
            "describe --replication --human-readable",
            "remove-controller --controller-id 7 --controller-directory-id AAAAAAAAAAAAAAAAAAAAew",
        ),
        *_any("kafka-cluster", "cluster-id", "list-endpoints", "unregister --id 77"),
        Step("kafka-cluster", "list-endpoints --include-fenced-brokers"),
        Step("kafka-broker-api-versions", keep=r"\(\d+\): "),
        Step("kafka-replica-verification", "--topics-include {t} --time -1"),
        *_any(
            "kafka-delegation-tokens",
            "--create --max-life-time-period -1 --command-config {file:none}",
            "--describe --command-config {file:none}",
            "--renew --renew-time-period -1 --hmac aaaa --command-config {file:none}",
            "--expire --expiry-time-period -1 --hmac aaaa --command-config {file:none}",
        ),
    ],
    "console clients": [
        Step("kafka-topics", "--create --topic {t} --partitions 1 --config compression.type=producer"),
        *[
            Step("kafka-console-producer", f"--topic {{t}} {arguments}", text=text)
            for arguments, text in {
                "--compression-codec lz4 --batch-size 1": _lines(3),
                "--sync --message-send-max-retries 1": _lines(2),
                "--request-required-acks 0": _lines(2),
                "--request-required-acks 1": _lines(2),
                "--reader-property parse.key=true --reader-property key.separator=:": "a:1\nb:2\n:3\n",
                "--reader-property parse.key=true": "no key here\n",
                "--reader-property parse.key=true --reader-property null.marker=NIL": "k\tNIL\nNIL\tv\n",
                "--reader-property parse.headers=true": "a:1,b:2\tv\n\tnone\n",
                "--reader-property parse.headers=true --reader-property parse.key=true"
                " --reader-property ignore.error=true": "h:1\tk\tv\nbroken\n",
                "--command-property enable.idempotence=false --max-block-ms 2000": "plain\n",
                "--command-property linger.ms=5 --command-property batch.size=100000": _lines(30),
                "--command-property max.request.size=10": "this is too long for it\n",
            }.items()
        ],
        Step("kafka-console-producer", "--topic {auto}", text="made by itself\n"),
        Step("kafka-console-producer", "--topic not/a/topic", text="x\n"),
        *[
            Step("kafka-console-consumer", f"--topic {{t}} --timeout-ms 6000 {arguments}", keep=keep)
            for arguments, keep in {
                "--from-beginning --max-messages 45": "",
                "--partition 0 --offset 5 --max-messages 4": "",
                "--partition 0 --offset earliest --max-messages 2": "",
                "--partition 9 --offset earliest --max-messages 2": "",
                "--partition 0 --offset latest --timeout-ms 500": "",
                "--from-beginning --isolation-level read_committed --max-messages 45": "",
                "--from-beginning --max-messages 45 --formatter-property print.key=true"
                " --formatter-property print.headers=true --formatter-property print.partition=true"
                " --formatter-property print.offset=true --formatter-property print.epoch=true"
                " --formatter-property null.literal=NIL --formatter-property key.separator=|": "",
                "--from-beginning --max-messages 3 --formatter-property print.timestamp=true"
                " --formatter-property print.delivery=true": "",
                "--from-beginning --max-messages 3 --formatter"
                " org.apache.kafka.tools.consumer.LoggingMessageFormatter": "",
                "--from-beginning --max-messages 3 --skip-message-on-error --command-property check.crcs=false": "",
                "--from-beginning --max-messages 3 --command-property group.protocol=consumer --group {g}": "",
                "--from-beginning --max-messages 3 --command-property fetch.max.bytes=100"
                " --command-property max.partition.fetch.bytes=10 --command-property max.poll.records=1": "",
                "--from-beginning --max-messages 3 --group {h}"
                " --command-property auto.offset.reset=by_duration:PT1H": "",
            }.items()
        ],
        Step("kafka-console-consumer", "--include {t}|{auto} --from-beginning --timeout-ms 4000", is_sorted=False),
        Step(
            "kafka-console-consumer", "--topic {x} --timeout-ms 1500 --command-property allow.auto.create.topics=false"
        ),
        *[
            Step(
                "kafka-console-consumer",
                f"--topic {topic} --from-beginning --timeout-ms 5000"
                f" --formatter org.apache.kafka.tools.consumer.{formatter}",
                keep="{g}|{h}",
                is_sorted=False,
            )
            for topic, formatter in {
                "__consumer_offsets": "OffsetsMessageFormatter",
                "__consumer_offsets ": "GroupMetadataMessageFormatter",
            }.items()
        ],
        Step(
            "kafka-console-consumer",
            "--topic __transaction_state --from-beginning --timeout-ms 5000"
            " --formatter org.apache.kafka.tools.consumer.TransactionLogMessageFormatter",
            keep="nothing of it: others write there",
        ),
        Step(
            "kafka-console-consumer",
            "--topic __share_group_state --from-beginning --timeout-ms 5000"
            " --formatter org.apache.kafka.tools.consumer.group.share.ShareGroupStateMessageFormatter",
            keep="nothing of it: others write there",
        ),
    ],
    "measuring and verifying": [
        Step("kafka-topics", _TOPIC),
        Step(
            "kafka-producer-perf-test",
            "--topic {t} --num-records 20000 --record-size 100 --throughput -1 --print-metrics"
            " --command-property acks=all --warmup-records 100",
            keep="^20000 records sent|^19900 records",
        ),
        Step(
            "kafka-producer-perf-test",
            "--topic {t} --num-records 3000 --record-size 100 --throughput 20000 --transactional-id {i}"
            " --transaction-duration-ms 50",
            keep="^3000 records sent",
        ),
        Step("kafka-consumer-perf-test", "--topic {t} --num-records 20000 --timeout 20000", keep="start|fetch"),
        Step(
            "kafka-consumer-perf-test",
            "--topic {t} --num-records 1000 --hide-header --command-property group.protocol=consumer",
            keep="nothing: it only measures",
        ),
        Step(
            "kafka-configs",
            "--alter --entity-type groups --entity-name {g} --add-config share.auto.offset.reset=earliest",
        ),
        Step(
            "kafka-share-consumer-perf-test",
            "--topic {t} --group {g} --num-records 10000 --timeout 20000",
            keep="start|fetch",
        ),
        Step("kafka-e2e-latency", "--topic {e} --num-records 200 --producer-acks all --record-size 50"),
        Step("kafka-verifiable-producer", "--topic {v} --max-messages 50 --acks -1 --value-prefix 3", is_sorted=False),
        Step("kafka-verifiable-producer", "--topic {v} --max-messages 20 --repeating-keys 3", is_sorted=False),
        Step("kafka-topics", "--delete --topic newtopic --if-exists"),  # the next step's own name
        Step(
            "kafka-client-compatibility-test",
            "--topic {c} --num-cluster-nodes 1 --offsets-for-times-supported true --cluster-id-supported true"
            " --expect-record-too-large-exception false --create-topics-supported true"
            " --describe-acls-supported true --describe-configs-supported true --idempotent-producer-supported true",
        ),
        Step("kafka-topics", "--delete --topic newtopic"),
        Step(
            "kafka-transactional-message-copier",
            "--transactional-id {i} --consumer-group {w} --input-topic {v} --input-partition 0 --output-topic {o}"
            " --max-messages 10 --transaction-size 3",
            keep="shutdown_complete",
        ),
        Step(
            "kafka-transactional-message-copier",
            "--transactional-id {i} --consumer-group {w} --input-topic {v} --input-partition 0 --output-topic {o}"
            " --max-messages 10 --transaction-size 3 --use-group-metadata --group-mode",
            keep="shutdown_complete",
        ),
    ],
    "streams tools": [
        Step("kafka-topics", "--create --topic {t} --partitions 2"),
        Step("kafka-console-producer", "--topic {t}", text=_lines(10)),
        *_any(
            "kafka-streams-application-reset",
            "--application-id {g} --input-topics {t} --dry-run",
            "--application-id {g} --input-topics {t} --to-earliest",
            "--application-id {g} --input-topics {x}",
        ),
        *_any(
            "kafka-streams-groups",
            "--describe --group {x}",
            "--describe --group {x} --members",
            "--describe --group {x} --state",
            "--delete --group {x}",
            "--reset-offsets --group {x} --to-earliest --input-topic {t} --dry-run",
            "--delete-offsets --group {x} --input-topic {t}",
        ),
        Step("kafka-streams-groups", "--list --state", keep="GROUP"),
    ],
}
