"""An adder of Kazoo's; the package's doc.go says what its arguments are and what it says."""

import logging
import sys

from kazoo.client import KazooClient
from kazoo.retry import KazooRetry

logging.basicConfig(level=logging.CRITICAL)
address, kind, path, times = sys.argv[1:]
try:
    zk = KazooClient(hosts=address, timeout=40, command_retry=KazooRetry(max_tries=-1, delay=0.01, backoff=1.2, max_delay=0.2))
    zk.start(timeout=60)
    counter = zk.Counter(path, support_curator=kind == "int")
    done = 0
    while done < int(times) or times == "0":
        counter += 1
        done += 1
        print("did", flush=True)
    zk.stop()
except Exception as e:
    print("failed", repr(e), flush=True)
