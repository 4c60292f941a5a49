import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.retry.RetryForever;
import org.apache.zookeeper.ZooKeeper;

/** Holds locks with Curator; the package's doc.go says what it is told and what it says. */
class Peer {
    static final int LIMIT = 3; // of semaphores
    static String ledger;
    static CuratorFramework curator;
    static ZooKeeper plain;
    static volatile boolean stopping;
    static final List<String> keep = new ArrayList<>(); // the mode of which the next holding is to be kept

    interface Release { void run() throws Exception; }

    interface Body { void run() throws Exception; }

    static synchronized void say(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) line.append(line.length() == 0 ? "" : " ").append(word);
        System.out.println(line);
        System.out.flush();
    }

    static int stamp() throws Exception { return plain.setData(ledger, new byte[0], -1).getVersion(); }

    /** Takes what a recipe gives in a turn. */
    interface Recipe {
        Release take(int turn) throws Exception;

        default String mode(int turn) { return "write"; }
    }

    static Recipe recipe(String name, String path) {
        switch (name) {
            case "mutex": {
                InterProcessMutex lock = new InterProcessMutex(curator, path);
                return turn -> { lock.acquire(); return lock::release; };
            }
            case "rw": {
                InterProcessReadWriteLock lock = new InterProcessReadWriteLock(curator, path);
                return new Recipe() {
                    @Override public Release take(int turn) throws Exception {
                        InterProcessLock side = mode(turn).equals("write") ? lock.writeLock() : lock.readLock();
                        side.acquire();
                        return side::release;
                    }

                    @Override public String mode(int turn) { return turn % 3 == 0 ? "write" : "read"; }
                };
            }
            case "semaphore": {
                InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(curator, path, LIMIT);
                return new Recipe() {
                    @Override public Release take(int turn) throws Exception {
                        Lease lease = semaphore.acquire();
                        return () -> semaphore.returnLease(lease);
                    }

                    @Override public String mode(int turn) { return "permit"; }
                };
            }
            case "latch":
                return turn -> {
                    LeaderLatch latch = new LeaderLatch(curator, path, "curator");
                    latch.start();
                    latch.await();
                    return latch::close;
                };
            default:
                throw new IllegalArgumentException(name);
        }
    }

    static boolean kept(String mode) {
        synchronized (keep) { return keep.remove(mode); }
    }

    static void contend(int number, String name, String path) throws Exception {
        Recipe recipe = recipe(name, path);
        for (int turn = number; !stopping; turn++) {
            Release release = recipe.take(turn);
            String holding = number + "." + turn, mode = recipe.mode(turn);
            say("enter", number, holding, mode, stamp());
            if (kept(mode)) {
                say("keeps", holding);
                new CountDownLatch(1).await();
            }
            say("leave", holding, stamp());
            release.run();
        }
    }

    /** Takes something and keeps it. */
    static void take(String name, String path) throws Exception {
        boolean read = name.equals("read");
        recipe(read ? "rw" : name, path).take(read ? 1 : 0);
        say("took", path);
        new CountDownLatch(1).await();
    }

    static Thread thread(Body body) {
        Thread t = new Thread(() -> {
            try {
                body.run();
            } catch (Throwable e) {
                e.printStackTrace();
                say("failed", e.toString().replace('\n', ' '));
            }
        });
        t.setDaemon(true);
        t.start();
        return t;
    }

    public static void main(String[] args) throws Exception {
        String address = args[0];
        int timeout = Integer.parseInt(args[1]);
        ledger = args[2];
        curator = CuratorFrameworkFactory.newClient(address, timeout, 30000, new RetryForever(100));
        curator.start();
        if (!curator.blockUntilConnected(60, TimeUnit.SECONDS)) throw new IllegalStateException("not connected");
        CountDownLatch connected = new CountDownLatch(1);
        plain = new ZooKeeper(address, timeout, event -> connected.countDown());
        connected.await();
        List<Thread> threads = new ArrayList<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "contend":
                    for (int i = 0; i < Integer.parseInt(words[3]); i++) {
                        int number = i;
                        threads.add(thread(() -> contend(number, words[1], words[2])));
                    }
                    break;
                case "keep":
                    synchronized (keep) { keep.add(words[1]); }
                    break;
                case "take":
                    thread(() -> take(words[1], words[2]));
                    break;
                case "stop":
                    stopping = true;
                    for (Thread t : threads) t.join();
                    curator.close();
                    plain.close();
                    say("end");
                    Runtime.getRuntime().halt(0);
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
