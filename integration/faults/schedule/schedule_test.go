package schedule

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/nemesis"
)

func some(plan *Plan, rounds int) []Round {
	var out []Round
	for range rounds {
		out = append(out, plan.Next())
	}
	return out
}

func TestSeedDecides(t *testing.T) {
	kinds := nemesis.All()
	one, same, other := some(New(7, kinds, 3), 30), some(New(7, kinds, 3), 30), some(New(8, kinds, 3), 30)
	require.Equal(t, one, same)
	require.NotEqual(t, one, other)
	require.Equal(t, one[11], Only(7, kinds, 3, 12))
}

// Every fault is done by itself before any are mixed, and goes on to be.
func TestSingles(t *testing.T) {
	kinds := nemesis.All()
	done, mixed := map[string]int{}, 0
	for i, r := range some(New(1, kinds, 3), 100) {
		require.Equal(t, i+1, r.Number)
		if r.Mixed {
			mixed++
			for _, k := range kinds {
				require.NotZero(t, done[k.Name], "%s has not been done when round %d mixes", k.Name, r.Number)
			}
			continue
		}
		for _, step := range r.Steps {
			require.Len(t, step, 1)
			done[step[0].Kind]++
		}
	}
	require.Greater(t, mixed, 30)
	for _, k := range kinds {
		require.Greater(t, done[k.Name], 5, k.Name)
	}
}

func TestMixedFaultsDoNotMeet(t *testing.T) {
	plan := New(3, nemesis.All(), 3)
	several := 0
	for range 1000 {
		servers := 0
		busy := map[int]bool{}
		step := plan.mix()
		for _, p := range step {
			k, err := nemesis.Lookup(p.Kind)
			require.NoError(t, err)
			if k.Domain == nemesis.Servers {
				servers++
			}
			require.False(t, busy[p.Member])
			busy[p.Member] = true
		}
		require.LessOrEqual(t, servers, 1)
		if len(step) == together {
			several++
		}
	}
	require.Greater(t, several, 900)
}

// Where there is little that can be done, it is done.
func TestOneFault(t *testing.T) {
	for _, name := range []string{"leader-killed", "link-cut"} {
		k, err := nemesis.Lookup(name)
		require.NoError(t, err)
		for _, r := range some(New(1, []*nemesis.Kind{k}, 1), 10) {
			for _, step := range r.Steps {
				require.Len(t, step, 1)
			}
		}
	}
}
