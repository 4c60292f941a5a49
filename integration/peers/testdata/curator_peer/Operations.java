import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.data.Stat;

/** Checks of the client itself. */
class Operations extends Checks {
    static void run() {
        check("create", (b, path) -> {
            CuratorFramework c = b.client();
            same(path, c.create().forPath(path, "x".getBytes()));
            raises(KeeperException.NodeExistsException.class, () -> c.create().forPath(path));
            raises(KeeperException.NoNodeException.class, () -> c.create().forPath(path + "/a/b"));
            Stat stat = new Stat();
            c.create().storingStatIn(stat).creatingParentsIfNeeded().forPath(path + "/a/b", "12".getBytes());
            same(2, stat.getDataLength());
            same(path + "/s0000000001", c.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(path + "/s"));
            same(path + "/e", c.create().withMode(CreateMode.EPHEMERAL).forPath(path + "/e"));
            c.create().withTtl(600000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(path + "/ttl");
            same(path, c.create().orSetData().forPath(path, "y".getBytes()));
            same("y", text(c.getData().forPath(path)));
            c.delete().deletingChildrenIfNeeded().forPath(path);
            same(null, c.checkExists().forPath(path));
        });
        check("protection", (b, path) -> {
            CuratorFramework c = b.client();
            String made = c.create().creatingParentsIfNeeded().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path + "/n-");
            same(true, made.matches(path + "/_c_[-0-9a-f]{36}-n-0000000000"));
            c.delete().guaranteed().forPath(made);
        });
        check("containers", (b, path) -> {
            CuratorFramework c = b.client();
            c.create().creatingParentContainersIfNeeded().forPath(path + "/a");
            c.delete().forPath(path + "/a");
            gone(c, path);
        });
        check("versions", (b, path) -> {
            CuratorFramework c = b.client();
            c.create().forPath(path);
            same(1, c.setData().withVersion(0).forPath(path, "b".getBytes()).getVersion());
            raises(KeeperException.BadVersionException.class, () -> c.setData().withVersion(0).forPath(path));
            raises(KeeperException.BadVersionException.class, () -> c.delete().withVersion(0).forPath(path));
            c.sync().forPath(path);
            c.delete().withVersion(1).forPath(path);
        });
        check("background", (b, path) -> {
            CuratorFramework c = b.client();
            BlockingQueue<String> done = new LinkedBlockingQueue<>();
            for (int i = 0; i < 100; i++) c.create().creatingParentsIfNeeded().inBackground((x, e) -> done.add(e.getPath())).forPath(path + "/" + i);
            for (int i = 0; i < 100; i++) next(done);
            same(100, c.getChildren().forPath(path).size());
        });
        check("transaction", (b, path) -> {
            CuratorFramework c = b.client();
            List<CuratorTransactionResult> done = c.transaction().forOperations(
                c.transactionOp().create().forPath(path, "0".getBytes()),
                c.transactionOp().create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path + "/e"),
                c.transactionOp().setData().withVersion(0).forPath(path, "1".getBytes()),
                c.transactionOp().check().withVersion(1).forPath(path));
            same(path + "/e0000000000", done.get(1).getResultPath());
            same(1, done.get(2).getResultStat().getVersion());
            raises(KeeperException.BadVersionException.class, () -> c.transaction().forOperations(
                c.transactionOp().create().forPath(path + "/never"),
                c.transactionOp().check().withVersion(7).forPath(path)));
            same(1, c.getChildren().forPath(path).size());
        });
        check("watches", (b, path) -> {
            CuratorFramework c = b.client(), other = b.client();
            BlockingQueue<String> once = new LinkedBlockingQueue<>(), lasting = new LinkedBlockingQueue<>(), deep = new LinkedBlockingQueue<>();
            Watcher persistent = e -> lasting.add(e.getType() + " " + e.getPath());
            c.checkExists().usingWatcher((Watcher) e -> once.add(e.getType() + " " + e.getPath())).forPath(path);
            c.watchers().add().withMode(AddWatchMode.PERSISTENT).usingWatcher(persistent).forPath(path);
            other.create().forPath(path);
            same(EventType.NodeCreated + " " + path, next(once));
            same(EventType.NodeCreated + " " + path, next(lasting));
            c.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher((Watcher) e -> deep.add(e.getType() + " " + e.getPath())).forPath(path + "/a");
            other.create().creatingParentsIfNeeded().forPath(path + "/a/b");
            same(EventType.NodeChildrenChanged + " " + path, next(lasting));
            same(EventType.NodeCreated + " " + path + "/a", next(deep));
            same(EventType.NodeCreated + " " + path + "/a/b", next(deep));
            c.watches().remove(persistent).forPath(path);
            other.setData().forPath(path);
            other.setData().forPath(path + "/a/b");
            same(EventType.NodeDataChanged + " " + path + "/a/b", next(deep));
            lasting.remove(EventType.DataWatchRemoved + " " + path);
            lasting.remove(EventType.PersistentWatchRemoved + " " + path);
            same("[]", lasting.toString());
        });
        check("access", (b, path) -> {
            CuratorFramework alice = b.client(x -> x.authorization("digest", "alice:secret".getBytes())), bob = b.client();
            alice.create().withACL(Ids.CREATOR_ALL_ACL).forPath(path, "x".getBytes());
            raises(KeeperException.NoAuthException.class, () -> bob.getData().forPath(path));
            same("digest", alice.getACL().forPath(path).get(0).getId().getScheme());
            alice.setACL().withVersion(0).withACL(Ids.READ_ACL_UNSAFE).forPath(path);
            same("x", text(bob.getData().forPath(path)));
            raises(KeeperException.NoAuthException.class, () -> bob.setData().forPath(path));
        });
        check("namespace", (b, path) -> {
            CuratorFramework c = b.client(x -> x.namespace(b.path.substring(1)));
            c.create().forPath("/n");
            same("[n]", b.client().getChildren().forPath(path).toString());
        });
        check("reconnect", (b, path) -> {
            CuratorFramework c = b.client(), other = b.client();
            BlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>();
            BlockingQueue<EventType> once = new LinkedBlockingQueue<>();
            BlockingQueue<String> deep = new LinkedBlockingQueue<>();
            c.create().withMode(CreateMode.EPHEMERAL).forPath(path);
            c.getData().usingWatcher((Watcher) e -> { if (e.getType() != EventType.None) once.add(e.getType()); }).forPath(path);
            c.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher((Watcher) e -> { if (e.getPath() != null) deep.add(e.getPath()); }).forPath(path);
            long session = c.getZookeeperClient().getZooKeeper().getSessionId();
            c.getConnectionStateListenable().addListener((x, s) -> states.add(s));
            ask("drop");
            until(states, ConnectionState.SUSPENDED);
            until(states, ConnectionState.RECONNECTED);
            same(session, c.getZookeeperClient().getZooKeeper().getSessionId());
            c.checkExists().forPath(path); // its answer follows that of setWatches, which restores the persistent watch without catching up
            other.setData().forPath(path);
            same(EventType.NodeDataChanged, next(once));
            same(path, next(deep));
        });
        check("expiry", (b, path) -> {
            CuratorFramework other = b.client(), c = b.client(x -> x.sessionTimeoutMs(2000).connectionTimeoutMs(1000));
            BlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>();
            PersistentNode node = new PersistentNode(c, CreateMode.EPHEMERAL, false, path, "x".getBytes());
            node.start();
            same(true, node.waitForInitialCreate(PATIENCE, TimeUnit.SECONDS));
            long session = c.getZookeeperClient().getZooKeeper().getSessionId();
            c.getConnectionStateListenable().addListener((x, s) -> states.add(s));
            ask("expire " + session + " " + path);
            until(states, ConnectionState.LOST);
            until(states, ConnectionState.RECONNECTED);
            BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
            for (Stat s; (s = other.checkExists().usingWatcher((Watcher) events::add).forPath(path)) == null || s.getEphemeralOwner() == session;) next(events);
            node.close();
        });
    }
}
