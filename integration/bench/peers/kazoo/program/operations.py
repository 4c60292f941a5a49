"""Requests as they are: get, set, create, connect, idle."""

import gc
import threading
import tracemalloc

from kazoo.exceptions import CancelledError

from line import wait_for_line
from meter import clock
from sessions import Crew


def one_by_one(meter, call):
    meter.begin()
    while meter.more():
        began = clock()
        call()
        meter.note(clock() - began)
    meter.end()


def pipeline(meter, send):
    """Keeps the spec's number of requests under way: each answer's callback sends the next one."""
    over, errors, lock = threading.Event(), [], threading.Lock()
    under_way = [meter.spec["inflight"]]

    def next_one():
        if errors or not meter.more():
            with lock:
                under_way[0] -= 1
                if under_way[0] == 0:
                    over.set()
            return
        began = clock()

        def answered(result):
            meter.note(clock() - began)
            if not result.successful():
                errors.append(result.exception)
            next_one()

        send().rawlink(answered)

    meter.begin()
    for _ in range(meter.spec["inflight"]):
        next_one()
    over.wait()
    meter.end()
    if errors:
        raise errors[0]


def requests(meter, call, send):
    meter.bounded()
    if meter.spec.get("inflight", 0) > 1:
        pipeline(meter, send)
    else:
        one_by_one(meter, call)


def get(meter, sessions):
    zk, path = sessions.one(), meter.spec["path"]
    zk.create(path, b"x" * meter.spec.get("size", 0), makepath=True)
    requests(meter, lambda: zk.get(path), lambda: zk.get_async(path))


def put(meter, sessions):
    zk, path, data = sessions.one(), meter.spec["path"], b"x" * meter.spec.get("size", 0)
    zk.create(path, data, makepath=True)
    requests(meter, lambda: zk.set(path, data), lambda: zk.set_async(path, data))


def create(meter, sessions):
    zk, data = sessions.one(), b"x" * meter.spec.get("size", 0)
    zk.ensure_path(meter.spec["path"])
    names = iter(range(10 ** 9))

    def fresh():
        return "%s/n%d" % (meter.spec["path"], next(names))

    requests(meter, lambda: zk.create(fresh(), data), lambda: zk.create_async(fresh(), data))


def connect(meter, sessions):
    meter.bounded()

    def first_operation():
        zk = sessions.unstarted()
        zk.start()
        zk.exists("/")

    one_by_one(meter, first_operation)


def idle(meter, sessions):
    """What clients and waiters cost: traced memory, and threads."""
    count, path = max(1, meter.spec.get("clients", 0)), meter.spec["path"]

    def use():
        gc.collect()
        return tracemalloc.get_traced_memory()[0], threading.active_count()

    tracemalloc.start()
    try:
        holder = sessions.one()
        lock = holder.Lock(path)
        lock.acquire()
        before = use()
        clients = sessions.many()
        after = use()
        meter.more_results.update(heap=(after[0] - before[0]) / count, goroutines=(after[1] - before[1]) / count)
        meter.begin()
        threading.Event().wait(meter.spec.get("millis", 0) / 1000.0)
        meter.end()
        meter.done = len(clients)

        shared, crew = sessions.one(), Crew()
        before = use()
        waiters = [shared.Lock(path) for _ in range(count)]
        for waiter in waiters:
            crew.start(wait_until_cancelled, waiter)
        wait_for_line(holder, path, count + 1, crew)
        after = use()
        meter.more_results.update(waiter_heap=(after[0] - before[0]) / count, waiter_goroutines=(after[1] - before[1]) / count)
        for waiter in waiters:
            waiter.cancel()
        crew.join()
    finally:
        tracemalloc.stop()


def wait_until_cancelled(lock):
    try:
        lock.acquire()
    except CancelledError:
        return
    lock.release()
