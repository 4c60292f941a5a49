package recipefaults

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
)

// TestLeaderKilled: the leader is killed when there is one client in each phase of each recipe,
// and comes back as a follower. All go on in the sessions that they have.
func TestLeaderKilled(t *testing.T) { killedInEveryPhase(t, 3) }

// TestServerKilled: the same with the only server, which comes back with its data.
func TestServerKilled(t *testing.T) { killedInEveryPhase(t, 1) }

func killedInEveryPhase(t *testing.T, servers int) {
	t.Helper()
	at, all := newSite(t, servers), courses()
	if !newStage(atOnce).rehearse(t, at, all) {
		return
	}
	var scenes []killing
	for _, c := range all {
		for _, ph := range c.phases {
			scenes = append(scenes, killing{c, ph})
		}
	}
	for together := range slices.Chunk(scenes, killedAtOnce) {
		killedIn(t, at, together)
	}
	t.Logf("%d scenes", len(scenes))
}

// killedAtOnce is in how many scenes at once the leader is killed.
const killedAtOnce = 100

// killing is a scene in which the leader is killed.
type killing struct {
	*course
	phase phase
}

// killedIn kills the leader in scenes.
func killedIn(t *testing.T, at *site, scenes []killing) {
	t.Helper()
	var ready sync.WaitGroup
	ready.Add(len(scenes))
	killed := make(chan struct{})
	stage := newStage(len(scenes))
	for _, k := range scenes {
		stage.play(t, fmt.Sprintf("%s/%s", k.name, k.phase.name), func(t *testing.T) {
			arrive := sync.OnceFunc(ready.Done)
			defer arrive()
			k.perform(t, at, fault{timeout: 40 * time.Second, strike: func(s *scene) {
				arrive()
				s.await(killed, "the death of the leader")
			}}, k.phase, false)
		})
	}
	ready.Wait() // each has its patience
	killAndRestart(t, at.e, killed)
	stage.wait()
	require.NoError(t, at.e.WaitServing(trial.Within(t, patience)))
}

// killAndRestart kills the leader, says so, and lets it come back when there is another.
func killAndRestart(t *testing.T, e *ensemble.Ensemble, killed chan<- struct{}) {
	t.Helper()
	tell := sync.OnceFunc(func() { close(killed) })
	defer tell() // also if it cannot be
	ctx := trial.Within(t, patience)
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	require.NoError(t, leader.Kill(ctx))
	tell()
	if len(e.Servers()) > 1 {
		_, err = e.Leader(ctx)
		require.NoError(t, err)
	}
	require.NoError(t, leader.Restart(ctx))
}
