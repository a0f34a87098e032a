import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.*;

/**
 * Asks a broker through the Java clients and prints a line for each question: what was asked, and what came.
 *
 * <p>Arguments: --bootstrap-server, the broker's address, and a name that nothing else has.
 */
public class Answers {
    static Admin admin;
    static Map<String, Object> common;
    static String name;

    public static void main(String[] arguments) {
        common = Map.of("bootstrap.servers", arguments[1]);
        name = arguments[2];
        admin = Admin.create(common);
        AdminAnswers.all();
        ClientAnswers.all();
        admin.close();
    }

    static void tell(String what, Callable<Object> question) {
        String answer;
        try {
            answer = String.valueOf(question.call());
        } catch (ExecutionException error) {
            answer = error.getCause().getClass().getSimpleName();
        } catch (Throwable error) {
            answer = error.getClass().getSimpleName();
        }
        System.out.println(what + ": " + answer.replace(name, "NAME"));
    }

    static KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(common);
        all.putAll(more);
        return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(common);
        all.putAll(more);
        return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    }

    static KafkaShareConsumer<String, String> shareConsumer(String group) {
        Map<String, Object> all = new HashMap<>(common);
        all.put("group.id", group);
        all.put("share.acknowledgement.mode", "explicit");
        return new KafkaShareConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    }
}
