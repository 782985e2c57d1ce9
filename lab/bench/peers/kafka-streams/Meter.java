import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** The progress, CPU time and memory of this process from its first record on, as the bench reads them. */
final class Meter {
    private static final Path STATUS = Path.of("/proc/self/status");
    private final AtomicLong events = new AtomicLong();
    private final List<List<Number>> progress = new ArrayList<>();
    private volatile boolean begun;
    private double cpuBefore;

    /** Called before each record; the first call begins the measurement. */
    void begin() {
        if (!begun) {
            cpuBefore = cpuSeconds();
            add(0);
            begun = true;
        }
    }

    void worked() {
        events.incrementAndGet();
    }

    void look() {
        if (begun) {
            add(events.get());
        }
    }

    /** Everything is worked and acknowledged now. */
    void print() throws IOException {
        look();
        Result result = new Result(cpuSeconds() - cpuBefore, peakMegabytes(), progress);
        System.out.println("RAN " + Json.MAPPER.writeValueAsString(result));
    }

    record Result(double cpuSeconds, double megabytes, List<List<Number>> progress) {}

    private synchronized void add(long count) {
        progress.add(List.of(System.nanoTime() / 1e9, count));
    }

    private static double cpuSeconds() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    private static double peakMegabytes() throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6;
            }
        }
        throw new IOException(STATUS + " tells no peak");
    }
}
