"""A worker of the performance laboratory that uses Kazoo; see package work for what it is told and says."""

import argparse
import json
import logging
import sys

import elections
import locks
import operations
import queues
import shared
from meter import Absent, Meter, say
from sessions import Sessions

logging.basicConfig(level=logging.CRITICAL)

WORKS = {
    "get": operations.get,
    "set": operations.put,
    "create": operations.create,
    "connect": operations.connect,
    "idle": operations.idle,
    "lock.floor": locks.floor,
    "lock.uncontended": locks.uncontended,
    "lock.handover": locks.handover,
    "lock.drain": locks.drain,
    "semaphore": locks.semaphore,
    "election.resign": elections.resign,
    "election.crash": elections.crash,
    "queue.single.put": queues.put_one,
    "queue.single.take": queues.take_one,
    "queue.batch.put": queues.put_batch,
    "counter": shared.counter,
    "config.watch": shared.config_watch,
    "group.join": shared.group_join,
}


def answer(servers, line):
    try:
        spec = json.loads(line)
        work = WORKS.get(spec["work"])
        if work is None:
            raise Absent()
        meter, sessions = Meter(spec), Sessions(servers, spec)
        try:
            work(meter, sessions)
        finally:
            sessions.close()
        return meter.sample()
    except Absent:
        return {"ops": 0, "seconds": 0, "cpu": 0, "error": "absent"}
    except Exception as e:  # whatever Kazoo raises is the sample
        return {"ops": 0, "seconds": 0, "cpu": 0, "error": "%s: %s" % (type(e).__name__, e)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", required=True)
    parser.add_argument("--candidate")
    arguments = parser.parse_args()
    if arguments.candidate:
        elections.candidate(arguments.servers, arguments.candidate)
        return
    for line in iter(sys.stdin.readline, ""):
        say(answer(arguments.servers, line))


main()
