import java.util.Iterator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.MultiItem;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.state.ConnectionState;

/**
 * DistributedQueue. Puts are acknowledged one by one; a batch is a MultiItem, which is one node. Consumers lease
 * what they take, as a lock path has them do.
 */
final class Queues {
    private Queues() {
    }

    private static final QueueSerializer<byte[]> BYTES = new QueueSerializer<byte[]>() {
        @Override
        public byte[] serialize(byte[] item) {
            return item;
        }

        @Override
        public byte[] deserialize(byte[] bytes) {
            return bytes;
        }
    };

    private static QueueBuilder<byte[]> queue(CuratorFramework client, Meter meter, QueueConsumer<byte[]> consumer) {
        return QueueBuilder.builder(client, consumer, BYTES, meter.spec.path + "/items");
    }

    private static MultiItem<byte[]> batch(Meter meter) {
        Iterator<byte[]> items = Stream.generate(meter.spec::data).limit(batchSize(meter)).iterator();
        return () -> items.hasNext() ? items.next() : null;
    }

    private static int batchSize(Meter meter) {
        return Math.max(1, meter.spec.inflight);
    }

    static void putOne(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        try (DistributedQueue<byte[]> queue = queue(sessions.one(), meter, null).putInBackground(false).buildQueue()) {
            queue.start();
            byte[] item = meter.spec.data();
            meter.each(() -> queue.put(item));
        }
    }

    static void putBatch(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        CuratorFramework client = sessions.one();
        int size = batchSize(meter), batches = 0;
        try (DistributedQueue<byte[]> queue = queue(client, meter, null).putInBackground(false).buildQueue()) {
            queue.start();
            meter.begin();
            while (!meter.late() && (meter.spec.ops == 0 || batches * size < meter.spec.ops)) {
                long start = System.nanoTime();
                queue.putMulti(batch(meter));
                meter.note(System.nanoTime() - start);
                batches++;
            }
            meter.end();
        }
        meter.sample().ops = batches * size;
        int nodes = client.getChildren().forPath(meter.spec.path + "/items").size();
        if (nodes != batches) {
            throw new IllegalStateException(nodes + " nodes are in the queue after " + batches + " batches");
        }
    }

    static void takeOne(Meter meter, Sessions sessions) throws Exception {
        take(meter, sessions, false);
    }

    static void takeBatch(Meter meter, Sessions sessions) throws Exception {
        take(meter, sessions, true);
    }

    private static void take(Meter meter, Sessions sessions, boolean batches) throws Exception {
        if (meter.spec.ops == 0) {
            throw new IllegalArgumentException(meter.spec.work + " without ops: the queue is filled with as many before");
        }
        CuratorFramework client = sessions.one();
        int size = batches ? batchSize(meter) : 1, wanted = (meter.spec.ops + size - 1) / size;
        try (DistributedQueue<byte[]> filling = queue(client, meter, null).buildQueue()) {
            filling.start();
            // One more than is counted: when it comes, those before it are acknowledged.
            for (int i = 0; i < wanted + 1; i++) {
                if (batches) {
                    filling.putMulti(batch(meter));
                } else {
                    filling.put(meter.spec.data());
                }
            }
            if (!filling.flushPuts(Sessions.PATIENCE, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the queue is not full within " + Sessions.PATIENCE + " s");
            }
        }
        Crew crew = new Crew();
        CountDownLatch over = new CountDownLatch(1);
        long[] began = new long[1];
        QueueConsumer<byte[]> consumer = new QueueConsumer<byte[]>() {
            int seen;
            long last;

            @Override
            public void consumeMessage(byte[] item) throws Exception {
                if (item.length != meter.spec.size) {
                    crew.fail(new IllegalStateException("an item of " + item.length + " bytes, not " + meter.spec.size));
                }
                long now = System.nanoTime();
                if (seen % size == 0 && seen > 0 && !meter.over()) {
                    meter.note(now - last);
                    if (seen == wanted * size || meter.late()) {
                        meter.end();
                        meter.sample().ops = seen;
                        over.countDown();
                    }
                }
                if (seen % size == 0) {
                    last = seen == 0 ? began[0] : now;
                }
                seen++;
            }

            @Override
            public void stateChanged(CuratorFramework c, ConnectionState state) {
                if (state == ConnectionState.SUSPENDED || state == ConnectionState.LOST) {
                    crew.fail(new IllegalStateException("the connection is " + state));
                }
            }
        };
        try (DistributedQueue<byte[]> queue = queue(client, meter, consumer).lockPath(meter.spec.path + "/leases").buildQueue()) {
            meter.begin();
            began[0] = System.nanoTime();
            queue.start();
            crew.await(over);
        }
    }
}
