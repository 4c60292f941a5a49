import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/** What came of a spec; see package work. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
public final class Sample {
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public int ops;
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public double seconds, cpu;
    @JsonProperty("latencies_us")
    public double[] latencies;
    public int grants;
    public long syscalls;
    public double heap, goroutines;
    @JsonProperty("waiter_heap")
    public double waiterHeap;
    @JsonProperty("waiter_goroutines")
    public double waiterGoroutines;
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public String error = "";

    static Sample failed(String error) {
        Sample s = new Sample();
        s.error = error;
        return s;
    }
}
