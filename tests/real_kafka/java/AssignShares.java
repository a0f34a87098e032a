import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.SimpleAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Answers, for every line of a file of cases {"topics": {number: count}, "members": {id: {"topics": [number], "target":
 * [[number, partition]]}}}, what each member of a share group gets to read: {id: [[number, partition]]}.
 */
public final class AssignShares {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            out.append(JSON.writeValueAsString(assign(JSON.readTree(line)))).append('\n');
        }
        System.out.print(out);
    }

    private static ObjectNode assign(JsonNode question) throws Exception {
        Map<Uuid, Integer> counts = new HashMap<>();
        question.get("topics").properties().forEach(topic -> counts.put(id(topic.getKey()), topic.getValue().asInt()));
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new HashMap<>();
        Set<Set<Uuid>> subscriptions = new HashSet<>();
        question.get("members").properties().forEach(member -> {
            Set<Uuid> topics = new HashSet<>();
            member.getValue().get("topics").forEach(topic -> topics.add(id(topic.asText())));
            subscriptions.add(topics);
            Map<Uuid, Set<Integer>> target = new HashMap<>();
            member.getValue().get("target").forEach(one ->
                target.computeIfAbsent(id(one.get(0).asText()), topic -> new HashSet<>()).add(one.get(1).asInt()));
            members.put(member.getKey(), new MemberSubscriptionAndAssignmentImpl(
                Optional.empty(), Optional.empty(), topics, new Assignment(target)));
        });
        SubscriptionType type = subscriptions.size() == 1 ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            @Override
            public int numPartitions(Uuid topicId) {
                return counts.getOrDefault(topicId, -1);
            }

            @Override
            public Set<String> racksForPartition(Uuid topicId, int partition) {
                return Set.of();
            }
        };
        ObjectNode answer = JSON.createObjectNode();
        new TreeMap<>(new SimpleAssignor().assign(new GroupSpecImpl(members, type, Map.of()), describer).members())
            .forEach((member, assignment) -> {
                ArrayNode got = answer.putArray(member);
                assignment.partitions().forEach((topic, partitions) -> partitions.forEach(partition ->
                    got.addArray().add(topic.getLeastSignificantBits()).add(partition)));
            });
        return answer;
    }

    private static Uuid id(String number) {
        return new Uuid(0L, Long.parseLong(number));
    }
}
