"""Makes nodes of each of Kazoo's recipes, says "ready", and holds them until its standard input ends.

The argument is the server's address.
"""

import logging
import sys
import threading
from datetime import timedelta

from kazoo.client import KazooClient

logging.basicConfig(level=logging.CRITICAL)


def connect():
    zk = KazooClient(hosts=sys.argv[1], timeout=40)
    zk.start(timeout=60)
    return zk


a, b = connect(), connect()


def wait(what):
    threading.Thread(target=what, daemon=True).start()


a.Lock("/k/lock", "a").acquire()
wait(b.Lock("/k/lock", "b").acquire)
a.ReadLock("/k/rw", "a").acquire()
b.ReadLock("/k/rw", "b").acquire()
wait(b.WriteLock("/k/rw", "w").acquire)
a.Semaphore("/k/semaphore", "a", max_leases=2).acquire()
wait(lambda: a.Election("/k/election", "a").run(threading.Event().wait))
a.NonBlockingLease("/k/lease", timedelta(minutes=5), identifier="a")
a.Party("/k/party", "a").join()
a.ShallowParty("/k/shallow", "a").join()
a.Queue("/k/queue").put(b"one")
queue = a.LockingQueue("/k/locking")
queue.put_all([b"one", b"two"])
queue.get(timeout=60)
wait(a.DoubleBarrier("/k/double", 2, "a").enter)
partitioner = a.SetPartitioner("/k/partitioner", set=("p", "q"), identifier="a", time_boundary=0.1)
while not partitioner.acquired:
    partitioner.wait_for_acquire(60)
counter = a.Counter("/k/counter")
counter += 41

print("ready", flush=True)
sys.stdin.read()
