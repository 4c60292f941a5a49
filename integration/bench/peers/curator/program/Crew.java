import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The threads of one work, and the first error of any of them. Started and joined by one thread. */
final class Crew {
    private final List<Thread> threads = new ArrayList<>();
    private volatile Exception failure;

    void start(Meter.Operation operation) {
        Thread thread = new Thread(() -> {
            try {
                operation.run();
            } catch (Exception e) {
                fail(e);
            }
        });
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    synchronized void fail(Exception e) {
        if (failure == null) {
            failure = e;
        }
    }

    void check() throws Exception {
        Exception e = failure;
        if (e != null) {
            throw e;
        }
    }

    /** Waits for a latch, or for an error, which it throws. */
    void await(CountDownLatch latch) throws Exception {
        while (!latch.await(50, TimeUnit.MILLISECONDS)) {
            check();
        }
        check();
    }

    /** Waits until the measured part has ended, or for an error, which it throws. */
    void await(Meter meter) throws Exception {
        synchronized (meter) {
            while (!meter.ended()) {
                check();
                meter.wait(50);
            }
        }
        check();
    }

    void interrupt() {
        threads.forEach(Thread::interrupt);
    }

    void join() throws Exception {
        for (Thread thread : threads) {
            thread.join(Sessions.PATIENCE * 1000L);
            if (thread.isAlive()) {
                throw new IllegalStateException("a thread of the work has not ended within " + Sessions.PATIENCE + " s");
            }
        }
        check();
    }
}
