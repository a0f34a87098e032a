import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.internals.PluginMetricsImpl;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourcePatternFilter;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.SecurityUtils;
import org.apache.kafka.metadata.authorizer.StandardAcl;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizationResult;

/**
 * Answers, for every line of a file of cases {"configs": {}, "rules": [[resource type, name, pattern type, principal,
 * host, operation, permission]], "questions": [[principal, host, operation, resource type, name]], "kinds": [[principal,
 * host, operation, resource type]], "filters": [like rules]}, what Kafka's authorizer says: {"allowed": [], "some": [],
 * "found": [[rules]]}.  Types and operations are Kafka's numbers.
 */
public final class Authorize {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            out.append(JSON.writeValueAsString(answer(JSON.readTree(line)))).append('\n');
        }
        System.out.print(out);
    }

    private static ObjectNode answer(JsonNode given) throws Exception {
        try (StandardAuthorizer authorizer = new StandardAuthorizer(); Metrics metrics = new Metrics()) {
            Map<String, Object> configs = new HashMap<>(Map.of("node.id", "0"));
            given.get("configs").properties().forEach(each -> configs.put(each.getKey(), each.getValue().asText()));
            authorizer.configure(configs);
            authorizer.withPluginMetrics(new PluginMetricsImpl(metrics, Map.of()));
            for (JsonNode rule : given.get("rules")) {
                authorizer.addAcl(Uuid.randomUuid(), rule(rule));
            }
            authorizer.completeInitialLoad();
            ObjectNode answers = JSON.createObjectNode();
            ArrayNode allowed = answers.putArray("allowed");
            for (JsonNode each : given.get("questions")) {
                ResourcePattern pattern =
                    new ResourcePattern(type(each.get(3)), each.get(4).asText(), PatternType.LITERAL);
                Action action = new Action(operation(each.get(2)), pattern, 1, false, false);
                allowed.add(authorizer.authorize(context(each), List.of(action)).get(0) == AuthorizationResult.ALLOWED);
            }
            ArrayNode some = answers.putArray("some");
            for (JsonNode each : given.get("kinds")) {
                some.add(authorizer.authorizeByResourceType(context(each), operation(each.get(2)), type(each.get(3)))
                    == AuthorizationResult.ALLOWED);
            }
            ArrayNode found = answers.putArray("found");
            for (JsonNode each : given.get("filters")) {
                ArrayNode rules = found.addArray();
                for (AclBinding binding : authorizer.acls(filter(each))) {
                    rules.add(written(binding));
                }
            }
            return answers;
        }
    }

    private static StandardAcl rule(JsonNode given) {
        return new StandardAcl(
            type(given.get(0)),
            given.get(1).asText(),
            PatternType.fromCode((byte) given.get(2).asInt()),
            given.get(3).asText(),
            given.get(4).asText(),
            operation(given.get(5)),
            AclPermissionType.fromCode((byte) given.get(6).asInt()));
    }

    private static AclBindingFilter filter(JsonNode given) {
        return new AclBindingFilter(
            new ResourcePatternFilter(
                type(given.get(0)), text(given.get(1)), PatternType.fromCode((byte) given.get(2).asInt())),
            new AccessControlEntryFilter(
                text(given.get(3)),
                text(given.get(4)),
                operation(given.get(5)),
                AclPermissionType.fromCode((byte) given.get(6).asInt())));
    }

    private static ArrayNode written(AclBinding binding) {
        return JSON.createArrayNode()
            .add(binding.pattern().resourceType().code())
            .add(binding.pattern().name())
            .add(binding.pattern().patternType().code())
            .add(binding.entry().principal())
            .add(binding.entry().host())
            .add(binding.entry().operation().code())
            .add(binding.entry().permissionType().code());
    }

    private static RequestContext context(JsonNode given) throws Exception {
        return new RequestContext(
            new RequestHeader(ApiKeys.METADATA, (short) 12, "client", 1),
            "connection",
            InetAddress.getByName(given.get(1).asText()),
            Optional.empty(),
            SecurityUtils.parseKafkaPrincipal(given.get(0).asText()),
            ListenerName.normalised("PLAINTEXT"),
            SecurityProtocol.PLAINTEXT,
            ClientInformation.EMPTY,
            false,
            Optional.empty());
    }

    private static String text(JsonNode given) {
        return given.isNull() ? null : given.asText();
    }

    private static ResourceType type(JsonNode given) {
        return ResourceType.fromCode((byte) given.asInt());
    }

    private static AclOperation operation(JsonNode given) {
        return AclOperation.fromCode((byte) given.asInt());
    }
}
