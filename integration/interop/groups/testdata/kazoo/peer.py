"""Members of elections and barriers that are Kazoo's; the package's doc.go says what they are told and say.

The argument is the server's address. The program ends with its standard input.
"""

import logging
import os
import queue
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import NodeExistsError, NoNodeError

logging.basicConfig(level=logging.CRITICAL)
address = sys.argv[1]
output = threading.Lock()


def say(*words):
    with output:
        sys.stdout.write(" ".join(words) + "\n")
        sys.stdout.flush()


class Member:
    def __init__(self, name):
        self.name = name
        self.zk = None
        self.barrier = None
        self.orders = queue.Queue()
        threading.Thread(target=self.run, daemon=True).start()

    def say(self, *words):
        say(self.name, *words)

    def run(self):
        while True:
            words = self.orders.get()
            try:
                getattr(self, "do_" + words[0])(*words[1:])
            except Exception as e:
                self.say("failed", words[0], repr(e).replace("\n", " "))

    def do_open(self, timeout):
        self.zk = KazooClient(hosts=address, timeout=float(timeout) / 1000)
        self.zk.start(timeout=60)
        self.say("opened")

    def do_stand(self, _kind, path, witness):
        election = self.zk.Election(path, self.name)
        while True:
            election.run(self.lead, witness)

    def lead(self, witness):
        try:
            self.zk.create(witness, self.name.encode(), ephemeral=True)
        except NodeExistsError:
            self.say("clash")
        self.say("leads")
        self.orders.get()  # yield
        try:
            self.zk.delete(witness)
        except NoNodeError:
            pass  # the session was lost

    def do_set(self, path):
        self.zk.Barrier(path).create()
        self.say("set")

    def do_remove(self, path):
        self.zk.Barrier(path).remove()
        self.say("removed")

    def do_wait(self, path, witness):
        if not self.zk.Barrier(path).wait(120):
            raise RuntimeError("nobody has opened the barrier")
        self.zk.create(witness)
        self.say("through")

    def do_enter(self, path, n, witness):
        # The same object again where the path is the same: Kazoo's can be used again, under the same name.
        if self.barrier is None or self.barrier.path != path:
            self.barrier = self.zk.DoubleBarrier(path, int(n), self.name)
        self.barrier.enter()
        if not self.barrier.participating:
            raise RuntimeError("an error has kept it out")
        self.zk.create(witness)
        self.say("in")

    def do_leave(self, witness):
        self.barrier.leave()
        self.zk.create(witness)
        self.say("out")


members = {}
for line in sys.stdin:
    name, *words = line.split()
    if name not in members:
        members[name] = Member(name)
    members[name].orders.put(words)
os._exit(0)
