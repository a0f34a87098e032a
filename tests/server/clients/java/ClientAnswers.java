import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;

/** What comes of transactions, groups and share groups, and of clients that look for their broker. */
final class ClientAnswers extends Answers {
    static void all() {
        transactions();
        groups();
        shares();
        telemetry();
    }

    private static void transactions() {
        TopicPartition partition = new TopicPartition(name, 5);
        Map<String, Object> transactional = Map.of("transactional.id", name + "-tx");
        tell("a transaction is committed", () -> {
            try (KafkaProducer<String, String> producer = producer(transactional)) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>(name, 5, "k", "committed"));
                producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(1, Optional.of(0), "said")),
                        new ConsumerGroupMetadata(name + "-g"));
                producer.commitTransaction();
            }
            return admin.listConsumerGroupOffsets(name + "-g").partitionsToOffsetAndMetadata().get();
        });
        tell("one that is open ends with close", () -> {
            KafkaProducer<String, String> producer = producer(transactional);
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(name, 5, "k", "aborted")).get();
            producer.close();
            return state(name + "-tx");
        });
        tell("one that is lost is fenced", () -> {
            KafkaProducer<String, String> producer = producer(transactional);
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(name, 5, "k", "fenced")).get();
            admin.fenceProducers(List.of(name + "-tx")).all().get();
            String end;
            try {
                producer.commitTransaction();
                end = "committed";
            } catch (KafkaException error) {
                end = error.getClass().getSimpleName();
            }
            producer.close(Duration.ZERO);
            return end + " " + state(name + "-tx");
        });
        tell("one that hangs is aborted", () -> {
            KafkaProducer<String, String> producer = producer(transactional);
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(name, 5, "k", "hanging")).get();
            ProducerState open = admin.describeProducers(List.of(partition)).partitionResult(partition).get()
                    .activeProducers().stream()
                    .filter(each -> each.currentTransactionStartOffset().isPresent()).findFirst().get();
            admin.abortTransaction(new AbortTransactionSpec(partition, open.producerId(),
                    (short) open.producerEpoch(), open.coordinatorEpoch().orElse(0))).all().get();
            long stable = admin.listOffsets(Map.of(partition, OffsetSpec.latest()),
                    new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get().get(partition).offset();
            admin.forceTerminateTransaction(name + "-tx").result().get();
            producer.close(Duration.ZERO);
            return (stable > open.currentTransactionStartOffset().getAsLong()) + " " + state(name + "-tx");
        });
        tell("listed", () -> admin.listTransactions(new ListTransactionsOptions()
                .filterStates(Set.of(TransactionState.COMPLETE_ABORT))
                .filterOnTransactionalIdPattern(name + ".*")).all().get().size());
        tell("what was committed", () -> {
            try (KafkaConsumer<String, String> consumer = consumer(Map.of("isolation.level", "read_committed"))) {
                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                long end = consumer.endOffsets(List.of(partition)).get(partition);
                List<String> values = new ArrayList<>();
                while (consumer.position(partition) < end) consumer.poll(Duration.ofMillis(200))
                        .forEach(record -> values.add(record.value()));
                return values;
            }
        });
        tell("a transaction that times out too late", () -> {
            try (KafkaProducer<String, String> producer = producer(Map.of("transactional.id", name + "-long",
                    "transaction.timeout.ms", 1_000_000_000))) {
                producer.initTransactions();
                return "begun";
            }
        });
        tell("a record that is too long", () -> {
            try (KafkaProducer<String, String> producer = producer(Map.of("max.request.size", 5_000_000))) {
                return producer.send(new ProducerRecord<>(name, 5, "k", "x".repeat(2_000_000))).get();
            }
        });
    }

    /** The state of a transaction, once its end is written everywhere. */
    private static TransactionState state(String id) throws Exception {
        TransactionState state = TransactionState.PREPARE_ABORT;
        for (long end = System.currentTimeMillis() + 5000; state == TransactionState.PREPARE_ABORT
                && System.currentTimeMillis() < end; )
            state = admin.describeTransactions(List.of(id)).description(id).get().state();
        return state;
    }

    private static void groups() {
        for (String protocol : List.of("classic", "consumer")) {
            String group = name + "-" + protocol;
            Map<String, Object> options = Map.of("group.id", group, "group.protocol", protocol, "group.instance.id",
                    "one", "auto.offset.reset", "earliest");
            tell("a group, " + protocol, () -> {
                try (KafkaConsumer<String, String> consumer = consumer(options)) {
                    if (protocol.equals("consumer")) consumer.subscribe(new SubscriptionPattern(name));
                    else consumer.subscribe(java.util.regex.Pattern.compile(name));
                    int count = 0;
                    for (long end = System.currentTimeMillis() + 20_000; count < 6
                            && System.currentTimeMillis() < end; ) count += consumer.poll(Duration.ofMillis(200))
                            .count();
                    consumer.commitSync();
                    ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(group)).all().get()
                            .get(group);
                    MemberDescription member = described.members().iterator().next();
                    return consumer.assignment().size() + " " + described.groupState() + " " + described.type() + " "
                            + described.partitionAssignor()
                            + " " + member.groupInstanceId().get() + " " + member.assignment().topicPartitions().size()
                            + " " + member.memberEpoch().isPresent() + " " + member.upgraded().isPresent() + " "
                                    + consumer.groupMetadata().generationId();
                }
            });
            tell("a static member is removed, " + protocol, () -> admin.removeMembersFromConsumerGroup(
                    group, new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("one")))).all().get());
            tell("its offsets are altered, " + protocol, () -> {
                admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(name, 3),
                        new OffsetAndMetadata(3, "altered"))).all().get();
                admin.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(name, 5))).all().get();
                Map<TopicPartition, OffsetAndMetadata> all = admin.listConsumerGroupOffsets(group)
                        .partitionsToOffsetAndMetadata().get();
                return all.get(new TopicPartition(name, 3)).offset() + " "
                        + all.containsKey(new TopicPartition(name, 5));
            });
            tell("listed, " + protocol, () -> {
                Collection<GroupListing> all = admin.listGroups(new ListGroupsOptions()
                        .inGroupStates(Set.of(GroupState.EMPTY))).all().get();
                return all.stream().filter(each -> each.groupId().equals(group))
                        .map(each -> each.type() + " " + each.protocol() + " " + each.groupState()).toList();
            });
        }
        tell("a classic group's description", () ->
                admin.describeClassicGroups(List.of(name + "-classic")).all().get().get(name + "-classic").state());
        tell("several groups' offsets", () -> admin.listConsumerGroupOffsets(Map.of(
                name + "-classic", new ListConsumerGroupOffsetsSpec()
                        .topicPartitions(List.of(new TopicPartition(name, 3))),
                name + "-nowhere", new ListConsumerGroupOffsetsSpec()
                        .topicPartitions(List.of(new TopicPartition(name, 3))))).all().get().size());
        tell("a group that is not there", () -> admin.describeConsumerGroups(List.of(name + "-nowhere")).all().get());
        tell("deleted", () -> admin.deleteConsumerGroups(List.of(name + "-classic", name + "-consumer", name + "-g"))
                .all().get());
    }

    private static void shares() {
        String group = name + "-shares";
        tell("shared records", () -> {
            try (KafkaShareConsumer<String, String> consumer = shareConsumer(group)) {
                consumer.subscribe(List.of(name));
                List<String> taken = new ArrayList<>();
                int released = 0;
                for (long end = System.currentTimeMillis() + 20_000; taken.size() < 2
                        && System.currentTimeMillis() < end; ) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                        if (record.partition() != 3) {
                            consumer.acknowledge(record, AcknowledgeType.REJECT);
                        } else if (record.deliveryCount().get() == 1) {
                            released++;
                            consumer.acknowledge(record, AcknowledgeType.RELEASE);
                        } else {
                            taken.add(record.value() + " " + record.deliveryCount().get());
                            consumer.acknowledge(record, AcknowledgeType.ACCEPT);
                        }
                    }
                    Map<TopicIdPartition, Optional<KafkaException>> outcome = consumer.commitSync();
                    for (Optional<KafkaException> each : outcome.values()) if (each.isPresent()) throw each.get();
                }
                return released + " " + taken + " " + consumer.acquisitionLockTimeoutMs().isPresent();
            }
        });
        tell("a share group", () -> {
            ShareGroupDescription described = admin.describeShareGroups(List.of(group)).all().get().get(group);
            return described.groupState() + " " + described.members().size();
        });
        tell("its offsets", () -> admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
                .partitionsToOffsetInfo(group).get()
                .get(new TopicPartition(name, 3)).lag());
        tell("altered", () -> admin.alterShareGroupOffsets(group, Map.of(new TopicPartition(name, 3), 3L)).all().get());
        tell("lag", () -> admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
                .partitionsToOffsetInfo(group).get()
                .get(new TopicPartition(name, 3)).toString());
        tell("offsets deleted", () -> admin.deleteShareGroupOffsets(group, Set.of(name)).all().get());
        tell("share group deleted", () -> admin.deleteShareGroups(List.of(group)).all().get());
    }

    private static void telemetry() {
        tell("an admin's instance", () -> admin.clientInstanceId(Duration.ofMillis(300)));
        tell("a producer's instance", () -> {
            try (KafkaProducer<String, String> producer = producer(Map.of())) {
                return producer.clientInstanceId(Duration.ofMillis(300));
            }
        });
        tell("rebootstrapping", () -> {
            try (KafkaProducer<String, String> producer = producer(Map.of("metadata.recovery.strategy", "rebootstrap",
                    "metadata.recovery.rebootstrap.trigger.ms", 1000, "bootstrap.servers",
                            "127.0.0.1:1," + common.get("bootstrap.servers")))) {
                return producer.send(new ProducerRecord<>(name, 7, "k", "v")).get().offset();
            }
        });
        tell("the topic goes", () -> admin.deleteTopics(List.of(name)).all().get());
    }
}
