import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.ExponentialBackoffRetry;

/** Checks of Curator's recipes. */
class Recipes extends Checks {
    static void run() {
        check("cache", (b, path) -> {
            CuratorFramework c = b.client(), other = b.client();
            BlockingQueue<String> seen = new LinkedBlockingQueue<>();
            other.create().creatingParentsIfNeeded().forPath(path + "/a", "1".getBytes());
            try (CuratorCache cache = CuratorCache.build(c, path)) {
                cache.listenable().addListener((type, before, after) -> seen.add(type + " " + (after == null ? before : after).getPath()));
                cache.start();
                until(seen, "NODE_CREATED " + path + "/a");
                same("1", text(cache.get(path + "/a").get().getData()));
                other.create().forPath(path + "/a/b");
                until(seen, "NODE_CREATED " + path + "/a/b");
                ask("drop");
                other.setData().forPath(path + "/a/b", "2".getBytes());
                until(seen, "NODE_CHANGED " + path + "/a/b");
                same("2", text(cache.get(path + "/a/b").get().getData()));
                other.delete().deletingChildrenIfNeeded().forPath(path + "/a");
                until(seen, "NODE_DELETED " + path + "/a");
                same(1, cache.size());
            }
        });
        check("mutex", (b, path) -> {
            CuratorFramework a = b.client(), c = b.client();
            InterProcessMutex mine = new InterProcessMutex(a, path), other = new InterProcessMutex(c, path);
            mine.acquire();
            mine.acquire();
            same(false, other.acquire(10, TimeUnit.MILLISECONDS));
            CompletableFuture<Boolean> waiter = beside(() -> other.acquire(PATIENCE, TimeUnit.SECONDS));
            crowd(a, path, 2);
            mine.release();
            same(2, mine.getParticipantNodes().size());
            mine.release();
            same(true, end(waiter));
            c.close(); // and with the session goes the lock
            same(true, mine.acquire(PATIENCE, TimeUnit.SECONDS));
            mine.release();
        });
        check("read_write_lock", (b, path) -> {
            InterProcessReadWriteLock a = new InterProcessReadWriteLock(b.client(), path), c = new InterProcessReadWriteLock(b.client(), path);
            same(true, a.readLock().acquire(PATIENCE, TimeUnit.SECONDS));
            same(true, c.readLock().acquire(PATIENCE, TimeUnit.SECONDS));
            same(false, end(beside(() -> c.writeLock().acquire(10, TimeUnit.MILLISECONDS))));
            a.readLock().release();
            c.readLock().release();
            same(true, c.writeLock().acquire(PATIENCE, TimeUnit.SECONDS));
            same(false, a.readLock().acquire(10, TimeUnit.MILLISECONDS));
            c.writeLock().release();
        });
        check("semaphore", (b, path) -> {
            InterProcessSemaphoreV2 a = new InterProcessSemaphoreV2(b.client(), path, 1), c = new InterProcessSemaphoreV2(b.client(), path, 1);
            Lease lease = a.acquire(PATIENCE, TimeUnit.SECONDS);
            same(null, c.acquire(10, TimeUnit.MILLISECONDS));
            CompletableFuture<Lease> waiter = beside(() -> c.acquire(PATIENCE, TimeUnit.SECONDS));
            a.returnLease(lease);
            c.returnLease(end(waiter));
        });
        check("leader_latch", (b, path) -> {
            LeaderLatch a = new LeaderLatch(b.client(), path, "a"), c = new LeaderLatch(b.client(), path, "c");
            a.start();
            same(true, a.await(PATIENCE, TimeUnit.SECONDS));
            c.start();
            crowd(b.client(), path, 2);
            same("a", c.getLeader().getId());
            same(2, a.getParticipants().size());
            a.close();
            same(true, c.await(PATIENCE, TimeUnit.SECONDS));
            c.close();
        });
        check("shared_count", (b, path) -> {
            SharedCount a = new SharedCount(b.client(), path, 5), c = new SharedCount(b.client(), path, 5);
            BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
            c.addListener(new SharedCountListener() {
                @Override public void countHasChanged(SharedCountReader reader, int n) { seen.add(n); }

                @Override public void stateChanged(CuratorFramework client, ConnectionState state) {}
            });
            a.start();
            c.start();
            same(true, a.trySetCount(a.getVersionedValue(), 6));
            until(seen, 6);
            same(6, c.getCount());
            a.close();
            c.close();
        });
        check("atomic_long", (b, path) -> {
            List<CompletableFuture<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                DistributedAtomicLong n = new DistributedAtomicLong(b.client(), path, new ExponentialBackoffRetry(5, 20));
                all.add(beside(() -> {
                    int done = 0;
                    for (int j = 0; j < 20; j++) if (n.increment().succeeded()) done++;
                    return done;
                }));
            }
            long done = 0;
            for (CompletableFuture<Integer> f : all) done += end(f);
            same(done, new DistributedAtomicLong(b.client(), path, new ExponentialBackoffRetry(5, 20)).get().postValue());
        });
        check("barrier", (b, path) -> {
            DistributedBarrier a = new DistributedBarrier(b.client(), path), c = new DistributedBarrier(b.client(), path);
            a.setBarrier();
            same(false, c.waitOnBarrier(10, TimeUnit.MILLISECONDS));
            CompletableFuture<Boolean> waiter = beside(() -> c.waitOnBarrier(PATIENCE, TimeUnit.SECONDS));
            a.removeBarrier();
            same(true, end(waiter));
        });
        check("double_barrier", (b, path) -> {
            DistributedDoubleBarrier a = new DistributedDoubleBarrier(b.client(), path, 2), c = new DistributedDoubleBarrier(b.client(), path, 2);
            CompletableFuture<Boolean> waiter = beside(() -> a.enter(PATIENCE, TimeUnit.SECONDS));
            same(true, c.enter(PATIENCE, TimeUnit.SECONDS));
            same(true, end(waiter));
            waiter = beside(() -> a.leave(PATIENCE, TimeUnit.SECONDS));
            same(true, c.leave(PATIENCE, TimeUnit.SECONDS));
            same(true, end(waiter));
        });
        check("group", (b, path) -> {
            GroupMember a = new GroupMember(b.client(), path, "a"), c = new GroupMember(b.client(), path, "c");
            a.start();
            c.start();
            crowd(b.client(), path, 2);
            a.close();
            crowd(b.client(), path, 1);
            c.close();
        });
        check("queue", (b, path) -> {
            SimpleDistributedQueue a = new SimpleDistributedQueue(b.client(), path), c = new SimpleDistributedQueue(b.client(), path);
            CompletableFuture<byte[]> waiter = beside(() -> c.poll(PATIENCE, TimeUnit.SECONDS));
            a.offer("1".getBytes());
            same("1", text(end(waiter)));
            same(null, c.poll());
        });
    }
}
