"""What is measured of one work, and how it is bounded."""

import itertools
import json
import resource
import sys
import threading
import time

MOST_LATENCIES = 500

clock = time.perf_counter


class Absent(Exception):
    """The library does not have what a work wants."""


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Meter:
    """The clock and the bounds of the measured part of one work.

    Its methods may be called from several threads; begin and end once each."""

    def __init__(self, spec):
        self.spec = spec
        self.ops = spec.get("ops", 0)
        self.over = threading.Event()   # the measured part is
        self.ended = threading.Event()  # and the caller knows it: now all may be let go
        self.more_results = {}
        self.latencies = []
        self.done = None  # operations, where they are not the latencies
        self._tickets = itertools.count()
        self._deadline = None
        self._began = self._cpu = self.seconds = self.used = 0

    def bounded(self):
        """Refuses a spec that would never end."""
        if not self.ops and not self.spec.get("millis"):
            raise ValueError("neither ops nor millis bounds the work %s: give one" % self.spec["work"])

    def _mark(self, what):
        if self.spec.get("marks"):
            say({"mark": what})
            sys.stdin.readline()

    def begin(self):
        self._mark("begin")
        self._cpu, self._began = cpu(), clock()
        if self.spec.get("millis"):
            self._deadline = self._began + self.spec["millis"] / 1000.0

    def end(self):
        self.seconds, self.used = clock() - self._began, cpu() - self._cpu
        self.over.set()
        self._mark("end")
        self.ended.set()

    def late(self):
        return self._deadline is not None and clock() >= self._deadline

    def remaining(self):
        """Seconds until the deadline, None where there is none."""
        return None if self._deadline is None else max(0.0, self._deadline - clock())

    def more(self):
        """Whether one more operation may begin; true so often as the bound is."""
        if self.over.is_set() or self.late():
            return False
        return not self.ops or next(self._tickets) < self.ops

    def note(self, seconds):
        """An operation is done, and took so long."""
        if not self.over.is_set():
            self.latencies.append(seconds)

    def full(self):
        """Whether what was noted is all that the work is bounded to."""
        return self.late() or bool(self.ops) and len(self.latencies) >= self.ops

    def sample(self):
        all_of_them, count = self.latencies, len(self.latencies)
        if count > MOST_LATENCIES:
            all_of_them = [self.latencies[i * count // MOST_LATENCIES] for i in range(MOST_LATENCIES)]
        result = {"ops": count if self.done is None else self.done, "seconds": self.seconds, "cpu": self.used,
                  "latencies_us": [round(s * 1e6, 1) for s in all_of_them], "error": ""}
        result.update(self.more_results)
        return result
