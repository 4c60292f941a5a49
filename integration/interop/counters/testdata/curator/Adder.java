import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicInteger;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.VersionedValue;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.retry.RetryNTimes;

/** An adder of Curator's; the package's doc.go says what its arguments are and what it says. */
class Adder {
    interface Once { boolean add() throws Exception; }

    public static void main(String[] args) throws Exception {
        try {
            CuratorFramework zk = CuratorFrameworkFactory.builder().connectString(args[0]).sessionTimeoutMs(40000)
                .connectionTimeoutMs(30000).retryPolicy(new ExponentialBackoffRetry(50, 10)).build();
            zk.start();
            if (!zk.blockUntilConnected(60, TimeUnit.SECONDS)) throw new Exception("not connected");
            Once once = once(zk, args[1], args[2]);
            int times = Integer.parseInt(args[3]);
            for (int done = 0; done < times || times == 0; done++) {
                while (!once.add()) Thread.sleep(1);
                System.out.println("did");
            }
            zk.close();
        } catch (Throwable e) {
            e.printStackTrace();
            System.out.println("failed " + e.toString().replace('\n', ' '));
            System.exit(1);
        }
    }

    static Once once(CuratorFramework zk, String kind, String path) throws Exception {
        switch (kind) {
            case "long":
                DistributedAtomicLong l = new DistributedAtomicLong(zk, path, new RetryNTimes(3, 5));
                return () -> l.increment().succeeded();
            case "promoted":
                DistributedAtomicLong p = new DistributedAtomicLong(zk, path, new RetryNTimes(1, 1),
                    PromotedToLock.builder().lockPath("/locks" + path).timeout(60, TimeUnit.SECONDS).retryPolicy(new RetryNTimes(50, 5)).build());
                return () -> p.increment().succeeded();
            case "int":
                DistributedAtomicInteger i = new DistributedAtomicInteger(zk, path, new RetryNTimes(3, 5));
                return () -> i.increment().succeeded();
            case "shared":
                SharedCount s = new SharedCount(zk, path, 0);
                s.start();
                return () -> {
                    VersionedValue<Integer> now = s.getVersionedValue();
                    return s.trySetCount(now, now.getValue() + 1);
                };
            default:
                throw new Exception("unknown kind " + kind);
        }
    }
}
