"""Elections, by resigning and by crashing."""

import subprocess
import sys
import threading

from line import wait_for_line
from meter import clock
from sessions import Crew, Sessions

CRASH_TIMEOUT = 2000  # ms, of all sessions where one crashes: as in package work


def resign(meter, sessions):
    meter.bounded()
    clients = sessions.many()
    crew, path = Crew(), meter.spec["path"]
    elections = [zk.Election(path, str(i)) for i, zk in enumerate(clients)]
    leading, resigned = threading.Lock(), []

    def lead():
        now = clock()
        if not leading.acquire(blocking=False):
            raise AssertionError("two lead")
        if not resigned:
            wait_for_line(clients[0], path, len(clients), crew)
            meter.begin()
        elif not meter.over.is_set():
            meter.note(now - resigned[0])
            if meter.full():
                meter.end()
        resigned[:] = [clock()]
        leading.release()

    def campaign(election):
        while not meter.over.is_set():
            election.run(lead)

    for election in elections:
        crew.start(campaign, election)
    crew.wait(meter.ended)
    for election in elections:
        election.cancel()
    crew.join()


def crash(meter, sessions):
    meter.spec["timeout"] = CRASH_TIMEOUT
    zk, path = sessions.one(), meter.spec["path"]
    rounds = max(1, meter.ops)
    for number in range(rounds):
        candidate = subprocess.Popen(
            [sys.executable, "-B", sys.argv[0], "--servers", sessions.servers, "--candidate", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        crew, acting = Crew(), []
        try:
            line = candidate.stdout.readline().strip()
            if line != b"leading":
                raise RuntimeError("the candidate that is to crash says %r, not leading" % line)
            crew.start(zk.Election(path).run, lambda: acting.append(clock()))
            wait_for_line(zk, path, 2, crew)
            if number == 0:
                meter.begin()
            killed = clock()
        finally:
            candidate.kill()
        candidate.wait()
        candidate.stdout.close()
        crew.join()
        meter.note(acting[0] - killed)
        if meter.late():
            break
    meter.end()


def candidate(servers, path):
    """Is what will be killed."""
    zk = Sessions(servers, {"timeout": CRASH_TIMEOUT}).one()

    def lead():
        print("leading", flush=True)
        threading.Event().wait()

    zk.Election(path, "candidate").run(lead)

