import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Answers, for every line of a file of cases {"assignor", "topics": {name: count}, "members": {id: {"topics": [],
 * "instance": id or null, "owned": [[topic, partition]], "generation": n}}}, who gets what: {id: [[topic, partition]]}.
 */
public final class AssignPartitions {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            out.append(JSON.writeValueAsString(assign(JSON.readTree(line)))).append('\n');
        }
        System.out.print(out);
    }

    private static ObjectNode assign(JsonNode question) {
        Node node = new Node(0, "", 0);
        Node[] nodes = {node};
        List<PartitionInfo> partitions = new ArrayList<>();
        question.get("topics").properties().forEach(topic -> {
            for (int partition = 0; partition < topic.getValue().asInt(); partition++) {
                partitions.add(new PartitionInfo(topic.getKey(), partition, node, nodes, nodes));
            }
        });
        Cluster cluster = new Cluster("cluster", List.of(node), partitions, Set.of(), Set.of());
        Map<String, Subscription> members = new HashMap<>();
        question.get("members").properties().forEach(member -> {
            List<String> topics = new ArrayList<>();
            member.getValue().get("topics").forEach(topic -> topics.add(topic.asText()));
            List<TopicPartition> owned = new ArrayList<>();
            member.getValue().get("owned").forEach(one -> owned.add(new TopicPartition(one.get(0).asText(), one.get(1).asInt())));
            Subscription subscription = new Subscription(topics, null, owned, member.getValue().get("generation").asInt(), Optional.empty());
            JsonNode instance = member.getValue().get("instance");
            if (!instance.isNull()) {
                subscription.setGroupInstanceId(Optional.of(instance.asText()));
            }
            members.put(member.getKey(), subscription);
        });
        ObjectNode answer = JSON.createObjectNode();
        new TreeMap<>(assignor(question.get("assignor").asText()).assign(cluster, new GroupSubscription(members)).groupAssignment())
            .forEach((id, assignment) -> {
                ArrayNode got = answer.putArray(id);
                assignment.partitions().forEach(one -> got.addArray().add(one.topic()).add(one.partition()));
            });
        return answer;
    }

    private static ConsumerPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }
}
