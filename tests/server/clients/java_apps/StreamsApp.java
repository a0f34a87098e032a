import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * An application of Kafka Streams: words are counted (a repartition topic, a store with a changelog), clicks are joined with
 * a table of users, and events are counted in windows of ten seconds, told when a window is over.
 *
 * <p>Its topics are PREFIX-words, PREFIX-counts, PREFIX-users, PREFIX-clicks, PREFIX-joined, PREFIX-events and PREFIX-windows.
 * Standard output tells the states ("state RUNNING"), that a store was filled from its changelog ("restored
 * NAME COUNT") and answers; a line of standard input is a question: "count WORD", "lags" or "close".
 */
public final class StreamsApp {
    private static final Duration WINDOW = Duration.ofSeconds(10);

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        properties.put("auto.offset.reset", "earliest");
        for (String more : List.of(arguments).subList(3, arguments.length)) {
            int equals = more.indexOf('=');
            properties.put(more.substring(0, equals), more.substring(equals + 1));
        }
        KafkaStreams streams = new KafkaStreams(topology(arguments[1]), properties);
        streams.setStateListener((now, before) -> tell("state " + now));
        streams.setGlobalStateRestoreListener(new Restored());
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            tell("error " + error);
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in));
        for (String line = questions.readLine(); line != null && !line.equals("close"); line = questions.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("count")) tell("answer " + count(streams, words[1]));
            else tell("lags " + streams.allLocalStorePartitionLags());
        }
        tell("closed " + streams.close(Duration.ofSeconds(20)));
        Runtime.getRuntime().halt(0);
    }

    private static org.apache.kafka.streams.Topology topology(String prefix) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream(prefix + "-words");
        lines.flatMapValues(line -> List.of(line.split(" ")))
                .groupBy((key, word) -> word, Grouped.as("by-word"))
                .count(Materialized.as("counts"))
                .mapValues(String::valueOf)
                .toStream()
                .to(prefix + "-counts");
        KTable<String, String> users = builder.table(prefix + "-users");
        KStream<String, String> clicks = builder.stream(prefix + "-clicks");
        clicks.join(users, (click, user) -> user + " at " + click).to(prefix + "-joined");
        KStream<String, String> events = builder.stream(prefix + "-events");
        events.groupByKey()
                .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW))
                .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windows")
                        .withKeySerde(Serdes.String())
                        .withValueSerde(Serdes.Long()))
                .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()).withName("closed"))
                .toStream()
                .map((window, count) -> KeyValue.pair(window.key() + "@" + window.window().start(), String.valueOf(count)))
                .to(prefix + "-windows");
        return builder.build();
    }

    private static String count(KafkaStreams streams, String word) {
        try {
            ReadOnlyKeyValueStore<String, Long> counts = streams.store(
                    StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.<String, Long>keyValueStore()));
            return String.valueOf(counts.get(word));
        } catch (RuntimeException error) {
            return error.getClass().getSimpleName();
        }
    }

    private static synchronized void tell(String what) {
        System.out.println(what);
        System.out.flush();
    }

    private static final class Restored implements org.apache.kafka.streams.processor.StateRestoreListener {
        @Override
        public void onRestoreStart(org.apache.kafka.common.TopicPartition partition, String store, long from, long to) {}

        @Override
        public void onBatchRestored(org.apache.kafka.common.TopicPartition partition, String store, long end, long count) {}

        @Override
        public void onRestoreEnd(org.apache.kafka.common.TopicPartition partition, String store, long total) {
            tell("restored " + store + " " + total);
        }
    }
}
