"""Settings of Kafka's brokers that nothing here could obey: they are listed, and a ``server.properties`` may have them.

A row is the name, the type and Kafka's default; a fourth item marks those that Kafka lets be changed while it runs.
"""

from __future__ import annotations

from embedkafka.config.definition import MAX_LONG, ConfigKey, ConfigType, ConfigValue, Importance

_BOOLEAN, _STRING, _INT, _SHORT = ConfigType.BOOLEAN, ConfigType.STRING, ConfigType.INT, ConfigType.SHORT
_LONG, _DOUBLE, _LIST, _CLASS = ConfigType.LONG, ConfigType.DOUBLE, ConfigType.LIST, ConfigType.CLASS
_PASSWORD = ConfigType.PASSWORD
_DYNAMIC = True

_Row = tuple[str, ConfigType, ConfigValue] | tuple[str, ConfigType, ConfigValue, bool]

_CONTROLLER: list[_Row] = [
    ("broker.heartbeat.interval.ms", _INT, 2000),
    ("broker.session.timeout.ms", _INT, 9000),
    ("controlled.shutdown.enable", _BOOLEAN, True),
    ("controller.listener.names", _LIST, None),
    ("controller.quorum.append.linger.ms", _INT, 25),
    ("controller.quorum.auto.join.enable", _BOOLEAN, False),
    ("controller.quorum.bootstrap.servers", _LIST, []),
    ("controller.quorum.election.backoff.max.ms", _INT, 1000),
    ("controller.quorum.election.timeout.ms", _INT, 1000),
    ("controller.quorum.fetch.max.bytes", _INT, 1_048_576),
    ("controller.quorum.fetch.snapshot.max.bytes", _INT, 1_048_576),
    ("controller.quorum.fetch.timeout.ms", _INT, 2000),
    ("controller.quorum.request.timeout.ms", _INT, 2000),
    ("controller.quorum.retry.backoff.ms", _INT, 20),
    ("controller.quorum.voters", _LIST, []),
    ("controller.socket.timeout.ms", _INT, 30_000),
    ("early.start.listeners", _LIST, None),
    ("initial.broker.registration.timeout.ms", _INT, 60_000),
    ("max.request.partition.size.limit", _INT, 2000),
    ("metadata.log.dir", _STRING, None),
    ("metadata.log.max.record.bytes.between.snapshots", _LONG, 20_971_520),
    ("metadata.log.max.snapshot.interval.ms", _LONG, 3_600_000),
    ("metadata.log.segment.bytes", _INT, 1_073_741_824),
    ("metadata.log.segment.ms", _LONG, 604_800_000),
    ("metadata.max.idle.interval.ms", _INT, 500),
    ("metadata.max.retention.bytes", _LONG, 104_857_600),
    ("metadata.max.retention.ms", _LONG, 604_800_000),
]

_BROKERS: list[_Row] = [
    ("add.partitions.to.txn.retry.backoff.max.ms", _INT, 100),
    ("add.partitions.to.txn.retry.backoff.ms", _INT, 20),
    ("alter.log.dirs.replication.quota.window.num", _INT, 11),
    ("alter.log.dirs.replication.quota.window.size.seconds", _INT, 1),
    ("auto.leader.rebalance.enable", _BOOLEAN, True),
    ("broker.rack", _STRING, None),
    ("follower.fetch.last.tiered.offset.enable", _BOOLEAN, False, _DYNAMIC),
    ("inter.broker.listener.name", _STRING, None),
    ("leader.imbalance.check.interval.seconds", _LONG, 300),
    ("log.dir.failure.timeout.ms", _LONG, 30_000),
    ("num.replica.alter.log.dirs.threads", _INT, None),
    ("num.replica.fetchers", _INT, 1, _DYNAMIC),
    ("replica.fetch.backoff.ms", _INT, 1000),
    ("replica.fetch.max.bytes", _INT, 1_048_576),
    ("replica.fetch.min.bytes", _INT, 1),
    ("replica.fetch.response.max.bytes", _INT, 10_485_760),
    ("replica.fetch.wait.max.ms", _INT, 500),
    ("replica.lag.time.max.ms", _LONG, 30_000),
    ("replica.selector.class", _STRING, None),
    ("replica.socket.receive.buffer.bytes", _INT, 65_536),
    ("replica.socket.timeout.ms", _INT, 30_000),
    ("replication.quota.window.num", _INT, 11),
    ("replication.quota.window.size.seconds", _INT, 1),
    ("request.timeout.ms", _INT, 30_000),
    ("security.inter.broker.protocol", _STRING, "PLAINTEXT"),
    ("socket.connection.setup.timeout.max.ms", _LONG, 30_000),
    ("socket.connection.setup.timeout.ms", _LONG, 10_000),
    ("transaction.partition.verification.enable", _BOOLEAN, True, _DYNAMIC),
]

