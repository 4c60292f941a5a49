import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.apache.curator.x.discovery.ServiceCache;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;

/**
 * Curator's service discovery; the package's doc.go says what it is told and answers. Its arguments are the server's address, the
 * session's timeout in milliseconds and the base path. It ends with its standard input.
 */
class Peer {
    static final JsonInstanceSerializer<String> json = new JsonInstanceSerializer<>(String.class, false);
    static final Map<String, ServiceCache<String>> caches = new HashMap<>();

    public static void main(String[] args) throws Exception {
        CuratorFramework zk = CuratorFrameworkFactory.builder().connectString(args[0]).sessionTimeoutMs(Integer.parseInt(args[1]))
            .connectionTimeoutMs(30000).retryPolicy(new ExponentialBackoffRetry(50, 10)).build();
        zk.start();
        if (!zk.blockUntilConnected(60, TimeUnit.SECONDS)) throw new Exception("not connected");
        try (ServiceDiscovery<String> d = ServiceDiscoveryBuilder.builder(String.class).client(zk).basePath(args[2])
                .serializer(new JsonInstanceSerializer<>(String.class)).build()) {
            d.start();
            System.out.println("ready");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            for (String line; (line = in.readLine()) != null;) {
                try {
                    System.out.println(obey(d, line.split(" ")));
                } catch (Throwable e) {
                    e.printStackTrace();
                    System.out.println("failed " + e.toString().replace('\n', ' '));
                }
            }
        }
        zk.close();
    }

    static String obey(ServiceDiscovery<String> d, String[] words) throws Exception {
        switch (words[0]) {
            case "rewrite":
                return rewrite(Class.forName(words[1]), words[2].equals("false"), words[3]);
            case "register":
                d.registerService(read(words[1]));
                return "done";
            case "unregister":
                d.unregisterService(read(words[1]));
                return "done";
            case "query":
                return write(d.queryForInstances(words[1]));
            case "cached":
                ServiceCache<String> c = caches.get(words[1]);
                if (c == null) {
                    c = d.serviceCacheBuilder().name(words[1]).build();
                    c.start();
                    caches.put(words[1], c);
                }
                return write(c.getInstances());
            default:
                throw new Exception("unknown order");
        }
    }

    static <T> String rewrite(Class<T> payload, boolean compatible, String text) throws Exception {
        JsonInstanceSerializer<T> s = new JsonInstanceSerializer<>(payload, compatible);
        return Base64.getEncoder().encodeToString(s.serialize(s.deserialize(Base64.getDecoder().decode(text))));
    }

    static ServiceInstance<String> read(String text) throws Exception { return json.deserialize(Base64.getDecoder().decode(text)); }

    static String write(Collection<ServiceInstance<String>> all) throws Exception {
        StringBuilder out = new StringBuilder();
        for (ServiceInstance<String> i : all) out.append(Base64.getEncoder().encodeToString(json.serialize(i))).append(' ');
        return out.toString().trim();
    }
}
