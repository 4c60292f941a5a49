package sim_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/sim"
	"github.com/zookit/zookit/integration/faults/workload"
)

var (
	seeds    = flag.Int("sim.seeds", 2, "how many schedules to run of each workload")
	seed     = flag.Uint64("sim.seed", 1, "the first seed")
	only     = flag.String("sim.workload", "", "run this workload only")
	faults   = flag.String("sim.faults", "", "do those faults only whose names contain one of these words, with commas between them")
	duration = flag.Duration("sim.duration", 5*time.Minute, "simulated time with faults, of each schedule")
	out      = flag.String("sim.out", filepath.Join(os.TempDir(), "zookit-faults"), "where failures are left")
	procs    = flag.Int("sim.procs", 1, "GOMAXPROCS: one makes a seed replay as exactly as can be")
)

// TestSchedules runs each workload under seeded schedules of faults.
func TestSchedules(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(*procs))
	all := workload.All()
	if *only != "" {
		w, err := workload.Lookup(*only)
		require.NoError(t, err)
		all = []*workload.Workload{w}
	}
	var kinds []sim.Kind // all
	for word := range strings.SplitSeq(*faults, ",") {
		for _, k := range sim.Kinds() {
			if word != "" && strings.Contains(string(k), word) {
				kinds = append(kinds, k)
			}
		}
	}
	var total sim.Counts
	began := time.Now()
	for _, w := range all {
		for i := range *seeds {
			s := *seed + uint64(i)
			t.Run(fmt.Sprintf("%s/%d", w.Name, s), func(t *testing.T) {
				res := sim.Run(t, sim.Config{Seed: s, Workload: w, Duration: *duration, Kinds: kinds})
				total.Add(res.Counts)
				if len(res.Violations) > 0 {
					folder := filepath.Join(*out, fmt.Sprintf("%s-%d", w.Name, s))
					require.NoError(t, res.Leave(folder))
					t.Errorf("the history is left in %s; to run it again: go test ./faults/sim -run TestSchedules -count 5 -sim.workload %s -sim.seed %d -sim.seeds 1 -sim.duration %v -sim.faults %q\n%s",
						folder, w.Name, s, *duration, *faults, models.Lines(res.Violations))
				}
			})
		}
	}
	t.Logf("%d schedules, %v simulated in %v: %d operations (%d with an unknown outcome), %d grants, %d sessions lost, %d requests",
		total.Runs, total.Simulated.Round(time.Minute), time.Since(began).Round(time.Millisecond), total.Operations, total.Unknown, total.Grants, total.SessionsLost, total.Requests)
	for _, kind := range slices.Sorted(maps.Keys(total.Faults)) {
		t.Logf("%7d × %s", total.Faults[kind], kind)
	}
}
