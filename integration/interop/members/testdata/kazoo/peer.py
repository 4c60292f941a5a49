"""Members of groups and partitioners that are Kazoo's; the package's doc.go says what they are told and say.

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


class Member:
    def __init__(self, name):
        self.name = name
        self.zk = None
        self.party = None
        self.finished = threading.Event()
        self.change = None
        self.orders = queue.Queue()
        threading.Thread(target=self.run, daemon=True).start()

    def say(self, *words):
        with output:
            sys.stdout.write(" ".join((self.name,) + words) + "\n")
            sys.stdout.flush()

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

    def group(self, kind, path, member=None):
        return (self.zk.Party if kind == "party" else self.zk.ShallowParty)(path, member)

    def do_join(self, kind, path, member, _data):
        self.party = self.group(kind, path, member)
        self.party.join()
        self.say("joined")

    def do_list(self, kind, path):
        members = list(self.group(kind, path))
        self.say("listed", *[m if kind == "shallow" else m + "=" + m for m in members])

    def do_leave(self):
        self.party.leave()
        self.say("left")

    def do_divide(self, path, n, witness):
        threading.Thread(target=self.divide, args=(path, int(n), witness), daemon=True).start()

    def divide(self, path, n, witness):
        self.change = self.zk.handler.event_object()
        division = self.zk.SetPartitioner(
            path, set=["p-%02d" % i for i in range(n)], identifier=self.name,
            time_boundary=1, max_reaction_time=1, state_change_event=self.change)
        mine = []

        def give_up():
            for p in mine:
                try:
                    self.zk.delete(witness + "/" + p)
                except NoNodeError:
                    pass
            mine.clear()

        while not self.finished.is_set():
            self.change.clear()
            if division.failed:
                self.say("failed", "the partitioner has")
                return
            if division.release:
                give_up()
                division.release_set()
                continue
            if division.acquired and not mine:
                clash = ""
                for p in division:
                    try:
                        self.zk.create(witness + "/" + p, self.name.encode(), ephemeral=True)
                    except NodeExistsError:
                        clash = "clash"
                    mine.append(p)
                self.say("owns", clash, *sorted(mine))
            self.change.wait(1)
        give_up()
        division.finish()
        self.say("finished")

    def do_finish(self):
        self.finished.set()
        self.change.set()


members = {}
for line in sys.stdin:
    name, *words = line.split()
    if name not in members:
        members[name] = Member(name)
    members[name].orders.put(words)
os._exit(0)
