import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;

/**
 * Members of elections and barriers that are Curator's; the package's doc.go says what they are
 * told and say. The argument is the server's address. The program ends with its standard input.
 */
class Peer {
    static String address;

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static class Member extends Thread {
        final String name;
        final BlockingQueue<String[]> orders = new LinkedBlockingQueue<>();
        CuratorFramework zk;
        DistributedDoubleBarrier barrier;
        LeaderSelector selector;

        Member(String name) {
            this.name = name;
            setDaemon(true);
            start();
        }

        void say(String what) { Peer.say(name + " " + what); }

        @Override
        public void run() {
            for (;;) {
                String[] words = null;
                try {
                    words = orders.take();
                    obey(words);
                    if (selector != null) return; // which works on threads of its own, and takes the orders
                } catch (Throwable e) {
                    e.printStackTrace();
                    say("failed " + (words == null ? "" : words[0]) + " " + e.toString().replace('\n', ' '));
                }
            }
        }

        void obey(String[] words) throws Exception {
            switch (words[0]) {
                case "open":
                    zk = CuratorFrameworkFactory.builder().connectString(address).sessionTimeoutMs(Integer.parseInt(words[1]))
                        .connectionTimeoutMs(30000).retryPolicy(new ExponentialBackoffRetry(50, 10)).build();
                    zk.start();
                    if (!zk.blockUntilConnected(60, TimeUnit.SECONDS)) throw new Exception("not connected");
                    say("opened");
                    break;
                case "stand":
                    if (words[1].equals("selector")) select(words[2], words[3]);
                    else latch(words[2], words[3]);
                    break;
                case "set":
                    new DistributedBarrier(zk, words[1]).setBarrier();
                    say("set");
                    break;
                case "remove":
                    new DistributedBarrier(zk, words[1]).removeBarrier();
                    say("removed");
                    break;
                case "wait":
                    if (!new DistributedBarrier(zk, words[1]).waitOnBarrier(120, TimeUnit.SECONDS)) throw new Exception("nobody has opened the barrier");
                    zk.create().forPath(words[2]);
                    say("through");
                    break;
                case "enter":
                    // A new object each time: one that is used again is let in by what is left of its watches.
                    barrier = new DistributedDoubleBarrier(zk, words[1], Integer.parseInt(words[2]));
                    if (!barrier.enter(120, TimeUnit.SECONDS)) throw new Exception("it has not opened");
                    zk.create().forPath(words[3]);
                    say("in");
                    break;
                case "leave":
                    if (!barrier.leave(120, TimeUnit.SECONDS)) throw new Exception("the others have not left");
                    zk.create().forPath(words[1]);
                    say("out");
                    break;
                default:
                    throw new Exception("unknown order");
            }
        }

        void latch(String path, String witness) throws Exception {
            for (;;) {
                try (LeaderLatch l = new LeaderLatch(zk, path, name)) {
                    l.start();
                    l.await();
                    lead(witness);
                }
            }
        }

        void select(String path, String witness) {
            selector = new LeaderSelector(zk, path, new LeaderSelectorListenerAdapter() {
                @Override
                public void takeLeadership(CuratorFramework client) throws Exception { lead(witness); }
            });
            selector.setId(name);
            selector.autoRequeue();
            selector.start();
        }

        void lead(String witness) throws Exception {
            try {
                zk.create().withMode(CreateMode.EPHEMERAL).forPath(witness, name.getBytes());
            } catch (KeeperException.NodeExistsException e) {
                say("clash");
            }
            say("leads");
            orders.take(); // yield
            try {
                zk.delete().forPath(witness);
            } catch (KeeperException.NoNodeException e) {
                // the session was lost
            }
        }
    }

    public static void main(String[] args) throws Exception {
        address = args[0];
        Map<String, Member> members = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            members.computeIfAbsent(words[0], Member::new).orders.add(Arrays.copyOfRange(words, 1, words.length));
        }
        Runtime.getRuntime().halt(0);
    }
}
