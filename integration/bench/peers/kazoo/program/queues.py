"""The queue: Kazoo's LockingQueue, whose items are leased and then consumed."""

from operations import one_by_one

FILL = 100  # items in a transaction that fills a queue


def put_one(meter, sessions):
    meter.bounded()
    queue, item = sessions.one().LockingQueue(meter.spec["path"]), b"x" * meter.spec.get("size", 0)
    queue._ensure_paths()
    one_by_one(meter, lambda: queue.put(item))


def take_one(meter, sessions):
    if not meter.ops:
        raise ValueError("queue.single.take without ops: the queue is filled with as many before")
    queue, item = sessions.one().LockingQueue(meter.spec["path"]), b"x" * meter.spec.get("size", 0)
    for begin in range(0, meter.ops, FILL):
        queue.put_all([item] * min(FILL, meter.ops - begin))

    def take():
        if queue.get() != item:
            raise AssertionError("the queue gives another item than was put")
        if not queue.consume():
            raise AssertionError("an item is not consumed, though it was leased just now")

    one_by_one(meter, take)
    if len(queue) != meter.ops - len(meter.latencies):
        raise AssertionError("%d items are left after %d of %d were consumed" % (len(queue), len(meter.latencies), meter.ops))


def put_batch(meter, sessions):
    meter.bounded()
    queue, batch = sessions.one().LockingQueue(meter.spec["path"]), max(1, meter.spec.get("inflight", 0))
    items = [b"x" * meter.spec.get("size", 0)] * batch
    queue._ensure_paths()
    meter.ops = -(-meter.ops // batch)
    one_by_one(meter, lambda: queue.put_all(items))
    meter.done = len(meter.latencies) * batch
    if len(queue) != meter.done:
        raise AssertionError("%d items are in the queue, of %d that were put" % (len(queue), meter.done))
