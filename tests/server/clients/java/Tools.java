import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools in one virtual machine, several at a time, because starting one for each takes longer
 * than the tools do.
 *
 * <p>Standard input has one JSON object a line: {"id", "main", "arguments", "input"} starts a tool. Standard
 * output tells what the tools print, {"id", "stream", "line"}, and how they ended, {"id", "code"}. A tool's threads inherit
 * which tool they belong to, so that System.in, System.out, System.err and Exit are those of that tool.
 */
public final class Tools {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final InheritableThreadLocal<Run> CURRENT = new InheritableThreadLocal<>();
    private static PrintStream answers;

    public static void main(String[] none) throws Exception {
        answers = System.out;
        InputStream questions = System.in;
        System.setOut(new PrintStream(new OfCurrent("out"), true));
        System.setErr(new PrintStream(new OfCurrent("err"), true));
        System.setIn(new InputOfCurrent());
        Exit.setExitProcedure((code, message) -> CURRENT.get().exit(code));
        Exit.setHaltProcedure((code, message) -> CURRENT.get().exit(code));
        Exit.setShutdownHookAdder((name, hook) -> CURRENT.get().hooks.add(hook));
        BufferedReader lines = new BufferedReader(new InputStreamReader(questions, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode question = JSON.readTree(line);
            new Run(question).thread.start();
        }
        Runtime.getRuntime().halt(0);
    }

    private static void answer(ObjectNode node) {
        synchronized (answers) {
            answers.println(node);
            answers.flush();
        }
    }

    /** Thrown where a tool would end the process. */
    private static final class Ended extends ThreadDeath {}

    /** One tool. */
    private static final class Run {
        final String id;
        final InputStream input;
        final List<Runnable> hooks = new ArrayList<>();
        final Thread thread;
        private Integer code;

        Run(JsonNode question) {
            id = question.get("id").asText();
            input = new ByteArrayInputStream(question.get("input").asText().getBytes(StandardCharsets.UTF_8));
            List<String> arguments = new ArrayList<>();
            question.get("arguments").forEach(argument -> arguments.add(argument.asText()));
            String main = question.get("main").asText();
            thread = new Thread(() -> run(main, arguments.toArray(new String[0])), main);
            thread.setDaemon(true);
        }

        private void run(String main, String[] arguments) {
            CURRENT.set(this);
            try {
                Class.forName(main).getMethod("main", String[].class).invoke(null, (Object) arguments);
            } catch (Throwable thrown) {
                boolean isEnd = thrown instanceof Ended || thrown.getCause() instanceof Ended;
                if (!isEnd) {
                    thrown.printStackTrace();
                    if (code == null) code = 1;
                }
            }
            atShutdown();
            ObjectNode node = JSON.createObjectNode();
            answer(node.put("id", id).put("code", code == null ? 0 : code));
        }

        /** The first code counts: a tool may catch what is thrown here and give another. */
        void exit(int status) {
            if (code == null) code = status;
            throw new Ended();
        }

        /** What a virtual machine does at its end: some tools flush or print a summary only then. */
        private void atShutdown() {
            for (Runnable hook : hooks) {
                try {
                    hook.run();
                } catch (Throwable thrown) {
                    thrown.printStackTrace();
                }
            }
        }
    }

    /** Gives whole lines to whoever listens to the tool that prints them. */
    private static final class OfCurrent extends OutputStream {
        private final String stream;
        private final Map<String, ByteArrayOutputStream> unfinished = new ConcurrentHashMap<>();

        OfCurrent(String stream) {
            this.stream = stream;
        }

        @Override
        public synchronized void write(int octet) {
            Run run = CURRENT.get();
            String id = run == null ? "" : run.id;
            ByteArrayOutputStream line = unfinished.computeIfAbsent(id, one -> new ByteArrayOutputStream());
            if (octet == '\n') {
                ObjectNode node = JSON.createObjectNode();
                answer(node.put("id", id).put("stream", stream).put("line", line.toString(StandardCharsets.UTF_8)));
                line.reset();
            } else {
                line.write(octet);
            }
        }
    }

    private static final class InputOfCurrent extends InputStream {
        @Override
        public int read() throws java.io.IOException {
            return CURRENT.get().input.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) throws java.io.IOException {
            return CURRENT.get().input.read(into, offset, length);
        }
    }
}
