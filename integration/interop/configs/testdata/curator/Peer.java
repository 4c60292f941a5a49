import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.shared.SharedValue;
import org.apache.curator.framework.recipes.shared.SharedValueListener;
import org.apache.curator.framework.recipes.shared.SharedValueReader;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.zookeeper.KeeperException;

/** A client of Curator; the package's doc.go says what it is told and says. The argument is the server's address. */
class Peer {
    static CuratorFramework zk;
    static final List<Object> kept = new ArrayList<>();

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static String code(byte[] data) {
        if (data == null || data.length == 0) return "-";
        StringBuilder s = new StringBuilder();
        for (byte b : data) s.append(String.format("%02x", b));
        return s.toString();
    }

    static byte[] decode(String s) {
        if (s.equals("-")) return new byte[0];
        byte[] out = new byte[s.length() / 2];
        for (int i = 0; i < out.length; i++) out[i] = (byte) Integer.parseInt(s.substring(2 * i, 2 * i + 2), 16);
        return out;
    }

    static void watch(String kind, String path) throws Exception {
        if (kind.equals("data")) {
            NodeCache cache = new NodeCache(zk, path);
            cache.getListenable().addListener(() -> {
                ChildData now = cache.getCurrentData();
                say("data data " + path + " " + (now == null ? "gone" : code(now.getData())));
            });
            cache.start();
            kept.add(cache);
        } else if (kind.equals("tree")) {
            TreeCache cache = new TreeCache(zk, path);
            cache.getListenable().addListener((c, e) -> {
                switch (e.getType()) {
                    case NODE_ADDED:
                    case NODE_UPDATED:
                        say("data tree " + e.getData().getPath() + " " + code(e.getData().getData()));
                        break;
                    case NODE_REMOVED:
                        say("data tree " + e.getData().getPath() + " gone");
                        break;
                    default:
                }
            });
            cache.start();
            kept.add(cache);
        } else {
            SharedValue value = new SharedValue(zk, path, new byte[0]);
            value.getListenable().addListener(new SharedValueListener() {
                @Override
                public void valueHasChanged(SharedValueReader v, byte[] now) { say("data shared " + path + " " + code(now)); }

                @Override
                public void stateChanged(CuratorFramework c, ConnectionState s) { }
            });
            value.start();
            kept.add(value);
            say("data shared " + path + " " + code(value.getValue()));
        }
    }

    static void obey(String[] w) throws Exception {
        switch (w[0]) {
            case "watch":
                watch(w[1], w[2]);
                return;
            case "set":
                try {
                    zk.setData().forPath(w[1], decode(w[2]));
                } catch (KeeperException.NoNodeException e) {
                    zk.create().creatingParentsIfNeeded().forPath(w[1], decode(w[2]));
                }
                break;
            case "shared":
                try (SharedValue value = new SharedValue(zk, w[1], new byte[0])) {
                    value.start();
                    value.setValue(decode(w[2]));
                }
                break;
            case "delete":
                zk.delete().forPath(w[1]);
                break;
            case "add":
                try (SharedCount count = new SharedCount(zk, w[1], 0)) {
                    count.start();
                    for (int i = 0; i < Integer.parseInt(w[2]); i++) {
                        for (;;) {
                            org.apache.curator.framework.recipes.shared.VersionedValue<Integer> v = count.getVersionedValue();
                            if (count.trySetCount(v, v.getValue() + 1)) break;
                        }
                    }
                }
                break;
            default:
                throw new Exception("unknown order");
        }
        say("done");
    }

    public static void main(String[] args) throws Exception {
        zk = CuratorFrameworkFactory.builder().connectString(args[0]).sessionTimeoutMs(40000)
            .connectionTimeoutMs(30000).retryPolicy(new ExponentialBackoffRetry(50, 10)).build();
        zk.start();
        if (!zk.blockUntilConnected(60, TimeUnit.SECONDS)) throw new Exception("not connected");
        say("opened");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ");
            try {
                obey(words);
            } catch (Throwable e) {
                e.printStackTrace();
                say("failed " + words[0] + " " + e.toString().replace('\n', ' '));
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
