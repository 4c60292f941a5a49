"""Checks of the client itself."""

import threading

from bench import PATIENCE, Inbox, address, ask, check, raises, same, told
from kazoo.client import KazooState
from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    NoAuthError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.protocol.states import EventType
from kazoo.security import OPEN_ACL_UNSAFE, make_digest_acl


@check
def create(path, client):
    zk = client()
    same(path, zk.create(path, b"x"))
    raises(NodeExistsError, zk.create, path)
    raises(NoNodeError, zk.create, path + "/a/b")
    same(path + "/a/b", zk.create(path + "/a/b", makepath=True))
    same(path + "/s0000000001", zk.create(path + "/s", sequence=True))
    same(path + "/e", zk.create(path + "/e", ephemeral=True))
    same(path + "/es0000000003", zk.create(path + "/es", ephemeral=True, sequence=True))
    raises(NoChildrenForEphemeralsError, zk.create, path + "/e/child")
    where, stat = zk.create(path + "/d", b"1234", include_data=True)
    same((path + "/d", 4, 0, 0), (where, stat.dataLength, stat.version, stat.ephemeralOwner))
    same(zk.client_id[0], zk.exists(path + "/e").ephemeralOwner)
    same(["a", "d", "e", "es0000000003", "s0000000001"], sorted(zk.get_children(path)))
    zk.ensure_path(path + "/p/q")
    zk.ensure_path(path + "/p/q")
    same(b"", zk.get(path + "/p/q")[0])


@check
def chroot(path, client):
    zk = client()
    zk.ensure_path(path)
    inside = client(hosts=address + path)
    same("/n", inside.create("/n", b"x"))
    same(b"x", zk.get(path + "/n")[0])
    same(["n"], inside.get_children("/"))
    inside.ensure_path("/deep/er")
    same(["er"], zk.get_children(path + "/deep"))


@check
def versions(path, client):
    zk = client()
    zk.create(path, b"a")
    same(1, zk.set(path, b"b", version=0).version)
    raises(BadVersionError, zk.set, path, b"c", version=0)
    same(2, zk.set(path, b"c").version)
    data, stat = zk.get(path)
    same((b"c", 2, 1), (data, stat.version, stat.dataLength))
    raises(BadVersionError, zk.delete, path, version=1)
    zk.create(path + "/child")
    raises(NotEmptyError, zk.delete, path, version=2)
    children, stat = zk.get_children(path, include_data=True)
    same((["child"], 1, 1), (children, stat.numChildren, stat.cversion))
    zk.delete(path, recursive=True)
    same(None, zk.exists(path))
    raises(NoNodeError, zk.get, path)
    raises(NoNodeError, zk.get_children, path)
    raises(NoNodeError, zk.delete, path)


@check
def large_data(path, client):
    zk = client()
    zk.create(path, b"x" * 1000000)
    same(1000000, len(zk.get(path)[0]))


@check
def asynchronous(path, client):
    zk = client()
    zk.create(path)
    made = [zk.create_async("%s/%d" % (path, i)) for i in range(200)]
    same(["%s/%d" % (path, i) for i in range(200)], [m.get(timeout=PATIENCE) for m in made])
    same(200, len(zk.get_children(path)))


@check
def watches(path, client):
    zk, other, events = client(), client(), Inbox()

    def seen(kind, where):
        event = events.next()
        same((kind, where), (event.type, event.path))

    same(None, zk.exists(path, watch=events.put))
    other.create(path)
    seen(EventType.CREATED, path)
    zk.exists(path, watch=events.put)
    other.set(path, b"x")
    seen(EventType.CHANGED, path)
    zk.get(path, watch=events.put)
    other.set(path, b"y")
    seen(EventType.CHANGED, path)
    zk.get_children(path, watch=events.put)
    other.create(path + "/child")
    seen(EventType.CHILD, path)
    zk.get(path + "/child", watch=events.put)
    other.delete(path + "/child")
    seen(EventType.DELETED, path + "/child")
    other.set(path, b"z")
    zk.sync(path)
    same(True, events.empty())


@check
def sync(path, client):
    zk, other = client(), client()
    zk.create(path)
    other.set(path, b"new")
    same(path, zk.sync(path))
    same(b"new", zk.get(path)[0])


