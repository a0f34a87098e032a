import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;

/** What administrators ask for. */
final class AdminAnswers extends Answers {
    static void all() {
        topics();
        offsets();
        configs();
        quotas();
        users();
        cluster();
    }

    private static void topics() {
        tell("a topic is created with the broker's number of partitions", () -> {
            CreateTopicsResult made = admin.createTopics(List.of(new NewTopic(name + "-default", Optional.empty(),
                    Optional.empty())));
            return made.replicationFactor(name + "-default").get() + " "
                    + made.config(name + "-default").get().get("cleanup.policy").value();
        });
        tell("a topic of 21 partitions", () -> admin.createTopics(List.of(new NewTopic(name, 21, (short) 1)))
                .numPartitions(name).get());
        tell("creating is only tried", () -> admin.createTopics(
                List.of(new NewTopic(name + "-tried", Map.of(0, List.of(0), 1, List.of(0)))),
                        new CreateTopicsOptions().validateOnly(true)).all().get());
        tell("it is not there", () -> admin.describeTopics(List.of(name + "-tried")).allTopicNames().get());
        tell("described in pages of three", () -> admin.describeTopics(
                List.of(name, name + "-default"), new DescribeTopicsOptions().partitionSizeLimitPerResponse(3)
                        .includeAuthorizedOperations(true))
                .allTopicNames().get().get(name).partitions().size());
        tell("its rights", () -> new TreeSet<>(admin.describeTopics(List.of(name),
                new DescribeTopicsOptions().includeAuthorizedOperations(true))
                .allTopicNames().get().get(name).authorizedOperations()));
        tell("described by id", () -> {
            Uuid id = admin.describeTopics(List.of(name)).allTopicNames().get().get(name).topicId();
            return admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id).name();
        });
        tell("listed with internal ones", () -> admin.listTopics(new ListTopicsOptions().listInternal(true)).names()
                .get().contains(name));
        tell("partitions are added", () -> admin.createPartitions(Map.of(name, NewPartitions.increaseTo(23))).all()
                .get());
        tell("partitions are not taken away", () ->
                admin.createPartitions(Map.of(name, NewPartitions.increaseTo(2))).all().get());
        tell("elected before", () -> admin.electLeaders(ElectionType.PREFERRED, Set.of(new TopicPartition(name, 0)))
                .partitions().get());
        tell("nothing moves", () -> admin.listPartitionReassignments(Set.of(new TopicPartition(name, 0)))
                .reassignments().get());
        tell("its folder", () -> admin.describeReplicaLogDirs(List.of(new TopicPartitionReplica(name, 0, 0))).all()
                .get().size());
        tell("deleted by id", () -> {
            Uuid id = admin.describeTopics(List.of(name + "-default")).allTopicNames().get().get(name + "-default")
                    .topicId();
            return admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        });
    }

    private static void offsets() {
        TopicPartition partition = new TopicPartition(name, 3);
        tell("records at four times", () -> {
            try (KafkaProducer<String, String> producer = producer(Map.of())) {
                for (long time : new long[] {1000, 3000, 2000, 2500})
                    producer.send(new ProducerRecord<>(name, 3, System.currentTimeMillis() - 100_000 + time, "k",
                            "v" + time)).get();
            }
            return null;
        });
        Map<String, OffsetSpec> specs = new TreeMap<>(Map.of(
                "earliest", OffsetSpec.earliest(), "latest", OffsetSpec.latest(), "maxTimestamp",
                        OffsetSpec.maxTimestamp(),
                "forTimestamp", OffsetSpec.forTimestamp(0), "future", OffsetSpec.forTimestamp(Long.MAX_VALUE),
                "earliestLocal", OffsetSpec.earliestLocal(), "latestTiered", OffsetSpec.latestTiered(),
                "earliestPendingUpload", OffsetSpec.earliestPendingUpload()));
        specs.forEach((what, spec) -> tell("offset " + what, () -> {
            ListOffsetsResult.ListOffsetsResultInfo found = admin.listOffsets(Map.of(partition, spec))
                    .partitionResult(partition).get();
            return found.offset() + " " + found.leaderEpoch();
        }));
        tell("offset of a partition that is not there", () -> admin.listOffsets(
                Map.of(new TopicPartition(name, 99), OffsetSpec.latest()), new ListOffsetsOptions().timeoutMs(300))
                        .all().get());
        tell("records are deleted", () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(2)))
                .lowWatermarks().get(partition).get().lowWatermark());
        tell("a consumer seeks by time", () -> {
            try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                return consumer.position(partition) + " " + consumer.endOffsets(List.of(partition)) + " "
                        + consumer.beginningOffsets(List.of(partition))
                        + " " + consumer.offsetsForTimes(Map.of(partition, 5L)).get(partition).offset() + " "
                                + consumer.currentLag(partition).isPresent()
                        + " " + consumer.partitionsFor(name).size();
            }
        });
    }

    private static void configs() {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, name);
        tell("appended", () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(
                new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND),
                new AlterConfigOp(new ConfigEntry("retention.ms", "1234567"), AlterConfigOp.OpType.SET)))).all().get());
        tell("then", () -> config(topic, "cleanup.policy") + " " + config(topic, "retention.ms"));
        tell("subtracted", () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(
                new AlterConfigOp(new ConfigEntry("cleanup.policy", "delete"), AlterConfigOp.OpType.SUBTRACT),
                new AlterConfigOp(new ConfigEntry("retention.ms", null), AlterConfigOp.OpType.DELETE)))).all().get());
        tell("and then", () -> config(topic, "cleanup.policy") + " " + config(topic, "retention.ms"));
        tell("appending to a number", () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(
                new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.APPEND)))).all().get());
        tell("only tried", () -> admin.incrementalAlterConfigs(
                Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "x"),
                        AlterConfigOp.OpType.SET))),
                new AlterConfigsOptions().validateOnly(true)).all().get());
        tell("with synonyms and documentation", () -> {
            ConfigEntry entry = admin.describeConfigs(List.of(topic),
                    new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true))
                    .all().get().get(topic).get("segment.bytes");
            return entry.synonyms().size() + " " + !entry.documentation().isEmpty() + " " + entry.type();
        });
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, name + "-shares");
        tell("a group's", () -> admin.incrementalAlterConfigs(Map.of(group, List.of(
                new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"),
                        AlterConfigOp.OpType.SET)))).all().get());
        tell("resources with settings", () -> admin.listConfigResources(Set.of(ConfigResource.Type.GROUP),
                new ListConfigResourcesOptions())
                .all().get().contains(group));
    }

    private static String config(ConfigResource resource, String key) throws Exception {
        ConfigEntry entry = admin.describeConfigs(List.of(resource)).all().get().get(resource).get(key);
        return entry.value() + " " + entry.source();
    }

    private static void quotas() {
        ClientQuotaEntity user = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, name));
        ClientQuotaEntity both = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, name,
                ClientQuotaEntity.CLIENT_ID, name));
        tell("quotas are set", () -> admin.alterClientQuotas(List.of(
                new ClientQuotaAlteration(user, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e6))),
                new ClientQuotaAlteration(both, List.of(new ClientQuotaAlteration.Op("request_percentage", 250.5)))))
                        .all().get());
        tell("a quota that is none", () -> admin.alterClientQuotas(List.of(
                new ClientQuotaAlteration(user, List.of(new ClientQuotaAlteration.Op("coffee_rate", 1.0))))).all()
                        .get());
        tell("quotas of the user", () ->
                new TreeMap<>(Map.copyOf(byText(admin.describeClientQuotas(ClientQuotaFilter.contains(
                List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.USER, name)))).entities().get()))));
        tell("quotas of the user alone", () -> byText(admin.describeClientQuotas(ClientQuotaFilter.containsOnly(
                List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.USER, name)))).entities().get()));
        tell("quotas of default users", () -> byText(admin.describeClientQuotas(ClientQuotaFilter.contains(
                List.of(ClientQuotaFilterComponent.ofDefaultEntity(ClientQuotaEntity.USER)))).entities().get()));
        tell("quotas are taken away", () -> admin.alterClientQuotas(List.of(
                new ClientQuotaAlteration(user, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", null))),
                new ClientQuotaAlteration(both, List.of(new ClientQuotaAlteration.Op("request_percentage", null)))))
                        .all().get());
        tell("no quotas of the user", () -> byText(admin.describeClientQuotas(ClientQuotaFilter.contains(
                List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.USER, name)))).entities().get()));
    }

    private static Map<String, String> byText(Map<ClientQuotaEntity, Map<String, Double>> quotas) {
        Map<String, String> texts = new TreeMap<>();
        quotas.forEach((entity, values) -> texts.put(new TreeMap<>(entity.entries()).toString(), values.toString()));
        return texts;
    }

    private static void users() {
        ScramCredentialInfo kind = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096);
        tell("a user", () -> admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(name, kind,
                "secret"))).all().get());
        tell("weak", () -> admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(
                name, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 5), "secret"))).all().get());
        tell("credentials", () -> admin.describeUserScramCredentials(List.of(name)).all().get());
        tell("credentials of nobody", () -> admin.describeUserScramCredentials(List.of(name + "-nobody")).all().get());
        tell("credential deleted", () -> admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion(name,
                ScramMechanism.SCRAM_SHA_512))).all().get());
        tell("credential deleted twice", () ->
                admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion(name,
                ScramMechanism.SCRAM_SHA_512))).all().get());
    }

    private static void cluster() {
        tell("quorum", () -> {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
            return quorum.leaderId() + " " + quorum.voters().size() + " " + quorum.observers().size();
        });
        tell("nodes", () -> admin.describeCluster().nodes().get().size());
        tell("controller", () -> admin.describeCluster().controller().get().id());
        tell("rights", () -> new TreeSet<>(admin.describeCluster(new DescribeClusterOptions()
                .includeAuthorizedOperations(true)).authorizedOperations().get()));
        tell("features", () -> {
            Map<String, FinalizedVersionRange> all = admin.describeFeatures().featureMetadata().get()
                    .finalizedFeatures();
            return all.get("group.version") + " " + all.get("share.version") + " " + all.get("transaction.version");
        });
        tell("features only tried", () -> admin.updateFeatures(
                Map.of("share.version", new FeatureUpdate((short) 7, FeatureUpdate.UpgradeType.UPGRADE)),
                        new UpdateFeaturesOptions().validateOnly(true)).all().get());
        tell("log directories", () -> admin.describeLogDirs(List.of(0)).allDescriptions().get().get(0).size());
        tell("metrics", () -> admin.metrics().size() > 10);
    }
}
