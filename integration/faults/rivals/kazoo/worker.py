#!/usr/bin/python3
"""A worker of the fault laboratory whose locks are Kazoo's; see package worker for what it is told and says.

It uses Kazoo as its documentation says: what is held is believed in while the connection's state is CONNECTED, and
no longer from the moment at which a listener hears of SUSPENDED or LOST."""

import json
import logging
import os
import random
import sys
import threading
import time

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import KazooException, LockTimeout
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.retry import KazooRetry

logging.basicConfig(level=logging.CRITICAL)
config = json.loads(sys.argv[2])
finishing = threading.Event()
saying = threading.Lock()
LIMIT = 3  # of the semaphore


def say(**message):
    with saying:
        sys.stdout.write(json.dumps(dict({"counts": {}}, **message)) + "\n")
        sys.stdout.flush()


class History:
    """The history of this process for one work."""

    def __init__(self, work):
        folder = os.path.join(config["dir"], work["name"])
        os.makedirs(folder, exist_ok=True)
        self.file = open(os.path.join(folder, config["process"] + ".jsonl"), "wb", buffering=0)
        self.lock = threading.Lock()
        self.done = 0

    def write(self, **event):
        event["process"] = config["process"]
        line = json.dumps(event).encode() + b"\n"
        with self.lock:
            self.file.write(line)
            if event["kind"] == "ok":
                self.done += 1


class Hand(threading.Thread):
    """One client of one work."""

    def __init__(self, work, history, index):
        super().__init__()
        self.work, self.history = work, history
        self.name = "%s.c%d" % (config["process"], index)
        self.random = random.Random(config["seed"] + index)
        self.op = 0
        self.ready = threading.Event()
        self.zk = None
        self.state = None
        self.losses = 0  # how often the state has left CONNECTED

    def event(self, kind, name, at=None, **more):
        self.history.write(time=at or time.monotonic_ns(), client=self.name, kind=kind, name=name, **more)

    def invoke(self, name, **args):
        self.op += 1
        self.event("invoke", name, op=self.op, args=args)
        return self.op

    def some(self):
        pace = config["pace"] / 1e9
        d = self.random.random() * pace
        return d * 5 if self.random.randrange(8) == 0 else d

    def stay(self):
        if self.random.randrange(6) == 0:
            return self.random.random() * 3 * config["session"] / 1e9
        return self.some()

    def listen(self, state):
        if state != KazooState.CONNECTED:
            self.losses += 1

    def connect(self):
        while not finishing.is_set():
            forever = KazooRetry(max_tries=-1, max_delay=0.5, interrupt=finishing.is_set)
            zk = KazooClient(hosts=config["servers"], timeout=config["session"] / 1e9,
                             connection_retry=KazooRetry(max_tries=-1, max_delay=0.5), command_retry=forever)
            zk.add_listener(self.listen)
            try:
                zk.start(timeout=10)
                self.zk = zk
                return
            except KazooTimeoutError:
                zk.stop()
                zk.close()

    def things(self):
        """What can be acquired: it, its mode, and how many permits it is."""
        path, name = self.work["path"], self.work["name"]
        if name == "mutex-history":
            return [(self.zk.Lock(path, self.name), {})]
        if name == "rwlock":
            return [(self.zk.WriteLock(path, self.name), {"mode": "write"}), (self.zk.ReadLock(path, self.name), {"mode": "read"})]
        if name == "semaphore":
            return [(self.zk.Semaphore(path + "/pool", self.name, max_leases=LIMIT), {"permits": 1})]
        if name == "election":
            return [(self.zk.Election(path, self.name), {})]
        raise ValueError("no workload %r for Kazoo" % name)

    def run(self):
        self.connect()
        self.ready.set()
        if self.zk is None:
            return
        things = self.things()
        while not finishing.is_set():
            thing, args = things[self.random.randrange(len(things))]
            if self.work["name"] == "election":
                self.lead(thing)
            else:
                self.turn(thing, args)
            time.sleep(self.some())

    def turn(self, lock, args):
        op = self.invoke("acquire", **args)
        try:
            got = lock.acquire(timeout=self.random.choice([self.some(), 5, 5, 5]))
        except LockTimeout as e:
            got = False
        except Exception as e:  # whatever Kazoo raises: it may be held
            self.event("unknown", "acquire", op=op, error=repr(e))
            self.give(lock)
            return
        if not got:
            self.event("fail", "acquire", op=op)
            return
        self.event("ok", "acquire", op=op, result={})
        self.hold(op)
        release = self.invoke("release", acquire=op)
        try:
            lock.release()
            self.event("ok", "release", op=release)
        except Exception as e:
            self.event("unknown", "release", op=release, error=repr(e))

    def give(self, lock):
        try:
            lock.cancel()
            lock.release()
        except Exception:
            pass

    def lead(self, election):
        op = self.invoke("acquire")
        led = []

        def work():
            led.append(True)
            self.event("ok", "acquire", op=op, result={})
            self.hold(op)
        timer = threading.Timer(20, election.cancel)
        timer.start()
        try:
            election.run(work)
        except Exception as e:
            if not led:
                self.event("unknown", "acquire", op=op, error=repr(e))
                return
        finally:
            timer.cancel()
        if not led:
            self.event("fail", "acquire", op=op)

    def hold(self, op):
        """Notes until when it was believed to be held."""
        losses = self.losses
        end, noted, last = time.monotonic() + self.stay(), 0, 0
        while time.monotonic() < end and not finishing.is_set():
            now = time.monotonic_ns()
            if self.losses != losses or self.zk.state != KazooState.CONNECTED:
                break
            last = now
            if now - noted > 50e6:
                self.event("note", "held", at=now, op=op)
                noted = now
            time.sleep(0.001)
        if last > noted:
            self.event("note", "held", at=last, op=op)


def main():
    hands, histories = [], {}
    for work in config["work"]:
        history = histories[work["name"]] = History(work)
        for i in range(config["member"], work["clients"], config["members"]):
            hands.append(Hand(work, history, i))
    for hand in hands:
        hand.daemon = True
        hand.start()

    def statuses():
        told = False
        while True:
            if not told and all(h.ready.is_set() for h in hands):
                told = True
                say(event="ready")
            sessions = {h.name: (h.zk.client_id or (0, b""))[0] for h in hands if h.zk is not None}
            say(event="status", done={n: h.done for n, h in histories.items()}, sessions=sessions)
            time.sleep(0.1)
    threading.Thread(target=statuses, daemon=True).start()

    for line in sys.stdin:
        do = json.loads(line)["do"]
        if do in ("finish", "close"):
            finishing.set()
            until = time.monotonic() + 60
            for hand in hands:
                hand.join(max(0, until - time.monotonic()))
        if do == "finish":
            say(event="finished")
        elif do == "jump":
            say(event="jumped", err="this worker's clock cannot be set")
        elif do == "close":
            for hand in hands:
                if hand.zk is not None:
                    try:
                        hand.zk.stop()
                        hand.zk.close()
                    except Exception:
                        pass
            say(event="closed")
            break
    os._exit(0)


main()
