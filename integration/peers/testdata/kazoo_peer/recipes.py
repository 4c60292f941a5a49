"""Checks of Kazoo's recipes."""

import threading
from datetime import timedelta

from bench import PATIENCE, Inbox, beside, check, same, told
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch


@check
def lock(path, client):
    a, b = client(), client()
    mine, other = a.Lock(path, "a"), b.Lock(path, "b")
    same(True, mine.acquire(timeout=PATIENCE))
    same(False, other.acquire(blocking=False))
    waiter = beside(other.acquire)
    in_line = threading.Event()

    @a.ChildrenWatch(path)
    def _(children):
        if len(children) == 2:
            in_line.set()

    told(in_line)
    same(["a", "b"], mine.contenders())
    mine.release()
    same(True, waiter.next())
    b.stop()  # and with the session goes the lock
    same(True, mine.acquire(timeout=PATIENCE))
    mine.release()


@check
def read_write_lock(path, client):
    a, b = client(), client()
    first, second, writer = a.ReadLock(path, "a"), b.ReadLock(path, "b"), b.WriteLock(path, "w")
    same(True, first.acquire(timeout=PATIENCE))
    same(True, second.acquire(timeout=PATIENCE))
    same(False, writer.acquire(blocking=False))
    first.release()
    second.release()
    same(True, writer.acquire(timeout=PATIENCE))
    same(False, first.acquire(blocking=False))
    writer.release()


@check
def semaphore(path, client):
    a, b, c = client(), client(), client()
    one, two, three = (zk.Semaphore(path, name, max_leases=2) for zk, name in ((a, "a"), (b, "b"), (c, "c")))
    same(True, one.acquire(timeout=PATIENCE))
    same(True, two.acquire(timeout=PATIENCE))
    same(False, three.acquire(blocking=False))
    same(["a", "b"], sorted(one.lease_holders()))
    waiter = beside(three.acquire)
    a.stop()
    same(True, waiter.next())
    three.release()
    two.release()


@check
def lease(path, client):
    a, b = client(), client()
    same(True, bool(a.NonBlockingLease(path, timedelta(minutes=5), identifier="a")))
    same(False, bool(b.NonBlockingLease(path, timedelta(minutes=5), identifier="b")))


@check
def election(path, client):
    a, b, led = client(), client(), Inbox()
    stay = threading.Event()

    def lead(name):
        led.put(name)
        stay.wait(PATIENCE)

    first, second = a.Election(path, "a"), b.Election(path, "b")
    end = beside(first.run, lead, "a")
    same("a", led.next())
    beside(second.run, lead, "b")
    a.stop()
    same("b", led.next())
    same(["b"], second.contenders())
    stay.set()
    end.next()


@check
def barrier(path, client):
    a, b = client(), client()
    gate, other = a.Barrier(path), b.Barrier(path)
    gate.create()
    same(False, other.wait(timeout=0.01))
    waiter = beside(other.wait)
    same(True, gate.remove())
    same(True, waiter.next())


@check
def double_barrier(path, client):
    a, b = client().DoubleBarrier(path, 2, "a"), client().DoubleBarrier(path, 2, "b")
    for step in ("enter", "leave"):
        waiter = beside(getattr(a, step))
        getattr(b, step)()
        same(None, waiter.next())


@check
def counter(path, client):
    counters = [client().Counter(path) for _ in range(2)]

    def count(c):
        for _ in range(20):
            c += 1

    for inbox in [beside(count, c) for c in counters]:
        same(None, inbox.next())
    same(40, counters[0].value)


@check
def plain_queue(path, client):
    a, b = client().Queue(path), client().Queue(path)
    a.put(b"late", priority=200)
    a.put(b"first")
    same(2, len(b))
    same([b"first", b"late", None], [b.get(), b.get(), b.get()])


@check
def locking_queue(path, client):
    zk = client()
    a, b = zk.LockingQueue(path), client().LockingQueue(path)
    waiter = beside(b.get, PATIENCE)
    a.put_all([b"1", b"2"])
    same(b"1", waiter.next())
    same(b"2", a.get(PATIENCE))
    same(True, a.consume())
    same(True, b.holds_lock() and b.release())
    same(b"1", a.get(PATIENCE))
    same(True, a.consume())
    same(0, len(a))


@check
def party(path, client):
    a, b = client(), client()
    here, there = a.Party(path, "a"), b.Party(path, "b")
    here.join()
    there.join()
    same(["a", "b"], sorted(here))
    b.stop()
    same(["a"], list(here))
    here.leave()
    same(0, len(here))
    shallow = a.ShallowParty(path + "/shallow", "c")
    shallow.join()
    same(["c"], list(shallow))


@check
def data_watch(path, client):
    zk, other, seen = client(), client(), Inbox()
    zk.DataWatch(path, lambda data, stat: seen.put((data, stat and stat.version)))
    same((None, None), seen.next())
    other.create(path, b"a")
    same((b"a", 0), seen.next())
    other.set(path, b"b")
    same((b"b", 1), seen.next())
    other.delete(path)
    same((None, None), seen.next())


@check
def children_watch(path, client):
    zk, other, seen = client(), client(), Inbox()
    other.create(path)
    zk.ChildrenWatch(path, lambda children: seen.put(sorted(children)))
    same([], seen.next())
    other.create(path + "/a")
    same(["a"], seen.next())
    other.create(path + "/b")
    same(["a", "b"], seen.next())
    patient = PatientChildrenWatch(zk, path, time_boundary=0.05).start()
    same(["a", "b"], sorted(patient.get(timeout=PATIENCE)[0]))


@check
def tree_cache(path, client):
    zk, other, seen = client(), client(), Inbox()
    other.create(path + "/a", b"1", makepath=True)
    cache = TreeCache(zk, path)
    cache.listen(lambda event: seen.put((event.event_type, event.event_data and event.event_data.path)))
    cache.start()
    seen.until((TreeEvent.INITIALIZED, None))
    same((b"1", frozenset(["a"])), (cache.get_data(path + "/a").data, frozenset(cache.get_children(path))))
    other.create(path + "/a/b", b"2")
    seen.until((TreeEvent.NODE_ADDED, path + "/a/b"))
    other.set(path + "/a/b", b"3")
    seen.until((TreeEvent.NODE_UPDATED, path + "/a/b"))
    same(b"3", cache.get_data(path + "/a/b").data)
    other.delete(path + "/a", recursive=True)
    seen.until((TreeEvent.NODE_REMOVED, path + "/a"))
    cache.close()
