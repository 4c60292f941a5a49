import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/**
 * What users of Curator do, tried on the ZooKeeper whose address is the argument. The package's
 * doc.go says what is written to the standard output.
 */
class Checks {
    static final int PATIENCE = 30; // seconds, for what comes at once
    static final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    static String address;

    /** Bench is what a check is given: a path of its own, and clients that are closed after it. */
    static class Bench implements AutoCloseable {
        final String path;
        private final List<CuratorFramework> made = Collections.synchronizedList(new ArrayList<>());

        Bench(String name) { path = "/curator-" + name; }

        CuratorFramework client() throws Exception { return client(b -> b); }

        CuratorFramework client(UnaryOperator<CuratorFrameworkFactory.Builder> with) throws Exception {
            CuratorFramework c = with.apply(CuratorFrameworkFactory.builder().connectString(address)
                .sessionTimeoutMs(10000).connectionTimeoutMs(5000).retryPolicy(new ExponentialBackoffRetry(50, 6))).build();
            made.add(c);
            c.start();
            same(true, c.blockUntilConnected(PATIENCE, TimeUnit.SECONDS));
            return c;
        }

        @Override
        public void close() { made.parallelStream().forEach(CuratorFramework::close); }
    }

    interface Check { void run(Bench b, String path) throws Exception; }

    interface Call<T> { T run() throws Exception; }

    static void same(Object want, Object got) {
        if (!Objects.equals(want, got)) throw new AssertionError(got + ", not " + want);
    }

    static void raises(Class<? extends Exception> kind, Call<?> call) {
        Object got;
        try {
            got = call.run();
        } catch (Exception e) {
            got = e;
        }
        if (!kind.isInstance(got)) throw new AssertionError("no " + kind.getSimpleName() + ", but " + got);
    }

    static <T> T next(BlockingQueue<T> q) throws InterruptedException {
        T got = q.poll(PATIENCE, TimeUnit.SECONDS);
        if (got == null) throw new AssertionError("nothing in " + PATIENCE + " seconds");
        return got;
    }

    static <T> void until(BlockingQueue<T> q, T wanted) throws InterruptedException {
        while (!next(q).equals(wanted)) {}
    }

    /** Runs a call in a thread. */
    static <T> CompletableFuture<T> beside(Call<T> call) {
        CompletableFuture<T> done = new CompletableFuture<>();
        Thread t = new Thread(() -> {
            try {
                done.complete(call.run());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        t.setDaemon(true);
        t.start();
        return done;
    }

    static <T> T end(CompletableFuture<T> f) throws Exception { return f.get(PATIENCE, TimeUnit.SECONDS); }

    /** Waits until a node is there and has that many children: recipes make theirs in the background. */
    static void crowd(CuratorFramework c, String path, int n) throws Exception {
        BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
        while (c.checkExists().usingWatcher((Watcher) events::add).forPath(path) == null) next(events);
        while (c.getChildren().usingWatcher((Watcher) events::add).forPath(path).size() != n) next(events);
    }

    static void gone(CuratorFramework c, String path) throws Exception {
        BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
        while (c.checkExists().usingWatcher((Watcher) events::add).forPath(path) != null) next(events);
    }

    static String text(byte[] data) { return new String(data); }

    static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static void ask(String what) throws Exception {
        say("please " + what);
        same("done", in.readLine());
    }

    static int tried;

    static void check(String name, Check check) {
        tried++;
        try (Bench b = new Bench(name)) {
            check.run(b, b.path);
            say("ok " + name);
        } catch (Throwable e) {
            e.printStackTrace();
            say("failed " + name + ": " + e.toString().replace('\n', ' '));
        }
    }

    public static void main(String[] args) throws Exception {
        address = args[0];
        Operations.run();
        Recipes.run();
        say("end " + tried);
        System.exit(0);
    }
}
