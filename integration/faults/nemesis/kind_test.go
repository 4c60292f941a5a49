package nemesis

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/stage"
)

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range All() {
		require.Regexp(t, `^[a-z]+(-[a-z]+)+$`, k.Name)
		require.NotEmpty(t, k.Doc, k.Name)
		require.False(t, seen[k.Name], "%s is there twice", k.Name)
		seen[k.Name] = true
		found, err := Lookup(k.Name)
		require.NoError(t, err)
		require.Equal(t, k.Name, found.Name)
	}
	require.GreaterOrEqual(t, len(seen), 30)
	_, err := Lookup("server-eaten")
	require.ErrorContains(t, err, "leader-killed", "the error says what there is")
}

// What a stage cannot do is said, and by no more faults than it concerns.
func TestMissing(t *testing.T) {
	missing := func(st *stage.Stage) (names []string) {
		for _, k := range All() {
			if k.Missing != nil && k.Missing(st) != "" {
				names = append(names, k.Name)
			}
		}
		return names
	}
	require.Empty(t, missing(&stage.Stage{Cuts: true, Disks: true, Settings: stage.Settings{Jumps: true}}))
	require.Len(t, missing(&stage.Stage{}), 7)
	require.Equal(t, []string{"leader-disk-full", "follower-disk-full"}, missing(&stage.Stage{Cuts: true, Settings: stage.Settings{Jumps: true}}))
}

// A fault that fails half-way is undone.
func TestInjectThatFails(t *testing.T) {
	healed := false
	k := &Kind{Name: "half", inject: func(context.Context, *Scene) (*Fault, error) {
		return &Fault{heal: func(context.Context) error { healed = true; return nil }}, context.DeadlineExceeded
	}}
	_, err := k.Inject(t.Context(), &Scene{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "half")
	require.True(t, healed)
}

func TestSceneIsSeeded(t *testing.T) {
	times := func(seed uint64) (all []time.Duration) {
		s := &Scene{Rand: rand.New(rand.NewPCG(seed, 1)), Stage: &stage.Stage{Settings: stage.Settings{Session: time.Second}}}
		for range 20 {
			d := s.sessions(0.5, 1.5)
			require.GreaterOrEqual(t, d, 500*time.Millisecond)
			require.LessOrEqual(t, d, 1500*time.Millisecond)
			all = append(all, d)
		}
		return all
	}
	one := times(1)
	require.Equal(t, one, times(1))
	require.NotEqual(t, one, times(2))
}
