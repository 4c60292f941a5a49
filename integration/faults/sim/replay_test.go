package sim_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/sim"
	"github.com/zookit/zookit/integration/faults/workload"
)

// A seed makes the same schedule each time, and another for another workload. Before the first fault everything happens at the same times.
func TestSeedReplays(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	replays := func(w *workload.Workload, seed uint64) *sim.Result {
		return sim.Run(t, sim.Config{Seed: seed, Workload: w, Duration: 3 * time.Minute})
	}
	first := replays(workload.MutexHistory(), 7)
	require.Equal(t, first.Setting.String(), replays(workload.MutexHistory(), 7).Setting.String())
	require.NotEqual(t, first.Setting.Faults, replays(workload.MutexHistory(), 8).Setting.Faults)
	require.NotEqual(t, first.Setting.Faults, replays(workload.MutexToken(), 7).Setting.Faults)
	require.NotEmpty(t, first.Setting.Faults)

	before := func(r *sim.Result) (times []int64, names []string) {
		for _, e := range r.History.Events {
			if e.Name == history.Fault {
				break
			}
			times, names = append(times, e.Time), append(names, e.Client+" "+e.Name)
		}
		return times, names
	}
	times, names := before(first)
	again, same := before(replays(workload.MutexHistory(), 7))
	require.Equal(t, names, same)
	require.Equal(t, times, again)
}

// Each kind of fault alone comes about, and is counted; what was done is in the history.
func TestEachKindOfFault(t *testing.T) {
	for _, kind := range sim.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			res := sim.Run(t, sim.Config{Seed: 3, Workload: workload.Watches(), Duration: 5 * time.Minute, Kinds: []sim.Kind{kind}})
			require.Empty(t, res.Violations)
			require.Equal(t, 1, res.Runs)
			require.Positive(t, res.Faults[kind], "%s", res.Setting)
			require.Len(t, res.Faults, 1)
			require.Len(t, res.History.Notes(history.Fault), len(res.Setting.Faults))
		})
	}
}