@check
def transaction(path, client):
    zk = client()
    zk.create(path, b"0")
    with_all = zk.transaction()
    with_all.create(path + "/a", b"x")
    with_all.create(path + "/s", sequence=True)
    with_all.create(path + "/e", ephemeral=True)
    with_all.set_data(path, b"1", version=0)
    with_all.check(path, 1)
    with_all.delete(path + "/a", version=0)
    results = with_all.commit()
    same([path + "/a", path + "/s0000000001", path + "/e"], results[:3])
    same((1, True, True), (results[3].version, results[4], results[5]))
    failing = zk.transaction()
    failing.create(path + "/b")
    failing.check(path, 7)
    failing.delete(path + "/e")
    same([RolledBackError, BadVersionError, RuntimeInconsistency], [type(r) for r in failing.commit()])
    same(None, zk.exists(path + "/b"))
    same(["e", "s0000000001"], sorted(zk.get_children(path)))


@check
def ephemerals(path, client):
    zk, gone = client(), threading.Event()
    owner = client()
    zk.create(path)
    owner.create(path + "/e", ephemeral=True)
    zk.exists(path + "/e", watch=lambda event: gone.set())
    owner.stop()
    told(gone)
    same([], zk.get_children(path))


@check
def expiry(path, client):
    zk, other, states = client(timeout=2), client(), Inbox()
    zk.add_listener(states.put)
    zk.create(path)
    zk.create(path + "/e", ephemeral=True)
    first = zk.client_id[0]
    ask("expire %d %s" % (first, path + "/e"))
    states.until(KazooState.LOST)
    states.until(KazooState.CONNECTED)
    if zk.client_id[0] == first:
        raise AssertionError("the session goes on")
    other.retry(other.sync, path)
    same([], other.get_children(path))


@check
def access(path, client):
    alice = client(auth_data=[("digest", "alice:secret")], default_acl=[make_digest_acl("alice", "secret", all=True)])
    bob = client()
    alice.create(path, b"x")
    raises(NoAuthError, bob.get, path)
    raises(NoAuthError, bob.create, path + "/b")
    raises(NoAuthError, bob.set_acls, path, OPEN_ACL_UNSAFE)
    same(b"x", alice.get(path)[0])
    acls, stat = alice.get_acls(path)
    same([("digest", make_digest_acl("alice", "secret").id.id, 31)], [(a.id.scheme, a.id.id, a.perms) for a in acls])
    same(1, alice.set_acls(path, [make_digest_acl("alice", "secret", all=True), make_digest_acl("bob", "b", read=True)], version=stat.aversion).aversion)
    raises(BadVersionError, alice.set_acls, path, OPEN_ACL_UNSAFE, version=0)
    raises(InvalidACLError, alice.set_acls, path, [])
    bob.add_auth("digest", "bob:b")
    same(b"x", bob.get(path)[0])
    raises(NoAuthError, bob.set, path, b"y")


@check
def reconnect(path, client):
    zk, other, states, events, seen = client(), client(), Inbox(), Inbox(), Inbox()
    zk.create(path, b"x")
    zk.create(path + "/e", ephemeral=True)
    zk.DataWatch(path, lambda data, stat: seen.put(data))
    zk.get_children(path, watch=events.put)
    same(b"x", seen.next())
    session = zk.client_id[0]
    zk.add_listener(states.put)
    ask("drop")
    states.until(KazooState.SUSPENDED)
    states.until(KazooState.CONNECTED)
    # Kazoo forgets its one-shot watches, and says so; its recipes set theirs again.
    same(EventType.NONE, events.next().type)
    same(session, zk.client_id[0])
    same(["e"], zk.get_children(path))
    zk.retry(zk.set, path, b"y")
    same(b"y", seen.next())
    other.retry(other.set, path, b"z")
    same(b"z", seen.next())


@check
def restart(path, client):
    zk = client()
    zk.create(path, ephemeral=True)
    zk.restart()
    same(None, zk.exists(path))


@check
def words(path, client):
    zk = client()
    same("imok", zk.command(b"ruok"))
    same(3, zk.server_version()[0])
