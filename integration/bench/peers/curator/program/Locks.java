import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.zookeeper.CreateMode;

/** Locks and semaphores, alone and in contention. */
final class Locks {
    private Locks() {
    }

    static void floor(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        CuratorFramework client = sessions.one();
        client.create().creatingParentsIfNeeded().forPath(meter.spec.path, new byte[0]);
        String name = meter.spec.path + "/n-";
        meter.each(() -> client.delete().forPath(client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(name, new byte[0])));
    }

    static void uncontended(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        InterProcessMutex mutex = new InterProcessMutex(sessions.one(), meter.spec.path);
        Meter.Operation pair = () -> {
            mutex.acquire();
            mutex.release();
        };
        pair.run(); // makes the directory
        meter.each(pair);
    }

    /** What is contended for, by one client. */
    private interface Thing {
        void acquire() throws Exception;

        void release() throws Exception;
    }

    /** Counts grants, times them, and finds out whether too many hold at once. */
    private static final class Turns {
        final Meter meter;
        final int permits, enough;
        int holding;
        long last;
        boolean began;

        Turns(Meter meter, int permits, int enough) {
            this.meter = meter;
            this.permits = permits;
            this.enough = enough;
        }

        void begin() throws Exception {
            meter.begin();
            synchronized (this) {
                last = System.nanoTime();
                began = true;
            }
        }

        synchronized void granted() throws Exception {
            if (++holding > permits) {
                throw new IllegalStateException(holding + " hold what has " + permits + " permits");
            }
            if (!began || meter.over()) {
                return;
            }
            long now = System.nanoTime();
            meter.note(now - last);
            last = now;
            if (meter.late() || enough > 0 && meter.noted() >= enough) {
                meter.end();
            }
        }

        synchronized void released() {
            holding--;
        }
    }

    /** Has things contended for until the measured part is over; in a line, the first one holds until all others stand in it. */
    private static void contend(Meter meter, Turns turns, List<Thing> things, boolean once, CuratorFramework looksAtLine) throws Exception {
        Crew crew = new Crew();
        if (looksAtLine == null) {
            turns.begin();
            things.forEach(thing -> crew.start(() -> turn(meter, turns, thing, once)));
        } else {
            // A mutex belongs to a thread: the first contender's own one waits for the line.
            Thing first = things.get(0);
            CountDownLatch held = new CountDownLatch(1), complete = new CountDownLatch(1);
            crew.start(() -> {
                first.acquire();
                turns.granted();
                held.countDown();
                complete.await();
                turns.released();
                letGo(meter, first);
                if (!once) {
                    turn(meter, turns, first, false);
                }
            });
            crew.await(held);
            things.subList(1, things.size()).forEach(thing -> crew.start(() -> turn(meter, turns, thing, once)));
            Sessions.awaitLine(looksAtLine, meter.spec.path, things.size(), crew);
            turns.begin();
            complete.countDown();
        }
        crew.await(meter);
        meter.sample().grants = meter.sample().ops;
        crew.interrupt();
        crew.join();
    }

    private static void turn(Meter meter, Turns turns, Thing thing, boolean once) throws Exception {
        while (!meter.over()) {
            try {
                thing.acquire();
            } catch (Exception e) {
                if (meter.ended()) {
                    return; // it was interrupted
                }
                throw e;
            }
            turns.granted();
            turns.released(); // as others may be granted before release returns
            letGo(meter, thing);
            if (once) {
                return;
            }
        }
    }

    private static void letGo(Meter meter, Thing thing) throws Exception {
        try {
            thing.release();
        } catch (Exception e) {
            if (!meter.ended()) { // else it was interrupted
                throw e;
            }
        }
    }

    private static List<Thing> mutexes(Meter meter, List<CuratorFramework> clients) {
        List<Thing> things = new ArrayList<>();
        for (CuratorFramework client : clients) {
            InterProcessMutex mutex = new InterProcessMutex(client, meter.spec.path);
            things.add(new Thing() {
                @Override
                public void acquire() throws Exception {
                    mutex.acquire();
                }

                @Override
                public void release() throws Exception {
                    mutex.release();
                }
            });
        }
        return things;
    }

    static void handover(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        List<CuratorFramework> clients = sessions.many();
        contend(meter, new Turns(meter, 1, meter.spec.ops), mutexes(meter, clients), false, clients.get(0));
    }

    static void drain(Meter meter, Sessions sessions) throws Exception {
        int others = meter.spec.clients - 1;
        if (others < 1) {
            throw new IllegalArgumentException("a line of " + meter.spec.clients + " clients: lock.drain wants at least 2");
        }
        List<CuratorFramework> clients = sessions.many();
        int enough = meter.spec.ops > 0 ? Math.min(meter.spec.ops, others) : others;
        contend(meter, new Turns(meter, 1, enough), mutexes(meter, clients), true, clients.get(0));
    }

    static void semaphore(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        int permits = Math.max(1, meter.spec.clients / 2);
        List<Thing> things = new ArrayList<>();
        for (CuratorFramework client : sessions.many()) {
            InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(client, meter.spec.path, permits);
            things.add(new Thing() {
                Lease lease;

                @Override
                public void acquire() throws Exception {
                    lease = semaphore.acquire();
                }

                @Override
                public void release() {
                    semaphore.returnLease(lease);
                }
            });
        }
        contend(meter, new Turns(meter, permits, meter.spec.ops), things, false, null);
    }
}
