import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.KeeperException;

/** The clients of one work; all are closed when it is over. */
final class Sessions implements AutoCloseable {
    static final int PATIENCE = 60; // seconds, for what comes by itself
    private static final int AT_ONCE = 32; // clients that connect at the same time

    final String servers;
    private final Spec spec;
    private final List<CuratorFramework> made = Collections.synchronizedList(new ArrayList<>());

    Sessions(String servers, Spec spec) {
        this.servers = servers;
        this.spec = spec;
    }

    /** Curator's own example of a retry policy: a second, doubled, three times. */
    static ExponentialBackoffRetry retry() {
        return new ExponentialBackoffRetry(1000, 3);
    }

    CuratorFramework started() {
        CuratorFramework client = CuratorFrameworkFactory.newClient(servers, spec.timeout > 0 ? spec.timeout : 10_000, 15_000, retry());
        made.add(client);
        client.start();
        return client;
    }

    CuratorFramework one() throws Exception {
        CuratorFramework client = started();
        if (!client.blockUntilConnected(PATIENCE, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no session within " + PATIENCE + " s");
        }
        return client;
    }

    /** A client for each of the spec's, as many of them different as it has sessions. */
    List<CuratorFramework> many() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
        List<CuratorFramework> clients = new ArrayList<>();
        try {
            List<Future<CuratorFramework>> coming = new ArrayList<>();
            for (int i = 0; i < spec.sessionCount(); i++) {
                coming.add(pool.submit(this::one));
            }
            for (int i = 0; i < spec.clientCount(); i++) {
                clients.add(coming.get(i % coming.size()).get());
            }
        } finally {
            pool.shutdownNow();
        }
        return clients;
    }

    @Override
    public void close() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
        List<CuratorFramework> all;
        synchronized (made) {
            all = new ArrayList<>(made);
        }
        all.forEach(client -> pool.submit(client::close));
        pool.shutdown();
        pool.awaitTermination(PATIENCE, TimeUnit.SECONDS);
    }

    /** Returns when so many nodes are below a path. */
    static void awaitLine(CuratorFramework client, String path, int length, Crew crew) throws Exception {
        long until = System.nanoTime() + PATIENCE * 1_000_000_000L;
        while (true) {
            int standing;
            try {
                standing = client.getChildren().forPath(path).size();
            } catch (KeeperException.NoNodeException e) {
                standing = 0;
            }
            if (standing >= length) {
                return;
            }
            crew.check();
            if (System.nanoTime() > until) {
                throw new IllegalStateException(standing + " stand in line at " + path + " after " + PATIENCE + " s, not " + length);
            }
            Thread.sleep(5);
        }
    }
}
