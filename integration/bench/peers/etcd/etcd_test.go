package etcd_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/bench/peers"
	"github.com/zookit/zookit/integration/bench/peers/etcd"
	"github.com/zookit/zookit/integration/bench/peers/peertest"
)

// TestWorker: the worker does every work on three members, but for those that etcd lacks, and the members end and leave
// nothing.
func TestWorker(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	servers, stop, err := etcd.NewServers(ctx, dir)
	require.NoError(t, err)
	t.Run("works", func(t *testing.T) {
		w := peertest.New(t, worker(t), dir, servers)
		peertest.Protocol(t, w)
		peertest.Works(t, w, "semaphore", "queue.batch.put", "queue.batch.take")
	})
	require.NoError(t, stop.Close())
	left, err := filepath.Glob(filepath.Join(dir, "etcd-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func worker(t *testing.T) func(ctx context.Context, dir, servers string) (*exec.Cmd, error) {
	t.Helper()
	for _, p := range peers.All() {
		if p.Name == "etcd" {
			return p.Start
		}
	}
	require.Fail(t, "etcd is not among the peers")
	return nil
}
