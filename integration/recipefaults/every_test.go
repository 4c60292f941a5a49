package recipefaults

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// courses are the recipes.
func courses() []*course {
	kazoo, ofKazoo, ofSelector := lock.WithLayout(recipes.Kazoo), election.WithLayout(recipes.Kazoo), election.WithLeaderSelector()
	return []*course{
		{name: "mutex", play: exclusive(mutex(), mutex())},
		{name: "mutex of Kazoo", play: exclusive(mutex(kazoo), mutex(kazoo))},
		{name: "mutex, tried", play: try},
		{name: "write", play: exclusive(write(), read())},
		{name: "read", play: exclusive(read(), write())},
		{name: "write of Kazoo", play: exclusive(write(kazoo), read(kazoo))},
		{name: "read of Kazoo", play: exclusive(read(kazoo), write(kazoo))},
		{name: "multi", play: exclusive(multi, multi)},
		{name: "semaphore", play: exclusive(permits(2), permits(1))},
		{name: "semaphore of Kazoo", play: exclusive(permits(2, kazoo), permits(1, kazoo))},
		{name: "semaphore, its limit", play: limit},
		{name: "persistent", play: exclusive(persistent, mutex())},
		{name: "lease", play: exclusive(lease("one"), lease("rival"))},
		{name: "several leases", play: exclusive(oneOf("one"), oneOf("rival"))},
		{name: "revocation, of the one", play: asked},
		{name: "revocation, by the one", play: asks},
		{name: "election", play: exclusive(lead(), lead())},
		{name: "election of Kazoo", play: exclusive(lead(ofKazoo), lead(ofKazoo))},
		{name: "election of LeaderSelector", play: exclusive(lead(ofSelector), lead(ofSelector))},
		{name: "election, run", play: exclusive(runs, lead())},
		{name: "downgrade", play: downgrade},
		{name: "renewal", play: renew},
		{name: "publication", play: publish},
		{name: "hand-over", play: handOver},
		{name: "observer", play: observe},
		{name: "barrier", play: gate},
		{name: "double barrier, first", play: first},
		{name: "double barrier, last", play: last},
		{name: "member", play: membership},
		{name: "watcher of members", play: watching},
		{name: "partitions", play: partitioned},
	}
}

// atOnce is how many scenes are played at a time: most of the time they wait.
const atOnce = 64

// TestEveryPhase: whatever breaks in whatever phase of a recipe, its call ends as it is
// documented to, nobody has what another has, whoever waits gets in, and nothing is left.
func TestEveryPhase(t *testing.T) {
	one, three := newSite(t, 1), newSite(t, 3)
	all := courses()
	stage := newStage(atOnce)
	if !stage.rehearse(t, one, all) {
		return
	}
	scenes := 0
	for name, at := range map[string]*site{"one server": one, "three servers": three} {
		for _, c := range all {
			for _, ph := range c.phases {
				for _, f := range faults {
					if f.reply && ph.mute {
						continue
					}
					scenes++
					stage.play(t, fmt.Sprintf("%s/%s/%s/%s", name, c.name, ph.name, f.name), func(t *testing.T) {
						c.perform(t, at, f, ph, false)
					})
				}
			}
		}
	}
	stage.wait()
	t.Logf("%d scenes, %d missed", scenes, missed.Load())
	require.Less(t, int(missed.Load()), scenes/20)
}

// stage plays so many scenes at a time, whatever the processors are.
type stage struct {
	places chan struct{}
	group  sync.WaitGroup
}

func newStage(places int) *stage { return &stage{places: make(chan struct{}, places)} }

func (s *stage) play(t *testing.T, name string, fn func(*testing.T)) {
	t.Helper()
	s.places <- struct{}{}
	s.group.Go(func() {
		defer func() { <-s.places }()
		t.Run(name, fn)
	})
}

func (s *stage) wait() { s.group.Wait() }

// rehearse finds the phases of the courses.
func (s *stage) rehearse(t *testing.T, at *site, all []*course) bool {
	t.Helper()
	for _, c := range all {
		s.play(t, "rehearsal/"+c.name, func(t *testing.T) {
			c.perform(t, at, fault{timeout: 20 * time.Second}, phase{}, true)
			require.NotEmpty(t, c.phases)
			for _, ph := range c.phases {
				t.Log(ph.name)
			}
		})
	}
	s.wait()
	return !t.Failed()
}