_TIERED: list[_Row] = [
    ("remote.fetch.max.wait.ms", _INT, 500, _DYNAMIC),
    ("remote.list.offsets.request.timeout.ms", _LONG, 30_000, _DYNAMIC),
    ("remote.log.index.file.cache.total.size.bytes", _LONG, 1_073_741_824, _DYNAMIC),
    ("remote.log.manager.copier.thread.pool.size", _INT, 10, _DYNAMIC),
    ("remote.log.manager.copy.max.bytes.per.second", _LONG, MAX_LONG, _DYNAMIC),
    ("remote.log.manager.copy.quota.window.num", _INT, 11),
    ("remote.log.manager.copy.quota.window.size.seconds", _INT, 1),
    ("remote.log.manager.expiration.thread.pool.size", _INT, 10, _DYNAMIC),
    ("remote.log.manager.fetch.max.bytes.per.second", _LONG, MAX_LONG, _DYNAMIC),
    ("remote.log.manager.fetch.quota.window.num", _INT, 11),
    ("remote.log.manager.fetch.quota.window.size.seconds", _INT, 1),
    ("remote.log.manager.follower.thread.pool.size", _INT, 2, _DYNAMIC),
    ("remote.log.manager.task.interval.ms", _LONG, 30_000),
    ("remote.log.manager.thread.pool.size", _INT, 2),
    ("remote.log.metadata.custom.metadata.max.bytes", _INT, 128),
    (
        "remote.log.metadata.manager.class.name",
        _STRING,
        "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
    ),
    ("remote.log.metadata.manager.class.path", _STRING, None),
    ("remote.log.metadata.manager.impl.prefix", _STRING, "rlmm.config."),
    ("remote.log.metadata.manager.listener.name", _STRING, None),
    ("remote.log.reader.max.pending.tasks", _INT, 100),
    ("remote.log.reader.threads", _INT, 10, _DYNAMIC),
    ("remote.log.storage.manager.class.name", _STRING, None),
    ("remote.log.storage.manager.class.path", _STRING, None),
    ("remote.log.storage.manager.impl.prefix", _STRING, "rsm.config."),
    ("remote.log.storage.system.enable", _BOOLEAN, False),
]

_LOGIN: list[_Row] = [
    (
        "principal.builder.class",
        _CLASS,
        "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
        _DYNAMIC,
    ),
    ("sasl.client.callback.handler.class", _CLASS, None),
    ("sasl.jaas.config", _PASSWORD, None, _DYNAMIC),
    ("sasl.kerberos.kinit.cmd", _STRING, "/usr/bin/kinit", _DYNAMIC),
    ("sasl.kerberos.min.time.before.relogin", _LONG, 60_000, _DYNAMIC),
    ("sasl.kerberos.principal.to.local.rules", _LIST, ["DEFAULT"], _DYNAMIC),
    ("sasl.kerberos.service.name", _STRING, None, _DYNAMIC),
    ("sasl.kerberos.ticket.renew.jitter", _DOUBLE, 0.05, _DYNAMIC),
    ("sasl.kerberos.ticket.renew.window.factor", _DOUBLE, 0.8, _DYNAMIC),
    ("sasl.login.callback.handler.class", _CLASS, None),
    ("sasl.login.class", _CLASS, None),
    ("sasl.login.connect.timeout.ms", _INT, None),
    ("sasl.login.read.timeout.ms", _INT, None),
    ("sasl.login.refresh.buffer.seconds", _SHORT, 300, _DYNAMIC),
    ("sasl.login.refresh.min.period.seconds", _SHORT, 60, _DYNAMIC),
    ("sasl.login.refresh.window.factor", _DOUBLE, 0.8, _DYNAMIC),
    ("sasl.login.refresh.window.jitter", _DOUBLE, 0.05, _DYNAMIC),
    ("sasl.login.retry.backoff.max.ms", _LONG, 10_000),
    ("sasl.login.retry.backoff.ms", _LONG, 100),
    ("sasl.mechanism.controller.protocol", _STRING, "GSSAPI"),
    ("sasl.mechanism.inter.broker.protocol", _STRING, "GSSAPI", _DYNAMIC),
    ("sasl.oauthbearer.assertion.algorithm", _STRING, "RS256"),
    ("sasl.oauthbearer.assertion.claim.aud", _STRING, None),
    ("sasl.oauthbearer.assertion.claim.exp.seconds", _INT, 300),
    ("sasl.oauthbearer.assertion.claim.iss", _STRING, None),
    ("sasl.oauthbearer.assertion.claim.jti.include", _BOOLEAN, False),
    ("sasl.oauthbearer.assertion.claim.nbf.seconds", _INT, 60),
    ("sasl.oauthbearer.assertion.claim.sub", _STRING, None),
    ("sasl.oauthbearer.assertion.file", _STRING, None),
    ("sasl.oauthbearer.assertion.private.key.file", _STRING, None),
    ("sasl.oauthbearer.assertion.private.key.passphrase", _PASSWORD, None),
    ("sasl.oauthbearer.assertion.template.file", _STRING, None),
    ("sasl.oauthbearer.client.credentials.client.id", _STRING, None),
    ("sasl.oauthbearer.client.credentials.client.secret", _PASSWORD, None),
    ("sasl.oauthbearer.clock.skew.seconds", _INT, 30),
    ("sasl.oauthbearer.expected.audience", _LIST, []),
    ("sasl.oauthbearer.expected.issuer", _STRING, None),
    ("sasl.oauthbearer.jwks.endpoint.refresh.ms", _LONG, 3_600_000),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", _LONG, 10_000),
    ("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", _LONG, 100),
    ("sasl.oauthbearer.jwks.endpoint.url", _STRING, None),
    (
        "sasl.oauthbearer.jwt.retriever.class",
        _CLASS,
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
    ),
    (
        "sasl.oauthbearer.jwt.validator.class",
        _CLASS,
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
    ),
    ("sasl.oauthbearer.scope", _STRING, None),
    ("sasl.oauthbearer.scope.claim.name", _STRING, "scope"),
    ("sasl.oauthbearer.sub.claim.name", _STRING, "sub"),
    ("sasl.oauthbearer.token.endpoint.url", _STRING, None),
    ("sasl.server.callback.handler.class", _CLASS, None),
]

