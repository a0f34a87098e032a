import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

/** Prints, as one JSON object, the tables that embedkafka repeats: topic and broker configs, error codes, API keys. */
public final class PrintFacts {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        ObjectNode facts = JSON.createObjectNode();
        facts.set("topic_configs", configs(LogConfig.configDefCopy(), true));
        facts.set("broker_configs", configs(AbstractKafkaConfig.CONFIG_DEF, false));
        facts.set("group_configs", groupConfigs());
        facts.set("errors", errors());
        facts.set("apis", apis());
        System.out.println(JSON.writeValueAsString(facts));
    }

    private static ArrayNode configs(ConfigDef definition, boolean withSynonyms) {
        ArrayNode configs = JSON.createArrayNode();
        for (String name : new TreeSet<>(definition.names())) {
            ConfigDef.ConfigKey key = definition.configKeys().get(name);
            boolean hasDefault = key.hasDefault() && key.defaultValue != null;
            ObjectNode config = configs.addObject();
            config.put("name", name);
            config.put("type", key.type.toString());
            config.put("default", hasDefault ? ConfigDef.convertToString(key.defaultValue, key.type) : null);
            config.put("importance", key.importance.toString());
            config.put("internal", key.internalConfig);
            if (withSynonyms) {
                ArrayNode synonyms = config.putArray("synonyms");
                ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(name, List.of())
                    .forEach(synonym -> synonyms.add(synonym.name()));
            }
        }
        return configs;
    }

    private static ArrayNode groupConfigs() {
        ArrayNode configs = configs(GroupConfig.CONFIG_DEF, false);
        configs.forEach(config -> {
            String name = config.get("name").asText();
            ((ObjectNode) config).put("synonym", GroupConfig.brokerSynonym(name).orElse(null));
            ((ObjectNode) config).put("bounds", String.valueOf(GroupConfig.CONFIG_DEF.configKeys().get(name).validator));
        });
        return configs;
    }

    private static ArrayNode errors() {
        ArrayNode errors = JSON.createArrayNode();
        for (Errors error : Errors.values()) {
            ObjectNode fact = errors.addObject();
            fact.put("code", error.code());
            fact.put("name", error.name());
            fact.put("retriable", error.exception() instanceof RetriableException);
            fact.put("invalid_metadata", error.exception() instanceof InvalidMetadataException);
        }
        return errors;
    }

    private static ArrayNode apis() {
        ArrayNode apis = JSON.createArrayNode();
        for (ApiKeys api : ApiKeys.values()) {
            ObjectNode fact = apis.addObject();
            fact.put("key", api.id);
            fact.put("name", api.name);
            fact.put("oldest", api.oldestVersion());
            fact.put("latest", api.latestVersion());
        }
        return apis;
    }
}
