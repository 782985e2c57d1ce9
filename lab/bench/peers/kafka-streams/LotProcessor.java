import java.util.List;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** One event about one lot at a time: load, decide, keep, publish. */
final class LotProcessor implements Processor<String, byte[], String, byte[]> {
    private final Meter meter;
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, Lot> lots;

    LotProcessor(Meter meter) {
        this.meter = meter;
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
        this.context = context;
        lots = context.getStateStore(Inventory.STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
        meter.begin();
        String id = record.key();
        Headers parent = record.headers();
        Lot lot = lots.get(id);
        Rules.Decision decision =
                Rules.decide(id, lot == null ? Lot.atFirst(id) : lot, Events.read(Envelope.type(parent), record.value()));
        if (decision.lot() != null) {
            lots.put(id, decision.lot());
        }
        Envelope.Cause cause = Envelope.Cause.of(parent);
        List<Events.Output> outputs = decision.outputs();
        for (int index = 0; index < outputs.size(); index++) {
            Events.Output output = outputs.get(index);
            context.forward(
                    new Record<>(
                            output.key(), Json.bytes(output), record.timestamp(), cause.headers(output, index)),
                    output.topic());
        }
        meter.worked();
    }
}
