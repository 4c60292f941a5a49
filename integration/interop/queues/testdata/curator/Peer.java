import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedIdQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.MultiItem;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Queues that are Curator's; the package's doc.go says what they are told and say. The arguments are
 * the server's address and the session timeout in milliseconds. The program ends with its standard input.
 */
class Peer {
    static CuratorFramework zk;
    static final List<String> consumed = new ArrayList<>();
    static final Set<String> refused = new HashSet<>();
    static final List<AutoCloseable> consumers = new ArrayList<>();

    static final QueueSerializer<String> text = new QueueSerializer<String>() {
        @Override
        public byte[] serialize(String item) { return item.getBytes(StandardCharsets.UTF_8); }

        @Override
        public String deserialize(byte[] bytes) { return new String(bytes, StandardCharsets.UTF_8); }
    };

    static class Consumer implements QueueConsumer<String> {
        @Override
        public void consumeMessage(String value) throws Exception {
            synchronized (consumed) {
                if (refused.remove(value)) throw new Exception("refused");
                consumed.add(value);
                consumed.notifyAll();
            }
        }

        @Override
        public void stateChanged(CuratorFramework client, ConnectionState state) { }
    }

    static QueueBuilder<String> builder(QueueConsumer<String> consumer, String path, String lock) {
        QueueBuilder<String> b = QueueBuilder.builder(zk, consumer, text, path).putInBackground(false);
        return lock.equals("-") ? b : b.lockPath(lock);
    }

    static void put(String kind, String path, String lock, String arg, List<String> values) throws Exception {
        Iterator<String> each = values.iterator();
        MultiItem<String> all = () -> each.hasNext() ? each.next() : null;
        boolean several = values.size() > 1;
        String one = values.get(0);
        QueueBuilder<String> b = builder(null, path, lock);
        switch (kind) {
        case "plain":
            try (DistributedQueue<String> q = b.buildQueue()) {
                q.start();
                if (several) q.putMulti(all);
                else q.put(one);
            }
            break;
        case "priority":
            try (DistributedPriorityQueue<String> q = b.buildPriorityQueue(0)) {
                q.start();
                q.put(one, Integer.parseInt(arg));
            }
            break;
        case "delay":
            try (DistributedDelayQueue<String> q = b.buildDelayQueue()) {
                q.start();
                q.put(one, Long.parseLong(arg));
            }
            break;
        default:
            try (DistributedIdQueue<String> q = b.buildIdQueue()) {
                q.start();
                q.put(one, arg);
            }
        }
    }

    static void consume(String kind, String path, String lock) throws Exception {
        QueueBuilder<String> b = builder(new Consumer(), path, lock);
        switch (kind) {
        case "plain":
            DistributedQueue<String> plain = b.buildQueue();
            plain.start();
            consumers.add(plain);
            break;
        case "priority":
            DistributedPriorityQueue<String> ranked = b.buildPriorityQueue(0);
            ranked.start();
            consumers.add(ranked);
            break;
        case "delay":
            DistributedDelayQueue<String> delayed = b.buildDelayQueue();
            delayed.start();
            consumers.add(delayed);
            break;
        default:
            DistributedIdQueue<String> named = b.buildIdQueue();
            named.start();
            consumers.add(named);
        }
    }

    static String obey(String[] words) throws Exception {
        List<String> w = Arrays.asList(words);
        switch (words[0]) {
        case "offer":
            new SimpleDistributedQueue(zk, words[1]).offer(words[2].getBytes(StandardCharsets.UTF_8));
            return "";
        case "poll":
            byte[] got = new SimpleDistributedQueue(zk, words[1]).poll(Long.parseLong(words[2]), TimeUnit.MILLISECONDS);
            return got == null ? "-" : new String(got, StandardCharsets.UTF_8);
        case "put":
            put(words[1], words[2], words[3], words[4], w.subList(5, w.size()));
            return "";
        case "consume":
            consume(words[1], words[2], words[3]);
            return "";
        case "refuse":
            synchronized (consumed) { refused.add(words[1]); }
            return "";
        case "consumed":
            int n = Integer.parseInt(words[1]);
            synchronized (consumed) {
                while (consumed.size() < n) consumed.wait();
                String all = String.join(" ", consumed);
                consumed.clear();
                return all;
            }
        default:
            for (AutoCloseable c : consumers) c.close();
            consumers.clear();
            synchronized (consumed) { consumed.clear(); }
            return "";
        }
    }

    public static void main(String[] args) throws Exception {
        zk = CuratorFrameworkFactory.builder().connectString(args[0]).sessionTimeoutMs(Integer.parseInt(args[1]))
            .connectionTimeoutMs(60000).retryPolicy(new ExponentialBackoffRetry(100, 5)).build();
        zk.start();
        zk.blockUntilConnected();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String answer;
            try {
                answer = "ok " + obey(line.trim().split(" +"));
            } catch (Throwable e) {
                e.printStackTrace();
                answer = "failed " + e.toString().replace('\n', ' ');
            }
            System.out.println(answer);
            System.out.flush();
        }
        System.exit(0);
    }
}
