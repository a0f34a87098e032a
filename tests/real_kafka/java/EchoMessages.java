import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * Reads messages with Java's generated classes and writes them again.
 *
 * A line of the file is an API key, "request" or "response", a version and the message's bytes in hexadecimal digits;
 * a line of the output is the header version that goes with it, how many bytes were left over, and the bytes as Java
 * writes them.
 */
public final class EchoMessages {
    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false);
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] words = line.split(" ", 4);
            ApiMessageType type = ApiMessageType.fromApiKey(Short.parseShort(words[0]));
            boolean isRequest = words[1].equals("request");
            short version = Short.parseShort(words[2]);
            ByteBuffer given = ByteBuffer.wrap(HexFormat.of().parseHex(words[3]));
            ApiMessage message = isRequest ? type.newRequest() : type.newResponse();
            message.read(new ByteBufferAccessor(given), version);
            ByteBuffer written = MessageUtil.toByteBufferAccessor(message, version).buffer();
            byte[] bytes = new byte[written.remaining()];
            written.get(bytes);
            int header = isRequest ? type.requestHeaderVersion(version) : type.responseHeaderVersion(version);
            out.println(header + " " + given.remaining() + " " + HexFormat.of().formatHex(bytes));
        }
        out.flush();
    }
}
