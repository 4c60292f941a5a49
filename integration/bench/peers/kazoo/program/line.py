"""Who stands in line for something."""

import time

from kazoo.exceptions import NoNodeError

from sessions import PATIENCE


def wait_for_line(zk, path, length, crew):
    """Returns when so many nodes are below a path."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            standing = len(zk.get_children(path))
        except NoNodeError:
            standing = 0
        if standing >= length:
            return
        crew.check()
        if time.monotonic() > until:
            raise TimeoutError("%d stand in line at %s after %d s, not %d" % (standing, path, PATIENCE, length))
        time.sleep(0.005)
