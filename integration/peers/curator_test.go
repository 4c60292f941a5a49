package peers

import (
	"slices"
	"testing"

	"github.com/zookit/zookit/integration/trial"
)

// TestCurator: the client and the recipes of Curator work with zktest.
func TestCurator(t *testing.T) {
	java := trial.Curator(t, "testdata/curator_peer")
	everyPlace(t, func(t *testing.T, p place) {
		t.Helper()
		run(t, p, append(slices.Clip(java), "Checks")...)
	})
}
