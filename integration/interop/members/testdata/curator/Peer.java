import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Members of groups that are Curator's; the package's doc.go says what they are told and say. The
 * argument is the server's address. The program ends with its standard input.
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
        GroupMember group;

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
                case "join":
                    group = new GroupMember(zk, words[2], words[3], words[4].getBytes(StandardCharsets.UTF_8));
                    group.start();
                    say("joined");
                    break;
                case "list":
                    StringBuilder all = new StringBuilder("listed");
                    if (group != null) {
                        for (Map.Entry<String, byte[]> m : group.getCurrentMembers().entrySet()) {
                            all.append(' ').append(m.getKey()).append('=').append(new String(m.getValue(), StandardCharsets.UTF_8));
                        }
                    }
                    say(all.toString());
                    break;
                case "leave":
                    group.close();
                    group = null;
                    say("left");
                    break;
                default:
                    throw new Exception("unknown order");
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
