import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;

/** Elections, by resigning and by crashing: LeaderSelector, whose leader's function runs. */
final class Elections {
    private static final int CRASH_TIMEOUT = 2000; // ms, of all sessions where one crashes: as in package work

    private Elections() {
    }

    private static LeaderSelector selector(CuratorFramework client, String path, Meter.Operation lead) {
        return new LeaderSelector(client, path, new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework c) throws Exception {
                lead.run();
            }
        });
    }

    static void resign(Meter meter, Sessions sessions) throws Exception {
        meter.bounded();
        List<CuratorFramework> clients = sessions.many();
        Crew crew = new Crew();
        AtomicBoolean leading = new AtomicBoolean();
        long[] resigned = new long[1]; // written and read by leaders only
        Meter.Operation lead = () -> {
            long now = System.nanoTime();
            if (!leading.compareAndSet(false, true)) {
                crew.fail(new IllegalStateException("two lead"));
            }
            try {
                if (resigned[0] == 0) {
                    Sessions.awaitLine(clients.get(0), meter.spec.path, clients.size(), crew);
                    meter.begin();
                } else if (!meter.over()) {
                    meter.note(now - resigned[0]);
                    if (meter.full()) {
                        meter.end();
                    }
                }
            } catch (Exception e) {
                crew.fail(e);
                throw e;
            } finally {
                resigned[0] = System.nanoTime();
                leading.set(false);
            }
        };
        List<LeaderSelector> selectors = new ArrayList<>();
        try {
            for (CuratorFramework client : clients) {
                LeaderSelector selector = selector(client, meter.spec.path, lead);
                selector.autoRequeue();
                selectors.add(selector);
                selector.start();
            }
            crew.await(meter);
        } finally {
            selectors.forEach(LeaderSelector::close);
        }
    }

    static void crash(Meter meter, Sessions sessions) throws Exception {
        meter.spec.timeout = CRASH_TIMEOUT;
        CuratorFramework client = sessions.one();
        int rounds = Math.max(1, meter.spec.ops);
        for (int i = 0; i < rounds && !meter.late(); i++) {
            Process candidate = new ProcessBuilder(
                new File(System.getProperty("java.home"), "bin/java").getPath(), "-cp", System.getProperty("java.class.path"),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "Worker", "--servers", sessions.servers, "--candidate", meter.spec.path)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try {
                String line = new BufferedReader(new InputStreamReader(candidate.getInputStream())).readLine();
                if (!"leading".equals(line)) {
                    throw new IllegalStateException("the candidate that is to crash says " + line + ", not leading");
                }
                CountDownLatch led = new CountDownLatch(1);
                long[] acting = new long[1];
                try (LeaderSelector selector = selector(client, meter.spec.path, () -> {
                    acting[0] = System.nanoTime();
                    led.countDown();
                })) {
                    selector.start();
                    Crew nobody = new Crew();
                    Sessions.awaitLine(client, meter.spec.path, 2, nobody);
                    if (i == 0) {
                        meter.begin();
                    }
                    long killed = System.nanoTime();
                    candidate.destroyForcibly();
                    nobody.await(led);
                    meter.note(acting[0] - killed);
                }
            } finally {
                candidate.destroyForcibly().waitFor();
            }
        }
        meter.end();
    }

    /** Is what will be killed. */
    static void candidate(String servers, String path) throws Exception {
        Spec spec = new Spec();
        spec.timeout = CRASH_TIMEOUT;
        CountDownLatch never = new CountDownLatch(1);
        selector(new Sessions(servers, spec).one(), path, () -> {
            System.out.println("leading");
            never.await();
        }).start();
        never.await();
    }
}
