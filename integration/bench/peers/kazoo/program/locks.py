"""Locks and semaphores, alone and in contention."""

import threading

from kazoo.exceptions import CancelledError
from kazoo.retry import InterruptedError

from line import wait_for_line
from meter import clock
from operations import one_by_one
from sessions import Crew


def floor(meter, sessions):
    zk, path = sessions.one(), meter.spec["path"]
    meter.bounded()
    zk.ensure_path(path)

    def pair():
        zk.delete(zk.create(path + "/n-", b"", ephemeral=True, sequence=True))

    one_by_one(meter, pair)


def uncontended(meter, sessions):
    lock = sessions.one().Lock(meter.spec["path"])
    meter.bounded()

    def pair():
        with lock:
            pass

    pair()  # makes the directory
    one_by_one(meter, pair)


class Turns:
    """Counts grants, times them, and finds out whether too many hold at once."""

    def __init__(self, meter, permits, enough):
        self.meter, self.permits, self.enough = meter, permits, enough
        self.holding = 0
        self.lock = threading.Lock()
        self.last = None
        self.began = False

    def begin(self):
        self.meter.begin()
        self.last, self.began = clock(), True

    def granted(self):
        with self.lock:
            self.holding += 1
            if self.holding > self.permits:
                raise AssertionError("%d hold what has %d permits" % (self.holding, self.permits))
            if not self.began or self.meter.over.is_set():
                return
            now = clock()
            self.meter.note(now - self.last)
            self.last = now
            if self.enough():
                self.meter.end()

    def released(self):
        with self.lock:
            self.holding -= 1


def contend(meter, sessions, make, permits, turns_each, in_line):
    """Has all clients of a spec contend for what make makes of a client, until the measured part is over.

    With in_line the first one holds it until all others stand in line below the path."""
    clients = sessions.many()
    crew = Crew()
    enough = meter.full
    if turns_each:
        most = min(meter.ops or len(clients) - 1, len(clients) - 1)
        enough = lambda: meter.late() or len(meter.latencies) >= most
    else:
        meter.bounded()
    turns = Turns(meter, permits, enough)
    things = [make(zk) for zk in clients]

    def run(thing, held=False):
        left = turns_each or -1
        while left != 0 and (held or not meter.over.is_set()):
            if not held:
                try:
                    thing.acquire()
                except (CancelledError, InterruptedError):
                    return
                turns.granted()
            held = False
            turns.released()  # as others may be granted before release returns
            thing.release()
            left -= 1

    if in_line:
        things[0].acquire()
        turns.granted()
        for thing in things[1:]:
            crew.start(run, thing)
        wait_for_line(clients[0], meter.spec["path"], len(clients), crew)
        turns.begin()
        crew.start(run, things[0], True)
    else:
        turns.begin()
        for thing in things:
            crew.start(run, thing)
    crew.wait(meter.ended)
    meter.more_results["grants"] = len(meter.latencies)
    for thing in things:
        thing.cancel()
    crew.join()


def handover(meter, sessions):
    contend(meter, sessions, lambda zk: zk.Lock(meter.spec["path"]), 1, 0, True)


def drain(meter, sessions):
    if meter.spec.get("clients", 0) < 2:
        raise ValueError("a line of %d clients: lock.drain wants at least 2" % meter.spec.get("clients", 0))
    contend(meter, sessions, lambda zk: zk.Lock(meter.spec["path"]), 1, 1, True)


def semaphore(meter, sessions):
    permits = max(1, meter.spec.get("clients", 0) // 2)
    contend(meter, sessions, lambda zk: zk.Semaphore(meter.spec["path"], max_leases=permits), permits, 0, False)
