"""The clients of one work."""

import concurrent.futures
import contextlib
import threading

from kazoo.client import KazooClient
from kazoo.retry import KazooRetry

PATIENCE = 60  # seconds, for what comes by itself
AT_ONCE = 32   # clients that connect at the same time


class Sessions:
    """Clients that are stopped when the work is over."""

    def __init__(self, servers, spec):
        self.servers, self.spec = servers, spec
        self.stopping = threading.Event()
        self._made = []

    def unstarted(self):
        # Kazoo's default retry, which an end of the work interrupts: it waits for up to an hour.
        retry = KazooRetry(max_tries=-1, interrupt=self.stopping.is_set)
        zk = KazooClient(hosts=self.servers, timeout=(self.spec.get("timeout") or 10000) / 1000.0, command_retry=retry)
        self._made.append(zk)
        return zk

    def one(self):
        zk = self.unstarted()
        zk.start(timeout=PATIENCE)
        return zk

    def many(self):
        """A client for each of the spec's, as many of them different as it has sessions."""
        clients = max(1, self.spec.get("clients", 0))
        count = min(clients, self.spec.get("sessions") or clients)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            made = list(pool.map(lambda _: self.one(), range(count)))
        return [made[i % count] for i in range(clients)]

    def close(self):
        self.stopping.set()

        def stop(zk):
            with contextlib.suppress(Exception):  # whatever state the work has left it in
                zk.stop()
                zk.close()

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(stop, self._made))


class Crew:
    """Threads of one work, and the first error of any of them."""

    def __init__(self):
        self.threads, self.errors = [], []
        self.failed = threading.Event()

    def start(self, call, *args):
        def run():
            try:
                call(*args)
            except Exception as e:  # is the work's error
                self.fail(e)

        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def fail(self, error):
        self.errors.append(error)
        self.failed.set()

    def check(self):
        if self.errors:
            raise self.errors[0]

    def wait(self, event, timeout=None):
        """Waits for an event, or an error, which it raises; tells whether the event has come."""
        while not event.wait(0.05 if timeout is None else min(0.05, timeout)):
            self.check()
            if timeout is not None:
                timeout -= 0.05
                if timeout <= 0:
                    return event.is_set()
        self.check()
        return True

    def join(self):
        for thread in self.threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                raise TimeoutError("a thread of the work has not ended within %d s" % PATIENCE)
        self.check()
