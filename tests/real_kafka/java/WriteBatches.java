import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;

/**
 * Writes record batches as Java's producer would, one of each codec, timestamp type and size, to the file of the
 * first argument; prints what is in them as one JSON object a record, in offset order.
 */
public final class WriteBatches {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long BASE_TIMESTAMP = 1_700_000_000_000L;

    public static void main(String[] args) throws Exception {
        Random random = new Random(Long.parseLong(args[1]));
        PrintStream out = new PrintStream(System.out, false);
        long offset = 0;
        try (FileOutputStream file = new FileOutputStream(args[0])) {
            for (CompressionType codec : CompressionType.values()) {
                for (TimestampType timestampType : new TimestampType[] {TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME}) {
                    for (int count : new int[] {1, 3, 400}) {
                        offset = writeBatch(file, out, random, codec, timestampType, offset, count);
                    }
                }
            }
            MemoryRecords marker = MemoryRecords.withEndTransactionMarker(offset, BASE_TIMESTAMP, 0, 77L, (short) 1,
                new EndTransactionMarker(ControlRecordType.COMMIT, 5));
            file.getChannel().write(marker.buffer().duplicate());
            out.println("{\"offset\":" + offset + ",\"control\":true}");
        }
        out.flush();
    }

    private static long writeBatch(FileOutputStream file, PrintStream out, Random random, CompressionType codec,
                                   TimestampType timestampType, long baseOffset, int count) throws Exception {
        long appendTime = BASE_TIMESTAMP + 5_000_000L;
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1024), (byte) 2,
            Compression.of(codec).build(), timestampType, baseOffset, appendTime);
        long offset = baseOffset;
        for (int i = 0; i < count; i++, offset++) {
            byte[] key = bytes(random, i % 5 == 4 ? -1 : random.nextInt(12));
            byte[] value = i == 7 ? bytes(random, 150_000) : bytes(random, i % 11 == 10 ? -1 : random.nextInt(300));
            Header[] headers = new Header[i % 4 == 3 ? 2 : 0];
            for (int h = 0; h < headers.length; h++) {
                headers[h] = new RecordHeader("h\u00e9ader-" + h, h == 0 ? bytes(random, 5) : null);
            }
            long timestamp = BASE_TIMESTAMP + random.nextInt(1_000_000);
            builder.append(timestamp, key, value, headers);
            describe(out, codec, timestampType, offset, timestampType == TimestampType.LOG_APPEND_TIME ? appendTime : timestamp, key, value, headers);
        }
        file.getChannel().write(builder.build().buffer().duplicate());
        return offset;
    }

    /** Half text that compresses, half noise that does not; null for a negative size. */
    private static byte[] bytes(Random random, int size) {
        if (size < 0) {
            return null;
        }
        byte[] bytes = new byte[size];
        if (random.nextBoolean()) {
            random.nextBytes(bytes);
        } else {
            for (int i = 0; i < size; i++) {
                bytes[i] = (byte) ('a' + i % 7);
            }
        }
        return bytes;
    }

    private static void describe(PrintStream out, CompressionType codec, TimestampType timestampType, long offset,
                                 long timestamp, byte[] key, byte[] value, Header[] headers) throws Exception {
        ObjectNode record = JSON.createObjectNode();
        record.put("offset", offset);
        record.put("codec", codec.name);
        record.put("timestamp_type", timestampType.id);
        record.put("timestamp", timestamp);
        record.put("key", hex(key));
        record.put("value", hex(value));
        for (Header header : headers) {
            record.withArray("headers").addArray().add(header.key()).add(hex(header.value()));
        }
        record.put("control", false);
        out.println(JSON.writeValueAsString(record));
    }

    private static String hex(byte[] bytes) {
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }
}
