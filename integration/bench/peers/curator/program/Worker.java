import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** A worker of the performance laboratory that uses Curator; see package work for what it is told and says. */
public final class Worker {
    private static final ObjectMapper JSON = new ObjectMapper();

    private interface Work {
        void run(Meter meter, Sessions sessions) throws Exception;
    }

    private static final Map<String, Work> WORKS = new HashMap<>();

    static {
        WORKS.put("get", Operations::get);
        WORKS.put("set", Operations::set);
        WORKS.put("create", Operations::create);
        WORKS.put("connect", Operations::connect);
        WORKS.put("idle", Operations::idle);
        WORKS.put("lock.floor", Locks::floor);
        WORKS.put("lock.uncontended", Locks::uncontended);
        WORKS.put("lock.handover", Locks::handover);
        WORKS.put("lock.drain", Locks::drain);
        WORKS.put("semaphore", Locks::semaphore);
        WORKS.put("election.resign", Elections::resign);
        WORKS.put("election.crash", Elections::crash);
        WORKS.put("queue.single.put", Queues::putOne);
        WORKS.put("queue.single.take", Queues::takeOne);
        WORKS.put("queue.batch.put", Queues::putBatch);
        WORKS.put("queue.batch.take", Queues::takeBatch);
        WORKS.put("counter", Shared::counter);
        WORKS.put("config.watch", Shared::configWatch);
        WORKS.put("group.join", Shared::groupJoin);
    }

    private static final BufferedReader IN = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private Worker() {
    }

    private static synchronized void say(Object message) throws IOException {
        System.out.println(JSON.writeValueAsString(message));
        System.out.flush();
    }

    private static void mark(Spec spec, String what) throws IOException {
        if (spec.marks) {
            say(Map.of("mark", what));
            IN.readLine();
        }
    }

    private static Sample answer(String servers, String line) {
        try {
            Spec spec = JSON.readValue(line, Spec.class);
            Work work = WORKS.get(spec.work);
            if (work == null) {
                return Sample.failed("absent");
            }
            Meter meter = new Meter(spec, what -> mark(spec, what));
            try (Sessions sessions = new Sessions(servers, spec)) {
                work.run(meter, sessions);
            }
            return meter.sample();
        } catch (Exception e) { // whatever Curator throws is the sample
            return Sample.failed(e.toString());
        }
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        String servers = flags.get("--servers");
        if (servers == null) {
            System.err.println("no servers: give --servers host:port,…");
            System.exit(1);
        }
        if (flags.containsKey("--candidate")) {
            Elections.candidate(servers, flags.get("--candidate"));
            return;
        }
        for (String line = IN.readLine(); line != null; line = IN.readLine()) {
            say(answer(servers, line));
        }
        System.exit(0); // whatever threads the library has left
    }
}
