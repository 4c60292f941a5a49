"""What the checks have in common, and how they run."""

import contextlib
import logging
import queue
import sys
import threading
import traceback

from kazoo.client import KazooClient

PATIENCE = 30  # seconds, for what comes at once

logging.basicConfig(level=logging.CRITICAL)
address = sys.argv[1]
checks = []


def check(function):
    """A check is given a path of its own, and a maker of clients that are stopped after it."""
    checks.append(function)
    return function


@contextlib.contextmanager
def clients():
    made = []

    def make(**options):
        zk = KazooClient(hosts=options.pop("hosts", address), timeout=options.pop("timeout", 10), **options)
        made.append(zk)
        zk.start(timeout=PATIENCE)
        return zk

    try:
        yield make
    finally:
        for zk in made:
            zk.stop()
            zk.close()


def same(want, got):
    if want != got:
        raise AssertionError("%r, not %r" % (got, want))


def raises(kind, call, *args, **options):
    try:
        result = call(*args, **options)
    except kind as e:
        return e
    raise AssertionError("no %s, but %r" % (kind.__name__, result))


class Inbox(queue.Queue):
    """What other threads report, in order."""

    def next(self):
        return self.get(timeout=PATIENCE)

    def until(self, wanted):
        while self.next() != wanted:
            pass


def told(event):
    if not event.wait(PATIENCE):
        raise AssertionError("nothing in %d seconds" % PATIENCE)


def beside(call, *args):
    """Runs a call in a thread; its result, or its error, is what the inbox gets."""
    done = Inbox()

    def run():
        try:
            done.put(call(*args))
        except Exception as e:
            done.put(e)

    threading.Thread(target=run, daemon=True).start()
    return done


def say(line):
    print(line, flush=True)


def ask(what):
    """Has something done to the server."""
    say("please " + what)
    same("done", sys.stdin.readline().strip())


def run():
    for function in checks:
        try:
            with clients() as client:
                function("/kazoo-%s" % function.__name__, client)
            say("ok " + function.__name__)
        except Exception:
            say("failed %s: %s" % (function.__name__, " | ".join(traceback.format_exc().splitlines()[-5:])))
    say("end %d" % len(checks))
