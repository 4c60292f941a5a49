import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The clock and the bounds of the measured part of one work. Safe for use by several threads; begin and end are called once.
 */
final class Meter {
    static final int MOST_LATENCIES = 500;

    /** Says that a mark is reached, and returns when the caller has answered. */
    interface Mark {
        void at(String what) throws Exception;
    }

    final Spec spec;
    private final Mark mark;
    private long[] latencies = new long[1024];
    private int noted;
    private long tickets;
    private long began, deadline = Long.MAX_VALUE, cpu, calls;
    private volatile boolean over, ended;
    private final Sample sample = new Sample();

    Meter(Spec spec, Mark mark) {
        this.spec = spec;
        this.mark = mark;
    }

    private static long cpuNow() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    /** Reads and writes of this process, 0 where the system does not tell. */
    private static long callsNow() {
        long n = 0;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/io"))) {
                if (line.startsWith("syscr: ") || line.startsWith("syscw: ")) {
                    n += Long.parseLong(line.substring(7).trim());
                }
            }
        } catch (java.io.IOException e) {
            return 0;
        }
        return n;
    }

    /** Refuses a spec that would never end. */
    void bounded() {
        if (spec.ops == 0 && spec.millis == 0) {
            throw new IllegalArgumentException("neither ops nor millis bounds the work " + spec.work + ": give one");
        }
    }

    void begin() throws Exception {
        mark.at("begin");
        synchronized (this) {
            calls = callsNow();
            cpu = cpuNow();
            began = System.nanoTime();
            if (spec.millis > 0) {
                deadline = began + spec.millis * 1_000_000L;
            }
        }
    }

    void end() throws Exception {
        synchronized (this) {
            sample.seconds = (System.nanoTime() - began) / 1e9;
            sample.cpu = (cpuNow() - cpu) / 1e9;
            sample.syscalls = callsNow() - calls;
            sample.ops = noted;
            sample.latencies = chosen();
            over = true;
        }
        mark.at("end");
        synchronized (this) {
            ended = true;
            notifyAll();
        }
    }

    /** Whether the measured part is over: nothing counts any more. */
    boolean over() {
        return over;
    }

    /** Whether the caller knows that, too: now all may be let go. */
    boolean ended() {
        return ended;
    }

    synchronized boolean late() {
        return deadline != Long.MAX_VALUE && System.nanoTime() >= deadline;
    }

    /** Whether one more operation may begin: true so often as the bound is. */
    synchronized boolean more() {
        return !over && !late() && (spec.ops == 0 || tickets++ < spec.ops);
    }

    /** An operation is done. */
    synchronized void note(long nanos) {
        if (over) {
            return;
        }
        if (noted == latencies.length) {
            latencies = Arrays.copyOf(latencies, 2 * noted);
        }
        latencies[noted++] = nanos;
    }

    synchronized int noted() {
        return noted;
    }

    /** Whether what was noted is all that the work is bounded to. */
    synchronized boolean full() {
        return late() || spec.ops > 0 && noted >= spec.ops;
    }

    private double[] chosen() {
        int n = Math.min(noted, MOST_LATENCIES);
        double[] all = new double[n];
        for (int i = 0; i < n; i++) {
            all[i] = latencies[(int) ((long) i * noted / n)] / 1e3;
        }
        return all;
    }

    /** What was measured, once the measured part is over; to be amended. */
    Sample sample() {
        return sample;
    }

    interface Operation {
        void run() throws Exception;
    }

    /** Measures an operation, one after the other. */
    void each(Operation operation) throws Exception {
        begin();
        while (more()) {
            long start = System.nanoTime();
            operation.run();
            note(System.nanoTime() - start);
        }
        end();
    }
}
