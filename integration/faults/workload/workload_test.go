package workload_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/workload"
	"github.com/zookit/zookit/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// Each workload has a name of its own, by which it is found, and says what it asserts.
func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range workload.All() {
		require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, w.Name)
		require.False(t, seen[w.Name], "%s twice", w.Name)
		seen[w.Name] = true
		require.NotEmpty(t, w.Doc)
		require.NotNil(t, w.Run)
		require.NotNil(t, w.Check)
		found, err := workload.Lookup(w.Name)
		require.NoError(t, err)
		require.Equal(t, w.Doc, found.Doc)
	}
	_, err := workload.Lookup("mutex")
	require.ErrorContains(t, err, "mutex-history")
}
