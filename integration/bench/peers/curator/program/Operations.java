import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.BackgroundCallback;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.zookeeper.KeeperException;

/** Requests as they are: get, set, create, connect, idle. */
final class Operations {
    private Operations() {
    }

    /** A request that is sent in the background. */
    private interface Send {
        void send(BackgroundCallback answered) throws Exception;
    }

    private static void requests(Meter meter, Meter.Operation one, Send send) throws Exception {
        meter.bounded();
        if (meter.spec.inflight > 1) {
            new Pipeline(meter, send).run();
        } else {
            meter.each(one);
        }
    }

    /** Keeps the spec's number of requests under way: each answer's callback sends the next one. */
    private static final class Pipeline {
        final Meter meter;
        final Send send;
        final CountDownLatch over;
        volatile Exception failure;

        Pipeline(Meter meter, Send send) {
            this.meter = meter;
            this.send = send;
            over = new CountDownLatch(meter.spec.inflight);
        }

        void next() {
            if (failure != null || !meter.more()) {
                over.countDown();
                return;
            }
            long start = System.nanoTime();
            try {
                send.send((client, event) -> {
                    meter.note(System.nanoTime() - start);
                    if (event.getResultCode() != KeeperException.Code.OK.intValue()) {
                        failure = KeeperException.create(KeeperException.Code.get(event.getResultCode()), event.getPath());
                    }
                    next();
                });
            } catch (Exception e) {
                failure = e;
                over.countDown();
            }
        }

        void run() throws Exception {
            meter.begin();
            for (int i = 0; i < meter.spec.inflight; i++) {
                next();
            }
            over.await();
            meter.end();
            if (failure != null) {
                throw failure;
            }
        }
    }

    private static CuratorFramework withNode(Meter meter, Sessions sessions) throws Exception {
        CuratorFramework client = sessions.one();
        client.create().creatingParentsIfNeeded().forPath(meter.spec.path, meter.spec.data());
        return client;
    }

    static void get(Meter meter, Sessions sessions) throws Exception {
        CuratorFramework client = withNode(meter, sessions);
        String path = meter.spec.path;
        requests(meter, () -> client.getData().forPath(path), answered -> client.getData().inBackground(answered).forPath(path));
    }

    static void set(Meter meter, Sessions sessions) throws Exception {
        CuratorFramework client = withNode(meter, sessions);
        String path = meter.spec.path;
        byte[] data = meter.spec.data();
        requests(meter, () -> client.setData().forPath(path, data), answered -> client.setData().inBackground(answered).forPath(path, data));
    }

    static void create(Meter meter, Sessions sessions) throws Exception {
        CuratorFramework client = withNode(meter, sessions);
        String below = meter.spec.path + "/n";
        byte[] data = meter.spec.data();
        AtomicLong names = new AtomicLong();
        requests(meter, () -> client.create().forPath(below + names.incrementAndGet(), data),
            answered -> client.create().inBackground(answered).forPath(below + names.incrementAndGet(), data));
    }

    static void connect(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        meter.each(() -> sessions.started().checkExists().forPath("/"));
    }

    /** What clients and waiters cost: heap, and threads. */
    static void idle(Meter meter, Sessions sessions) throws Exception {
        int count = meter.spec.clientCount();
        String path = meter.spec.path;
        CuratorFramework holder = sessions.one();
        InterProcessMutex held = new InterProcessMutex(holder, path);
        held.acquire();
        Sample sample = meter.sample();
        double[] before = use();
        List<CuratorFramework> clients = sessions.many();
        double[] after = use();
        sample.heap = (after[0] - before[0]) / count;
        sample.goroutines = (after[1] - before[1]) / count;
        meter.begin();
        Thread.sleep(meter.spec.millis);
        meter.end();
        sample.ops = clients.size();

        CuratorFramework shared = sessions.one();
        Crew crew = new Crew();
        List<InterProcessMutex> waiters = new ArrayList<>();
        before = use();
        for (int i = 0; i < count; i++) {
            InterProcessMutex waiter = new InterProcessMutex(shared, path);
            waiters.add(waiter);
            crew.start(() -> {
                try {
                    waiter.acquire();
                } catch (InterruptedException e) {
                    return;
                }
                waiter.release();
            });
        }
        Sessions.awaitLine(holder, path, count + 1, crew);
        after = use();
        sample.waiterHeap = (after[0] - before[0]) / count;
        sample.waiterGoroutines = (after[1] - before[1]) / count;
        held.release();
        crew.join();
    }

    private static double[] use() {
        // What the first collection finds to be unused may be let go by the second one only.
        System.gc();
        System.gc();
        Runtime r = Runtime.getRuntime();
        return new double[] {r.totalMemory() - r.freeMemory(), ManagementFactory.getThreadMXBean().getThreadCount()};
    }
}
