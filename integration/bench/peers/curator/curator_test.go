package curator

import (
	"testing"

	"github.com/zookit/zookit/integration/bench/peers/peertest"
	"github.com/zookit/zookit/integration/ensemble"
)

// TestWorker: the worker does every work on a real server.
func TestWorker(t *testing.T) {
	w := peertest.New(t, Start, t.TempDir(), ensemble.Start(t, 1).Connect())
	peertest.Protocol(t, w)
	peertest.Endless(t, w)
	peertest.Works(t, w)
}
