import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

/** Reads a file of record batches as Java's consumer would; prints one JSON object a record. */
public final class ReadBatches {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false);
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[0]))));
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            for (Record record : batch) {
                record.ensureValid();
                ObjectNode fact = JSON.createObjectNode();
                fact.put("offset", record.offset());
                fact.put("codec", batch.compressionType().name);
                fact.put("timestamp_type", batch.timestampType().id);
                fact.put("timestamp", record.timestamp());
                fact.put("key", hex(record.key()));
                fact.put("value", hex(record.value()));
                for (Header header : record.headers()) {
                    byte[] value = header.value();
                    fact.withArray("headers").addArray().add(header.key()).add(value == null ? null : HexFormat.of().formatHex(value));
                }
                fact.put("control", batch.isControlBatch());
                fact.put("max_timestamp", batch.maxTimestamp());
                fact.put("leader_epoch", batch.partitionLeaderEpoch());
                fact.put("producer_id", batch.producerId());
                fact.put("sequence", record.sequence());
                out.println(JSON.writeValueAsString(fact));
            }
        }
        int trailing = records.sizeInBytes() - records.validBytes();
        out.flush();
        if (trailing != 0) {
            System.err.println(trailing + " bytes after the last whole batch");
            System.exit(1);
        }
    }

    private static String hex(ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
