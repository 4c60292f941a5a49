"""A client of Kazoo; the package's doc.go says what it is told and says. The argument is the server's address."""

import logging
import os
import queue
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from kazoo.recipe.cache import TreeCache, TreeEvent

logging.basicConfig(level=logging.CRITICAL)
output = threading.Lock()


def say(*words):
    with output:
        sys.stdout.write(" ".join(words) + "\n")
        sys.stdout.flush()


def code(data):
    return data.hex() or "-"


zk = KazooClient(hosts=sys.argv[1], timeout=40)
zk.start(timeout=60)
say("opened")
kept = []


def watch(kind, path):
    if kind == "data":
        @zk.DataWatch(path)
        def changed(data, stat):
            say("data", kind, path, "gone" if stat is None else code(data or b""))
        return
    cache = TreeCache(zk, path)

    def event(e):
        if e.event_type in (TreeEvent.NODE_ADDED, TreeEvent.NODE_UPDATED):
            say("data", kind, e.event_data.path, code(e.event_data.data or b""))
        elif e.event_type == TreeEvent.NODE_REMOVED:
            say("data", kind, e.event_data.path, "gone")
    cache.listen(event)
    cache.start()
    kept.append(cache)


def children(path):
    @zk.ChildrenWatch(path)
    def changed(names):
        say("children", path, ",".join(sorted(names)) or "-")


def put(path, data):
    data = b"" if data == "-" else bytes.fromhex(data)
    try:
        zk.set(path, data)
    except NoNodeError:
        zk.create(path, data, makepath=True)
    say("done")


def delete(path):
    zk.delete(path)
    say("done")


def add(path, n):
    counter = zk.Counter(path, support_curator=True)
    for _ in range(int(n)):
        counter += 1
    say("done")


orders = {"watch": watch, "children": children, "set": put, "delete": delete, "add": add}
for line in sys.stdin:
    words = line.split()
    try:
        orders[words[0]](*words[1:])
    except Exception as e:
        say("failed", words[0], repr(e).replace("\n", " "))
os._exit(0)
