import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.retry.ExponentialBackoffRetry;

/** Makes nodes of each of Curator's recipes, says "ready", and holds them until its standard input ends. The argument is the server's address. */
class Nodes {
    static final QueueSerializer<String> text = new QueueSerializer<String>() {
        @Override
        public byte[] serialize(String item) { return item.getBytes(StandardCharsets.UTF_8); }

        @Override
        public String deserialize(byte[] bytes) { return new String(bytes, StandardCharsets.UTF_8); }
    };

    interface Task { void run() throws Exception; }

    /** Does on a thread of its own what waits. */
    static void waiting(Task task) {
        Thread t = new Thread(() -> {
            try {
                task.run();
            } catch (Exception e) {
                e.printStackTrace();
            }
        });
        t.setDaemon(true);
        t.start();
    }

    static QueueBuilder<String> queue(CuratorFramework zk, String path) { return QueueBuilder.builder(zk, null, text, path).putInBackground(false); }

    public static void main(String[] args) throws Exception {
        CuratorFramework zk = CuratorFrameworkFactory.builder().connectString(args[0]).sessionTimeoutMs(40000)
            .connectionTimeoutMs(30000).retryPolicy(new ExponentialBackoffRetry(50, 10)).build();
        zk.start();
        if (!zk.blockUntilConnected(60, TimeUnit.SECONDS)) throw new Exception("not connected");

        new InterProcessMutex(zk, "/c/lock").acquire();
        waiting(() -> new InterProcessMutex(zk, "/c/lock").acquire());
        new InterProcessReadWriteLock(zk, "/c/rw").readLock().acquire();
        waiting(() -> new InterProcessReadWriteLock(zk, "/c/rw").writeLock().acquire());
        new InterProcessSemaphoreV2(zk, "/c/semaphore", 2).acquire();
        LeaderLatch latch = new LeaderLatch(zk, "/c/latch", "a");
        latch.start();
        latch.await();
        GroupMember member = new GroupMember(zk, "/c/group", "a", "data".getBytes(StandardCharsets.UTF_8));
        member.start();
        waiting(() -> new DistributedDoubleBarrier(zk, "/c/double", 2).enter());
        new SimpleDistributedQueue(zk, "/c/simple").offer("one".getBytes(StandardCharsets.UTF_8));
        var plain = queue(zk, "/c/queue").buildQueue();
        plain.start();
        plain.put("one");
        var ranked = queue(zk, "/c/priority").buildPriorityQueue(0);
        ranked.start();
        ranked.put("one", 5);
        var delayed = queue(zk, "/c/delay").buildDelayQueue();
        delayed.start();
        delayed.put("one", System.currentTimeMillis() + 3600000);
        var named = queue(zk, "/c/id").buildIdQueue();
        named.start();
        named.put("one", "order-1");
        new DistributedAtomicLong(zk, "/c/long", new ExponentialBackoffRetry(50, 10)).forceSet(41L);
        SharedCount count = new SharedCount(zk, "/c/count", 7);
        count.start();
        count.setCount(42);

        System.out.println("ready");
        System.out.flush();
        while (System.in.read() >= 0) { }
    }
}
