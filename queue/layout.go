package queue

import (
	"fmt"

	"github.com/zookit/zookit/client"
)

// Layout says whose znodes a queue's are. All programs that share a queue have to use one layout:
// the libraries do not know each other's items. Zookit says [ErrLayoutConflict] where it finds another's.
//
// What a layout has no place for is refused ([ErrUnsupported]). Only the native one has all of it; in the
// others the library lists the whole queue each time that it looks, and so does zookit: keep them below
// some ten thousand items.
//
//	layout                  items                  lease  priority  delay  id  dead letters
//	Native                  in segments            yes    int32     yes    de-duplicates  yes
//	KazooQueue              entry-100-0000000001   -      0 to 999  -      -   -
//	KazooLockingQueue       entries/, taken/       yes    0 to 999  -      -   yes
//	CuratorSimpleQueue      qn-0000000001          -      -         -      -   -
//	CuratorQueue            queue-0000000001       with a lock path  -      -      -   with a lock path
//	CuratorPriorityQueue    queue-1000000050000000001  likewise  int32  -  -   likewise
//	CuratorDelayQueue       queue-|18F1…|0000000001    likewise  -      yes -  likewise
//	CuratorIDQueue          queue-|id|0000000001       likewise  -      -   names  likewise
//
// A time can be an id, by its looks, so in the layout CuratorIDQueue a CuratorDelayQueue is not told from its own, nor the other way
// round if all ids are hexadecimal numbers. All else is.
//
// Where there are no leases only [Queue.Pop] hands out items. What zookit needs besides (see lanes in
// the package's documentation) it keeps beside the queue, in a node named like it with
// "-__zookit__" behind, where the libraries do not look.
type Layout uint8

// The layouts.
const (
	// Native is zookit's own, and the default.
	Native Layout = iota
	// KazooQueue is Kazoo's Queue.
	KazooQueue
	// KazooLockingQueue is Kazoo's LockingQueue.
	KazooLockingQueue
	// CuratorSimpleQueue is Curator's SimpleDistributedQueue, and ZooKeeper's own queue recipe.
	CuratorSimpleQueue
	// CuratorQueue is Curator's DistributedQueue. Several items in one node, as its
	// putMulti writes them, are one [Item] with [Item.More].
	CuratorQueue
	// CuratorPriorityQueue is Curator's DistributedPriorityQueue.
	CuratorPriorityQueue
	// CuratorDelayQueue is Curator's DistributedDelayQueue.
	CuratorDelayQueue
	// CuratorIDQueue is Curator's DistributedIdQueue. Ids name items there, and do not
	// keep a second one of the same id out.
	CuratorIDQueue
)

var layoutNames = [...]string{
	Native: "native", KazooQueue: "Kazoo Queue", KazooLockingQueue: "Kazoo LockingQueue", CuratorSimpleQueue: "Curator SimpleDistributedQueue",
	CuratorQueue: "Curator DistributedQueue", CuratorPriorityQueue: "Curator DistributedPriorityQueue",
	CuratorDelayQueue: "Curator DistributedDelayQueue", CuratorIDQueue: "Curator DistributedIdQueue",
}

// String returns the layout's name.
func (l Layout) String() string {
	if int(l) < len(layoutNames) {
		return layoutNames[l]
	}
	return fmt.Sprintf("layout(%d)", uint8(l))
}

// distributed says whether the layout is one of Curator's that can have a lock path.
func (l Layout) distributed() bool { return l >= CuratorQueue && l <= CuratorIDQueue }

// leases says whether items can be leased: lockPath is what WithLockPath said.
func (l Layout) leases(lockPath string) bool {
	return l == Native || l == KazooLockingQueue || (l.distributed() && lockPath != "")
}

// priority checks a priority, and returns the layout's default for none.
func (l Layout) priority(p *int) (int32, error) {
	lowest, highest, none := int64(-1<<31), int64(1<<31-1), int32(0)
	switch l {
	case Native, CuratorPriorityQueue:
	case KazooQueue, KazooLockingQueue:
		lowest, highest, none = 0, 999, 100
	default:
		if p != nil {
			return 0, fmt.Errorf("%w: %s has no priorities", ErrUnsupported, l)
		}
	}
	if p == nil {
		return none, nil
	}
	if n := int64(*p); n < lowest || n > highest {
		return 0, fmt.Errorf("%w: priority %d: %s has %d to %d", client.ErrBadArgument, *p, l, lowest, highest)
	}
	return int32(*p), nil
}

// delays says whether items can be put for later.
func (l Layout) delays() bool { return l == Native || l == CuratorDelayQueue }

// named says whether items can have an id that the caller chooses.
func (l Layout) named() bool { return l == Native || l == CuratorIDQueue }
