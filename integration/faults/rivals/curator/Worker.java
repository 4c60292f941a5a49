import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryForever;

/**
 * A worker of the fault laboratory whose locks are Curator's; see package worker for what it is told and says.
 *
 * It uses Curator as its documentation says: what is held is believed in while no listener has heard of SUSPENDED or
 * LOST.
 */
public class Worker {
    static final ObjectMapper JSON = new ObjectMapper();
    static final int LIMIT = 3; // of the semaphore
    static JsonNode config;
    static volatile boolean finishing;

    static synchronized void say(ObjectNode message) {
        message.putObject("counts");
        System.out.println(message);
        System.out.flush();
    }

    static ObjectNode event(String event) {
        return JSON.createObjectNode().put("event", event);
    }

    /** The history of this process for one work. */
    static class History {
        final FileOutputStream file;
        final AtomicLong done = new AtomicLong();

        History(String work) throws Exception {
            File folder = new File(config.get("dir").asText(), work);
            folder.mkdirs();
            file = new FileOutputStream(new File(folder, config.get("process").asText() + ".jsonl"));
        }

        synchronized void write(ObjectNode e) {
            e.put("process", config.get("process").asText());
            try {
                file.write((e + "\n").getBytes(StandardCharsets.UTF_8));
            } catch (Exception ex) {
                throw new RuntimeException(ex);
            }
            if (e.get("kind").asText().equals("ok")) {
                done.incrementAndGet();
            }
        }
    }

    /** One client of one work. */
    static class Hand extends Thread {
        final JsonNode work;
        final History history;
        final Random random;
        final CountDownLatch ready = new CountDownLatch(1);
        volatile CuratorFramework client;
        final AtomicLong losses = new AtomicLong();
        long op;

        Hand(JsonNode work, History history, int index) {
            super(config.get("process").asText() + ".c" + index);
            this.work = work;
            this.history = history;
            random = new Random(config.get("seed").asLong() + index);
            setDaemon(true);
        }

        void record(String kind, String name, long number, long at, ObjectNode args, ObjectNode result, String error) {
            ObjectNode e = JSON.createObjectNode().put("time", at).put("client", getName()).put("op", number).put("kind", kind).put("name", name);
            if (args != null) {
                e.set("args", args);
            }
            if (result != null) {
                e.set("result", result);
            }
            if (error != null) {
                e.put("error", error);
            }
            history.write(e);
        }

        long invoke(String name, ObjectNode args) {
            op++;
            record("invoke", name, op, System.nanoTime(), args, null, null);
            return op;
        }

        void complete(String kind, String name, long number, Exception e) {
            ObjectNode result = kind.equals("ok") ? JSON.createObjectNode() : null;
            record(kind, name, number, System.nanoTime(), null, result, e == null ? null : e.toString());
        }

        long some() {
            long d = (long) (random.nextDouble() * config.get("pace").asLong());
            return random.nextInt(8) == 0 ? 5 * d : d;
        }

        long stay() {
            return random.nextInt(6) == 0 ? (long) (random.nextDouble() * 3 * config.get("session").asLong()) : some();
        }

