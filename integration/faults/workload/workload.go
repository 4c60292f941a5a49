package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/resource"
)

// Workload is work that several clients do at once, and what has to be true of its history. It holds
// no state: Run is called once for each client, in any number of processes.
type Workload struct {
	// Name is one word with dashes, "mutex-token".
	Name string
	// Doc says in a sentence what is asserted.
	Doc string
	// Clients is how many clients it takes, if fewer than two do not make sense or more than that; 0 is any number.
	Clients int
	// Guarded tells that its resource refuses tokens smaller than the greatest that it has seen; see [resource.Resource].
	Guarded bool
	// Setup makes what Run needs, once, before the first Run. It may be nil.
	Setup func(ctx context.Context, cl *client.Client, path string) error
	// Run works until ctx ends, then gives back what it holds, and returns nil. No fault makes it return earlier: an
	// error is one of the workload, or an answer that its recipe says it never gives, and fails the run.
	Run func(ctx context.Context, env *Env) error
	// Check returns the promises that were not kept.
	Check func(h *history.History) []models.Violation
	// Keeps tells whether a node below the run's path, by its path from there ("" is that itself), may be left at the end, when
	// all clients have closed. nil allows what is neither ephemeral nor sequential.
	Keeps func(name string) bool
	// Stays tells of an ephemeral node, named as for Keeps, whether a client may have it for as long as it is connected,
	// though Run has returned. nil allows none.
	Stays func(name string) bool
}

// Env is what one client works with.
type Env struct {
	// Client is connected. Whoever made it closes it, after Run has returned.
	Client *client.Client
	// Dial connects another client to the same servers, over the same faults. Run closes it.
	Dial func(ctx context.Context, opts ...client.Option) (*client.Client, error)
	// Name is the client's, in the history and in whatever it writes; unique in the run. A client that takes
	// the place of one that was killed has a new one.
	Name string
	// Index is which of the run's Clients it is, from 0. A successor has that of the one that was killed.
	Index, Clients int
	// Rand is seeded, and of this Run alone.
	Rand *rand.Rand
	// Record is where it writes its history.
	Record *history.Client
	// Path is the node below which the run works; all its clients have the same. It exists.
	Path string
	// Pace is about how long a client holds, and pauses; 0 is [DefaultPace].
	Pace time.Duration
	// Session is the session timeout of the clients: now and then something is held for longer than that, so that its
	// loss is noticed. 0 leaves that out.
	Session time.Duration
	// Calm tells that the time for faults is over. From then on nothing is held for long, since everybody has to get a turn
	// before the end. Nil is never.
	Calm func() bool
	// Exact tells that time does not pass while something can be done, as in a simulation.
	Exact bool
	// Resource is outside of ZooKeeper, and the same for all clients of the run.
	Resource resource.Resource
}

// DefaultPace suits real servers.
const DefaultPace = 20 * time.Millisecond

// All returns the workloads. Who adds one adds it here.
func All() []*Workload {
	return []*Workload{
		MutexHistory(), MutexUnguarded(), MutexToken(), RWLock(), Semaphore(), Election(),
		Barrier(), DoubleBarrier(), Register(), Watches(), Queue(), Counter(),
		Config(), Members(), Partitioner(),
	}
}

// Names returns the names of all workloads.
func Names() []string {
	var out []string
	for _, w := range All() {
		out = append(out, w.Name)
	}
	return out
}

// Lookup returns the workload of a name.
func Lookup(name string) (*Workload, error) {
	for _, w := range All() {
		if w.Name == name {
			return w, nil
		}
	}
	return nil, fmt.Errorf("no workload %q: want one of %s", name, strings.Join(Names(), ", "))
}
