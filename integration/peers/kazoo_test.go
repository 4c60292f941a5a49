package peers

import (
	"testing"

	"github.com/zookit/zookit/integration/trial"
)

// TestKazoo: the client and the recipes of Kazoo work with zktest.
func TestKazoo(t *testing.T) {
	python := trial.Kazoo(t)
	everyPlace(t, func(t *testing.T, p place) {
		t.Helper()
		run(t, p, python, "-B", "testdata/kazoo_peer/main.py")
	})
}