        static void rest(long nanos) {
            try {
                TimeUnit.NANOSECONDS.sleep(nanos);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void run() {
            int session = (int) (config.get("session").asLong() / 1_000_000);
            client = CuratorFrameworkFactory.newClient(config.get("servers").asText(), session, Math.max(session / 3, 500), new RetryForever(200));
            client.getConnectionStateListenable().addListener((c, state) -> {
                if (state == ConnectionState.SUSPENDED || state == ConnectionState.LOST) {
                    losses.incrementAndGet();
                }
            });
            client.start();
            try {
                while (!finishing && !client.blockUntilConnected(200, TimeUnit.MILLISECONDS)) {
                    // a worker may be started in the midst of a fault
                }
            } catch (InterruptedException e) {
                return;
            }
            ready.countDown();
            String path = work.get("path").asText();
            InterProcessMutex mutex = new InterProcessMutex(client, path);
            InterProcessReadWriteLock rw = new InterProcessReadWriteLock(client, path);
            InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, path + "/pool", LIMIT);
            while (!finishing) {
                switch (work.get("name").asText()) {
                    case "mutex-history":
                        turn(mutex, JSON.createObjectNode());
                        break;
                    case "rwlock":
                        if (random.nextBoolean()) {
                            turn(rw.readLock(), JSON.createObjectNode().put("mode", "read"));
                        } else {
                            turn(rw.writeLock(), JSON.createObjectNode().put("mode", "write"));
                        }
                        break;
                    case "semaphore":
                        permit(semaphore);
                        break;
                    case "election":
                        lead(path);
                        break;
                    default:
                        say(event("failed").put("err", "no workload " + work.get("name") + " for Curator"));
                        return;
                }
                rest(some());
            }
        }

        void turn(InterProcessLock lock, ObjectNode args) {
            long number = invoke("acquire", args);
            boolean got;
            try {
                got = lock.acquire(random.nextInt(4) == 0 ? some() : 5_000_000_000L, TimeUnit.NANOSECONDS);
            } catch (Exception e) {
                complete("unknown", "acquire", number, e);
                try {
                    lock.release();
                } catch (Exception ignored) {
                    // it is not held
                }
                return;
            }
            if (!got) {
                complete("fail", "acquire", number, null);
                return;
            }
            complete("ok", "acquire", number, null);
            hold(number);
            long release = invoke("release", JSON.createObjectNode().put("acquire", number));
            try {
                lock.release();
                complete("ok", "release", release, null);
            } catch (Exception e) {
                complete("unknown", "release", release, e);
            }
        }

        void permit(InterProcessSemaphoreV2 semaphore) {
            long number = invoke("acquire", JSON.createObjectNode().put("permits", 1));
            Lease lease;
            try {
                lease = semaphore.acquire(5, TimeUnit.SECONDS);
            } catch (Exception e) {
                complete("unknown", "acquire", number, e);
                return;
            }
            if (lease == null) {
                complete("fail", "acquire", number, null);
                return;
            }
            complete("ok", "acquire", number, null);
            hold(number);
            long release = invoke("release", JSON.createObjectNode().put("acquire", number));
            try {
                lease.close();
                complete("ok", "release", release, null);
            } catch (Exception e) {
                complete("unknown", "release", release, e);
            }
        }

        void lead(String path) {
            long number = invoke("acquire", JSON.createObjectNode());
            LeaderLatch latch = new LeaderLatch(client, path, getName());
            boolean led = false;
            try {
                latch.start();
                led = latch.await(20, TimeUnit.SECONDS);
                complete(led ? "ok" : "fail", "acquire", number, null);
                if (led) {
                    hold(number, latch);
                }
            } catch (Exception e) {
                complete("unknown", "acquire", number, e);
            } finally {
                long release = led ? invoke("release", JSON.createObjectNode().put("acquire", number)) : 0;
                try {
                    latch.close();
                    if (led) {
                        complete("ok", "release", release, null);
                    }
                } catch (Exception e) {
                    if (led) {
                        complete("unknown", "release", release, e);
                    }
                }
            }
        }

        void hold(long number) {
            hold(number, null);
        }

        /** Notes until when it was believed to be held. */
        void hold(long number, LeaderLatch latch) {
            long before = losses.get(), end = System.nanoTime() + stay(), noted = 0, last = 0;
            while (System.nanoTime() < end && !finishing) {
                long now = System.nanoTime();
                if (losses.get() != before || latch != null && !latch.hasLeadership()) {
                    break;
                }
                last = now;
                if (now - noted > 50_000_000L) {
                    record("note", "held", number, now, null, null, null);
                    noted = now;
                }
                rest(1_000_000);
            }
            if (last > noted) {
                record("note", "held", number, last, null, null, null);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        config = JSON.readTree(args[1]);
        List<Hand> hands = new ArrayList<>();
        Map<String, History> histories = new LinkedHashMap<>();
        for (JsonNode work : config.get("work")) {
            History history = new History(work.get("name").asText());
            histories.put(work.get("name").asText(), history);
            for (int i = config.get("member").asInt(); i < work.get("clients").asInt(); i += config.get("members").asInt()) {
                hands.add(new Hand(work, history, i));
            }
        }
        hands.forEach(Thread::start);
        Thread statuses = new Thread(() -> {
            boolean told = false;
            while (true) {
                if (!told && hands.stream().allMatch(h -> h.ready.getCount() == 0)) {
                    told = true;
                    say(event("ready"));
                }
                ObjectNode status = event("status");
                ObjectNode done = status.putObject("done");
                histories.forEach((name, h) -> done.put(name, h.done.get()));
                ObjectNode sessions = status.putObject("sessions");
                for (Hand h : hands) {
                    try {
                        sessions.put(h.getName(), h.client.getZookeeperClient().getZooKeeper().getSessionId());
                    } catch (Exception e) {
                        // it has none now
                    }
                }
                say(status);
                Hand.rest(100_000_000);
            }
        });
        statuses.setDaemon(true);
        statuses.start();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String what = JSON.readTree(line).get("do").asText();
            if (what.equals("finish") || what.equals("close")) {
                finishing = true;
                long until = System.nanoTime() + 60_000_000_000L;
                for (Hand h : hands) {
                    h.join(Math.max(1, (until - System.nanoTime()) / 1_000_000));
                }
            }
            if (what.equals("finish")) {
                say(event("finished"));
            } else if (what.equals("jump")) {
                say(event("jumped").put("err", "this worker's clock cannot be set"));
            } else if (what.equals("close")) {
                for (Hand h : hands) {
                    h.client.close();
                }
                say(event("closed"));
                break;
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
