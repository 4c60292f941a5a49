//go:build linux

package ensemble

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server whose disk is full takes no writes; with room again, and started again, it has all
// that was committed.
func TestDiskFull(t *testing.T) {
	e, err := Open(t.Context(), 3, WithProvider("jvm"), WithDisks(64<<20), WithConfig("preAllocSize", "64"))
	if errors.Is(err, ErrNoProvider) {
		t.Skipf("NOT TESTED: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	ctx := bounded(t)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	full := followers[0]
	leader, err := e.Leader(ctx)
	require.NoError(t, err)
	conn := connect(t, 10*time.Second, leader.Addr())
	create(t, conn, "/before", 0)
	require.NoError(t, full.FillDisk(ctx))
	for version := range int32(200) { // more than a page
		_, err := conn.Set("/before", make([]byte, 1000), version)
		require.NoError(t, err, "the others go on")
	}
	require.Eventually(t, func() bool {
		_, err := probe(ctx, full.Addr())
		return err != nil
	}, 30*time.Second, 50*time.Millisecond, "the server with the full disk serves on")
	require.NoError(t, full.FreeDisk(ctx))
	require.NoError(t, full.Restart(ctx))
	_, err = e.Leader(ctx)
	require.NoError(t, err)
	alone := connect(t, 10*time.Second, full.Addr())
	_, _, err = alone.Get("/before")
	require.NoError(t, err)
	_, err = alone.Sync("/before")
	require.NoError(t, err)
	_, stat, err := alone.Get("/before")
	require.NoError(t, err)
	require.Equal(t, int32(200), stat.Version)
}

func TestNoDisks(t *testing.T) {
	e := Start(t, 1, WithProvider("jvm"))
	require.ErrorIs(t, e.Servers()[0].FillDisk(bounded(t)), ErrNoDisks)
	require.ErrorIs(t, e.Servers()[0].FreeDisk(bounded(t)), ErrNoDisks)
}