_TOKENS: list[_Row] = [
    ("delegation.token.expiry.check.interval.ms", _LONG, 3_600_000),
    ("delegation.token.expiry.time.ms", _LONG, 86_400_000),
    ("delegation.token.max.lifetime.ms", _LONG, 604_800_000),
    ("delegation.token.secret.key", _PASSWORD, None),
]

_TLS: list[_Row] = [
    ("security.providers", _STRING, None),
    ("ssl.allow.dn.changes", _BOOLEAN, False),
    ("ssl.allow.san.changes", _BOOLEAN, False),
    ("ssl.cipher.suites", _LIST, [], _DYNAMIC),
    ("ssl.endpoint.identification.algorithm", _STRING, "https", _DYNAMIC),
    ("ssl.engine.factory.class", _CLASS, None, _DYNAMIC),
    ("ssl.keymanager.algorithm", _STRING, "SunX509", _DYNAMIC),
    ("ssl.keystore.password", _PASSWORD, None, _DYNAMIC),
    ("ssl.principal.mapping.rules", _STRING, "DEFAULT"),
    ("ssl.protocol", _STRING, "TLSv1.3", _DYNAMIC),
    ("ssl.provider", _STRING, None, _DYNAMIC),
    ("ssl.secure.random.implementation", _STRING, None, _DYNAMIC),
    ("ssl.trustmanager.algorithm", _STRING, "PKIX", _DYNAMIC),
    ("ssl.truststore.password", _PASSWORD, None, _DYNAMIC),
]

_INSIDE: list[_Row] = [
    ("alter.config.policy.class.name", _CLASS, None),
    ("client.quota.callback.class", _CLASS, None),
    ("config.providers", _LIST, [], _DYNAMIC),
    ("create.topic.policy.class.name", _CLASS, None),
    ("delete.records.purgatory.purge.interval.requests", _INT, 1),
    ("fetch.purgatory.purge.interval.requests", _INT, 1000),
    ("kafka.metrics.polling.interval.secs", _INT, 10),
    ("kafka.metrics.reporters", _LIST, []),
    ("log.initial.task.delay.ms", _LONG, 30_000),
    ("metric.reporters", _LIST, ["org.apache.kafka.common.metrics.JmxReporter"], _DYNAMIC),
    ("metrics.num.samples", _INT, 2),
    ("metrics.recording.level", _STRING, "INFO"),
    ("metrics.sample.window.ms", _LONG, 30_000),
    ("producer.purgatory.purge.interval.requests", _INT, 1000),
    ("share.coordinator.append.linger.ms", _INT, -1),
    ("share.coordinator.cached.buffer.max.bytes", _INT, 1_048_588, _DYNAMIC),
    ("share.coordinator.state.topic.compression.codec", _INT, 0),
    ("share.coordinator.threads", _INT, 1),
    ("share.coordinator.write.timeout.ms", _INT, 5000),
    ("share.fetch.purgatory.purge.interval.requests", _INT, 1000),
    ("telemetry.max.bytes", _INT, 1_048_576),
    ("transaction.two.phase.commit.enable", _BOOLEAN, False),
]

_WHY: list[tuple[list[_Row], str]] = [
    (_CONTROLLER, "the catalog takes the controller's place"),
    (_BROKERS, "there is one broker"),
    (_TIERED, "there is no tiered storage"),
    (_LOGIN, "users have passwords or SCRAM credentials, and a broker logs in nowhere"),
    (_TOKENS, "there are no delegation tokens"),
    (_TLS, "Python's ssl module decides it"),
    (_INSIDE, "it is about how Kafka's broker works inside, or about its plug-ins"),
]

ELSEWHERE_KEYS = [
    ConfigKey(
        row[0],
        row[1],
        row[2],
        "Known so that it can be given and is listed.",
        importance=Importance.LOW,
        is_dynamic=len(row) > 3,
        inert_because=why,
    )
    for rows, why in _WHY
    for row in rows
]
