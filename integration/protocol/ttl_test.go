package protocol

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
)

// TestTxnModes: nodes of every kind are made in one transaction, and are of that kind:
// what the server deletes by itself is gone after a while.
func TestTxnModes(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1, ensemble.WithConfig("extendedTypesEnabled", "true"), ensemble.WithJVMFlags("-Dznode.container.checkIntervalMs=200"))
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, e.Connect()+"/app", client.WithCreateChroot())
	ttl := client.WithTTL(500 * time.Millisecond)
	results, err := cl.Txn().
		Create("/c", nil, client.WithMode(client.Container)).
		Create("/c/child", nil, client.WithMode(client.Ephemeral)).
		Create("/t", []byte("x"), client.WithMode(client.PersistentTTL), ttl).
		Create("/t-", nil, client.WithMode(client.PersistentSequentialTTL), ttl).
		Create("/s-", nil, client.WithMode(client.EphemeralSequential)).
		Create("/p-", nil, client.WithMode(client.PersistentSequential)).
		Create("/p", nil).
		Set("/t", []byte("yy"), 0).
		Check("/c", 0).
		Commit(ctx)
	require.NoError(t, err)
	want := []string{"/c", "/c/child", "/t", "/t-0000000002", "/s-0000000003", "/p-0000000004", "/p", "", ""}
	for i, r := range results {
		require.Equal(t, want[i], r.Path, i)
		told := i == 0 || i == 2 || i == 3 || i == 7
		require.Equal(t, told, r.Stat.Czxid != 0, i)
	}
	require.Equal(t, 2, results[7].Stat.DataLength)
	for _, path := range []string{"/t", "/t-0000000002"} {
		require.NoError(t, awaitGone(ctx, cl, path))
	}
	_, ok, err := cl.Exists(ctx, "/c")
	require.NoError(t, err)
	require.True(t, ok, "it has a child")
	require.NoError(t, cl.Delete(ctx, "/c/child", client.AnyVersion))
	require.NoError(t, awaitGone(ctx, cl, "/c"))
	for _, path := range []string{"/p", "/p-0000000004", "/s-0000000003"} {
		_, ok, err := cl.Exists(ctx, path)
		require.NoError(t, err)
		require.True(t, ok, path)
	}
	require.NoError(t, cl.Close())
	_, ok, err = trial.Connect(t, e.Connect()).Exists(ctx, "/app/s-0000000003")
	require.NoError(t, err)
	require.False(t, ok, "it was ephemeral")
}

// TestTTLSwitchedOff: the servers' default; the error says so, the connection stays.
func TestTTLSwitchedOff(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1, ensemble.WithConfig("extendedTypesEnabled", "false"))
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, e.Connect())
	opts := []client.CreateOption{client.WithMode(client.PersistentTTL), client.WithTTL(time.Second)}
	_, err := cl.Create(ctx, "/t", nil, opts...)
	require.ErrorIs(t, err, client.ErrUnimplemented)
	_, err = cl.Txn().Create("/p", nil).Create("/t", nil, opts...).Commit(ctx)
	require.ErrorIs(t, err, client.ErrUnimplemented)
	require.EqualError(t, err, "multi /p: operation 1 (createTTL /t): operation not supported by the server")
	failed, ok := errors.AsType[*client.TxnError](err)
	require.True(t, ok)
	require.Equal(t, 1, failed.Index)
	results, err := cl.Batch().Create("/t", nil, opts...).Exists("/p").Do(ctx)
	require.ErrorIs(t, err, client.ErrUnimplemented)
	require.False(t, results[1].Exists)
	require.EqualValues(t, 1, cl.State().Epoch)
}

// awaitGone waits until a node is deleted.
func awaitGone(ctx context.Context, cl *client.Client, path string) error {
	for {
		_, ok, w, err := cl.ExistsW(ctx, path)
		if err != nil || !ok {
			return err
		}
		select {
		case <-w.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
