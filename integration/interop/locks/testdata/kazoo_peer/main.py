"""Holds locks with Kazoo; the package's doc.go says what it is told and what it says."""

import logging
import os
import sys
import threading
import traceback

from kazoo.client import KazooClient
from kazoo.recipe import lock as kazoo_lock
from kazoo.retry import ForceRetryError, KazooRetry

logging.basicConfig(level=logging.CRITICAL)
args = sys.argv[1:]
curator_names = args[0] == "curator-names"  # or Kazoo's own
if curator_names:
    args.pop(0)
address, timeout, ledger = args[0], float(args[1]) / 1000, args[2]
LIMIT = 3  # of semaphores


class Lock(kazoo_lock.Lock):
    if curator_names:
        _NODE_NAME, _EXCLUDE_NAMES = "-lock-", ["-lock-"]


class WriteLock(kazoo_lock.WriteLock):
    if curator_names:
        _NODE_NAME, _EXCLUDE_NAMES = "-__WRIT__", ["-__WRIT__", "-__READ__"]


class ReadLock(kazoo_lock.ReadLock):
    """Kazoo's, without the deadlock that it had up to version 2.8 (python-zk/kazoo#649): there a
    reader waits also for a writer behind it, which waits for the reader."""

    if curator_names:
        _NODE_NAME, _EXCLUDE_NAMES = "-__READ__", ["-__WRIT__"]

    def _get_predecessor(self, node):
        children = self.client.get_children(self.path)
        if node not in children:
            raise ForceRetryError()
        writers = [c for c in children if self._contenders_re.search(c) and c[-10:] < node[-10:]]
        return max(writers, key=lambda c: c[-10:], default=None)


output = threading.Lock()
stopping = threading.Event()
keeping = threading.Lock()
keep = []  # the mode of which the next holding is to be kept


def connect():
    forever = KazooRetry(max_tries=-1, max_delay=0.5)
    zk = KazooClient(hosts=address, timeout=timeout, command_retry=forever)
    zk.start(timeout=60)
    return zk


def say(*words):
    with output:
        print(*words, flush=True)


def stamp():
    return plain.set(ledger, b"").version


def choose(recipe, path):
    """Returns, by turns, what is to be taken, and its mode."""
    if recipe == "mutex":
        lock = Lock(zk, path, "kazoo")
        return lambda turn: (lock, "write")
    if recipe == "semaphore":
        semaphore = zk.Semaphore(path, "kazoo", max_leases=LIMIT)
        return lambda turn: (semaphore, "permit")
    if recipe == "rw":
        write, read = WriteLock(zk, path, "kazoo"), ReadLock(zk, path, "kazoo")
        return lambda turn: (write, "write") if turn % 3 == 0 else (read, "read")
    raise ValueError(recipe)


def kept(mode):
    with keeping:
        if mode in keep:
            keep.remove(mode)
            return True
    return False


def contend(number, recipe, path):
    at, turn = choose(recipe, path), number
    while not stopping.is_set():
        turn += 1
        lock, mode = at(turn)
        if not lock.acquire():
            raise AssertionError("acquire has returned without the lock")
        holding = "%d.%d" % (number, turn)
        say("enter", number, holding, mode, stamp())
        if kept(mode):
            say("keeps", holding)
            threading.Event().wait()
        say("leave", holding, stamp())
        lock.release()


def take(recipe, path):
    """Takes something and keeps it."""
    if recipe == "election":
        zk.Election(path, "kazoo").run(lambda: (say("took", path), threading.Event().wait()))
    lock, _ = choose("rw" if recipe == "read" else recipe, path)(1 if recipe == "read" else 0)
    lock.acquire()
    say("took", path)
    threading.Event().wait()


def thread(function, *args):
    def run():
        try:
            function(*args)
        except BaseException:
            say("failed", " | ".join(traceback.format_exc().splitlines()[-6:]))

    t = threading.Thread(target=run, daemon=True)
    t.start()
    return t


zk, plain = connect(), connect()
threads = []
for line in sys.stdin:
    words = line.split()
    if words[0] == "contend":
        threads = [thread(contend, i, words[1], words[2]) for i in range(int(words[3]))]
    elif words[0] == "keep":
        with keeping:
            keep.append(words[1])
    elif words[0] == "take":
        thread(take, words[1], words[2])
    elif words[0] == "stop":
        stopping.set()
        for t in threads:
            t.join()
        zk.stop()
        plain.stop()
        say("end")
        break
os._exit(0)
