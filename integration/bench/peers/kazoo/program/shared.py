"""What many clients share: a counter, a configuration, a group."""

import threading

from kazoo.recipe.watchers import ChildrenWatch, DataWatch
from kazoo.retry import InterruptedError

from meter import clock
from sessions import Crew


def counter(meter, sessions):
    meter.bounded()
    clients, crew, path = sessions.many(), Crew(), meter.spec["path"]
    counters = [zk.Counter(path) for zk in clients]
    counters[0] += 0
    added = [0] * len(clients)

    def add(i):
        try:
            while meter.more():
                began = clock()
                counters[i] += 1
                added[i] += 1
                meter.note(clock() - began)
        except InterruptedError:  # while it waits to try again: it has not added
            pass

    meter.begin()
    for i in range(len(clients)):
        crew.start(add, i)
    done = threading.Event()

    def finish():
        for thread in adders:
            thread.join()
        done.set()

    adders = list(crew.threads)
    crew.start(finish)
    crew.wait(done, meter.remaining())
    meter.end()
    reader = sessions.one()
    sessions.stopping.set()
    crew.join()
    value = int(reader.get(path)[0])
    if value != sum(added):
        raise AssertionError("the counter is %d after %d adds that succeeded" % (value, sum(added)))


def config_watch(meter, sessions):
    meter.bounded()
    size, path, writer = meter.spec.get("size", 0), meter.spec["path"], sessions.one()

    def value(number):
        return b"%08d" % number + b"x" * max(0, size - 8)

    writer.create(path, value(0), makepath=True)
    clients, crew, lock, seen = sessions.many(), Crew(), threading.Lock(), threading.Event()
    wanted, missing = [value(0)], [len(clients)]

    def watcher():
        def changed(data, _stat):
            with lock:
                if data == wanted[0]:
                    missing[0] -= 1
                    if missing[0] == 0:
                        seen.set()
        return changed

    for zk in clients:
        crew.start(DataWatch, zk, path, watcher())
    crew.wait(seen)
    crew.join()
    meter.begin()
    number = 0
    while meter.more():
        number += 1
        with lock:
            wanted[0], missing[0] = value(number), len(clients)
            seen.clear()
        began = clock()
        writer.set(path, wanted[0])
        crew.wait(seen)
        meter.note(clock() - began)
    meter.end()


def group_join(meter, sessions):
    clients, crew, path = sessions.many(), Crew(), meter.spec["path"]
    observer = sessions.one()
    observer.ensure_path(path)
    complete = threading.Event()

    def members(children):
        if len(children) == len(clients):
            complete.set()

    ChildrenWatch(observer, path, members)
    parties = [zk.Party(path, "member %d" % i) for i, zk in enumerate(clients)]
    start = threading.Event()

    def join(party):
        start.wait()
        began = clock()
        party.join()
        meter.note(clock() - began)

    for party in parties:
        crew.start(join, party)
    meter.begin()
    start.set()
    crew.wait(complete)
    crew.join()  # who was seen may not know it yet
    meter.end()
