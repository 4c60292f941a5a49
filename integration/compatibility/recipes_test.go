package compatibility

// recipeSections are the features of recipes.
var recipeSections = []section{
	{"Locks, semaphores, leases", []feature{
		{"lock", "`Lock`", "`InterProcessMutex`", []string{"lock.Mutex.Lock", "lock.Mutex.TryLock", "lock.Mutex.Do"}, "on one path with either, by `lock.WithLayout`"},
		{"end of the holding as a context", "", "", []string{"lock.Held.Context"}, "it ends before anybody else can hold"},
		{"fencing", "", "", []string{"lock.Held.Token", "lock.Held.Txn"}, "a number that grows, and transactions that are refused later"},
		{"entering again", "", "by thread", []string{"lock.Held.Again"}, "by what is held, in any goroutine"},
		{"who holds and who waits", "`contenders`", "`getParticipantNodes`", []string{"lock.Mutex.Contenders"}, ""},
		{"asking the holder to let go", "", "`makeRevocable`, `Revoker`", []string{"lock.Mutex.Revoke", "lock.Held.Revoked"}, "with Curator's processes too"},
		{"lock that no session ends", "`ephemeral=False`", "", []string{"lock.Mutex.LockPersistent", "lock.Mutex.Break"}, ""},
		{"lock taken up by the next process", "", "", []string{"lock.Held.Handle", "lock.Resume"}, ""},
		{"read-write lock", "`ReadLock`, `WriteLock`", "`InterProcessReadWriteLock`", []string{"lock.RWMutex.Lock", "lock.RWMutex.RLock"}, "first come, first served"},
		{"writer that becomes a reader", "", "yes", []string{"lock.RWMutex.Downgrade"}, "nobody gets in between"},
		{"several locks at once", "", "`InterProcessMultiLock`", []string{"lock.NewMulti"}, "in one order, all or none"},
		{"semaphore", "`Semaphore`", "`InterProcessSemaphoreV2`", []string{"lock.Semaphore.Acquire", "lock.Semaphore.TryAcquire"}, "weighted"},
		{"its limit changed at run time", "", "`SharedCountReader`", []string{"lock.Semaphore.SetLimit"}, "it is kept in the semaphore's node"},
		{"lease across sessions", "`NonBlockingLease`", "", []string{"lock.Lease.TryTake", "lock.Lease.Take"}, "on one path with Kazoo's"},
		{"several leases", "`MultiNonBlockingLease`", "", []string{"lock.NewMultiLease"}, ""},
	}},
	{"Elections", []feature{
		{"run while leading", "`Election.run`", "`LeaderSelector`", []string{"election.Election.Run"}, "gives up when the function has returned"},
		{"lead until it is given up", "", "`LeaderLatch`", []string{"election.Election.Campaign", "election.Term.Resign"}, ""},
		{"who leads, who stands", "`contenders`", "`getLeader`, `getParticipants`", []string{"election.Election.Leader", "election.Election.Candidates"}, ""},
		{"told of each leader", "", "", []string{"election.Election.Observe"}, ""},
		{"data of the leader", "", "", []string{"election.Term.Publish"}, "refused when it leads no more"},
		{"hand-over to a certain candidate", "", "", []string{"election.Term.HandOver"}, ""},
		{"health, for probes", "", "", []string{"election.Election.Healthy"}, ""},
	}},
	{"Barriers", []feature{
		{"barrier", "`Barrier`", "`DistributedBarrier`", []string{"barrier.Barrier.Create", "barrier.Barrier.Wait", "barrier.Barrier.Remove"}, "on one path with either"},
		{"double barrier", "`DoubleBarrier`", "`DistributedDoubleBarrier`", []string{"barrier.Double.Enter", "barrier.Inside.Leave"}, "on one path with either"},
	}},
	{"Queues", []feature{
		{"queue", "`Queue`", "`SimpleDistributedQueue`", []string{"queue.Queue.Put", "queue.Queue.Pop"}, "on one path with either, by `queue.WithLayout`"},
		{"items that are held until they are consumed", "`LockingQueue`", "`DistributedQueue` with a lock path", []string{"queue.Queue.Take", "queue.Item.Ack", "queue.Item.Nack"}, "leases that end in time; on one path with either"},
		{"many at once", "`put_all`", "`putMulti`", []string{"queue.Queue.PutAll", "queue.Queue.TakeAll", "queue.Queue.AckAll"}, ""},
		{"priorities, delays, ids", "`put(priority=)`", "`DistributedPriorityQueue`, `DistributedDelayQueue`, `DistributedIdQueue`", []string{"queue.Priority", "queue.Delay", "queue.ID"}, "on one path with each"},
		{"bounded", "", "`maxItems`", []string{"queue.WithCapacity"}, ""},
		{"dead letters", "", "", []string{"queue.WithMaxAttempts", "queue.Queue.Dead"}, ""},
		{"very long queues", "", "`QueueSharder`", []string{"queue.WithSegment"}, "in segments by themselves"},
	}},
	{"Counters and settings", []feature{
		{"counter", "`Counter`", "`DistributedAtomicLong`, `SharedCount`", []string{"counter.Counter.Add", "counter.Counter.CompareAndSet", "counter.Counter.Watch"}, "exactly once; with them"},
		{"shared value", "", "`SharedValue`", []string{"counter.SharedValue.Update"}, "with it"},
		{"typed settings, watched", "`DataWatch`", "modeled", []string{"config.Watch", "config.Document.Update"}, "the last good value stays"},
		{"history and roll-back", "", "", []string{"config.Document.History", "config.Document.RollBack"}, ""},
	}},
	{"Groups and services", []feature{
		{"membership", "`Party`, `ShallowParty`", "`GroupMember`", []string{"group.Join", "group.Members", "group.Watch"}, "with them"},
		{"node that is kept", "", "`PersistentNode`", []string{"recipes.KeepNode"}, "neither sequential nor persistent ones"},
		{"partitioning of a set", "`SetPartitioner`", "", []string{"group.NewPartitioner"}, "each partition is a grant"},
		{"service discovery", "", "x-discovery", []string{"discovery.Discovery.Register", "discovery.Discovery.Watch", "discovery.Service.Provider"}, "with it; `discovery/grpcresolver` for gRPC"},
	}},
}
