import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;

/** What many clients share: a counter, a configuration, a group. */
final class Shared {
    private Shared() {
    }

    /** Adds as Curator's example does, ten tries ten milliseconds apart, and then under the lock that they are promoted to. */
    static void counter(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        String path = meter.spec.path;
        List<DistributedAtomicLong> counters = new ArrayList<>();
        for (CuratorFramework client : sessions.many()) {
            PromotedToLock lock = PromotedToLock.builder().lockPath(path + "-lock").retryPolicy(new RetryNTimes(10, 10)).build();
            counters.add(new DistributedAtomicLong(client, path, new RetryNTimes(10, 10), lock));
        }
        if (!counters.get(0).initialize(0L)) {
            throw new IllegalStateException("the counter exists");
        }
        Crew crew = new Crew();
        AtomicLong added = new AtomicLong();
        CountDownLatch running = new CountDownLatch(counters.size());
        meter.begin();
        for (DistributedAtomicLong counter : counters) {
            crew.start(() -> {
                while (meter.more()) {
                    long start = System.nanoTime();
                    boolean done = false;
                    while (!done && !meter.over()) {
                        done = counter.increment().succeeded();
                    }
                    if (done) {
                        added.incrementAndGet();
                        meter.note(System.nanoTime() - start);
                    }
                }
                running.countDown();
            });
        }
        while (!running.await(5, TimeUnit.MILLISECONDS) && !meter.late()) {
            crew.check();
        }
        meter.end();
        crew.join();
        long value = counters.get(0).get().postValue();
        if (value != added.get()) {
            throw new IllegalStateException("the counter is " + value + " after " + added + " adds that succeeded");
        }
    }

    private static byte[] numbered(int number, int size) {
        byte[] data = Arrays.copyOf(Integer.toString(number).getBytes(), Math.max(8, size));
        return data;
    }

    static void configWatch(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        String path = meter.spec.path;
        CuratorFramework writer = sessions.one();
        writer.create().creatingParentsIfNeeded().forPath(path, numbered(0, meter.spec.size));
        List<CuratorFramework> clients = sessions.many();
        Audience audience = new Audience(clients.size(), numbered(0, meter.spec.size));
        List<CuratorCache> caches = new ArrayList<>();
        Crew crew = new Crew();
        CountDownLatch first = audience.everybody();
        try {
            for (CuratorFramework client : clients) {
                CuratorCache cache = CuratorCache.build(client, path, CuratorCache.Options.SINGLE_NODE_CACHE);
                caches.add(cache);
                cache.listenable().addListener(CuratorCacheListener.builder()
                    .forCreates(node -> audience.saw(node.getData()))
                    .forChanges((old, node) -> audience.saw(node.getData())).build());
                cache.start();
            }
            crew.await(first);
            int[] number = new int[1];
            meter.each(() -> {
                byte[] data = numbered(++number[0], meter.spec.size);
                CountDownLatch seen = audience.expect(data);
                writer.setData().forPath(path, data);
                crew.await(seen);
            });
        } finally {
            caches.forEach(CuratorCache::close);
        }
    }

    /** Waits until all of its members have seen what is expected. */
    private static final class Audience {
        private final int size;
        private byte[] expected;
        private CountDownLatch missing;

        Audience(int size, byte[] expected) {
            this.size = size;
            expect(expected);
        }

        synchronized CountDownLatch expect(byte[] data) {
            expected = data;
            missing = new CountDownLatch(size);
            return missing;
        }

        synchronized CountDownLatch everybody() {
            return missing;
        }

        synchronized void saw(byte[] data) {
            if (Arrays.equals(expected, data)) {
                missing.countDown();
            }
        }
    }

    /** Members are PersistentNodes: what GroupMember joins with, without the view of all others that it gives to each of them. */
    static void groupJoin(Meter meter, Sessions sessions) throws Exception {
        String path = meter.spec.path;
        CuratorFramework observer = sessions.one();
        observer.create().creatingParentsIfNeeded().forPath(path, new byte[0]);
        List<CuratorFramework> clients = sessions.many();
        CountDownLatch ready = new CountDownLatch(1), seen = new CountDownLatch(clients.size());
        Crew crew = new Crew();
        List<PersistentNode> members = new ArrayList<>();
        try (CuratorCache view = CuratorCache.build(observer, path)) {
            view.listenable().addListener(CuratorCacheListener.builder().forInitialized(ready::countDown).forCreates(node -> {
                if (!node.getPath().equals(path)) {
                    seen.countDown();
                }
            }).build());
            view.start();
            crew.await(ready);
            for (CuratorFramework client : clients) {
                members.add(new PersistentNode(client, CreateMode.EPHEMERAL, false, path + "/member-" + members.size(), meter.spec.data()));
            }
            meter.begin();
            members.forEach(PersistentNode::start);
            crew.await(seen);
            meter.end();
            meter.sample().ops = clients.size();
        } // the members leave with their sessions: closing them takes a request each, one after the other
    }
}
