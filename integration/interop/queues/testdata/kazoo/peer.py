"""Queues that are Kazoo's; the package's doc.go says what they are told and say.

The arguments are the server's address and the session timeout in seconds. The program ends with its standard input.
"""

import logging
import sys

from kazoo.client import KazooClient
from kazoo.recipe.queue import LockingQueue, Queue

logging.basicConfig(level=logging.CRITICAL)
zk = KazooClient(hosts=sys.argv[1], timeout=float(sys.argv[2]))
zk.start(timeout=60)
queues = {}


def plain(path):
    return queues.setdefault(("plain", path), Queue(zk, path))


def locking(path):
    return queues.setdefault(("locking", path), LockingQueue(zk, path))


def text(value):
    return "-" if value is None else value.decode()


def put(path, priority, value):
    plain(path).put(value.encode(), int(priority))
    return ""


def get(path):
    return text(plain(path).get())


def lput(path, priority, *values):
    if len(values) == 1:
        locking(path).put(values[0].encode(), int(priority))
    else:
        locking(path).put_all([v.encode() for v in values], int(priority))
    return ""


def lget(path, seconds):
    return text(locking(path).get(timeout=float(seconds)))


def lconsume(path):
    return str(locking(path).consume())


def lrelease(path):
    return str(locking(path).release())


orders = {f.__name__: f for f in (put, get, lput, lget, lconsume, lrelease)}
for line in sys.stdin:
    words = line.split()
    try:
        answer = "ok " + orders[words[0]](*words[1:])
    except Exception as e:
        answer = "failed " + repr(e).replace("\n", " ")
    sys.stdout.write(answer + "\n")
    sys.stdout.flush()
