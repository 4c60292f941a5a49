package client_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// TestB7_OversizedRequest: upon a request over its limit a server cuts the connection,
// and everybody whose request is in flight suffers. It is refused instead.
func TestB7_OversizedRequest(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	ctx := t.Context()
	held := srv.HoldReply(zktest.On("/n", zktest.OpExists))
	bystander := make(chan error, 1)
	go func() {
		_, _, err := cl.Exists(ctx, "/n")
		bystander <- err
	}()
	wait(t, held.Fired(), "the bystander's request is in flight")
	data := large(1 << 20)
	for name, op := range map[string]func() error{
		"Set":    func() error { _, err := cl.Set(ctx, "/n", data, 0); return err },
		"Create": func() error { _, err := cl.Create(ctx, "/x", data); return err },
		"Create with a long name": func() error {
			_, err := cl.Create(ctx, "/"+string(data), nil)
			return err
		},
		"Txn": func() error {
			txn := cl.Txn()
			for i := range 64 {
				txn.Create(fmt.Sprintf("/x%d", i), data[:1<<14])
			}
			_, err := txn.Commit(ctx)
			return err
		},
		"Get of a long path": func() error { _, _, err := cl.Get(ctx, "/"+string(data)); return err },
		"SetACL": func() error {
			_, err := cl.SetACL(ctx, "/n", []client.ACL{client.IPACL(1, string(data))}, 0)
			return err
		},
		"Hold":    func() error { _, err := session(t, cl).Hold("/" + string(data)); return err },
		"Confirm": func() error { return session(t, cl).Confirm(ctx, "/"+string(data)) },
	} {
		err := op()
		require.ErrorIs(t, err, client.ErrTooLarge, name)
		require.Equal(t, client.NotSent, client.Outcome(err), name)
		require.ErrorContains(t, err, "1048511", name)
		require.Less(t, len(err.Error()), 1000, name)
	}
	held.Release()
	err, _ := receive(t, bystander)
	require.NoError(t, err)
	require.Equal(t, 1, srv.Accepted())
}

// What is just below the limit is accepted by a server with default settings.
func TestLargestRequest(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	size := 0
	for low, high := 1<<19, 1<<21; low < high; {
		size = (low + high) / 2
		_, err := cl.Set(t.Context(), "/n", large(size), client.AnyVersion)
		if err == nil {
			low = size + 1
		} else {
			require.ErrorIs(t, err, client.ErrTooLarge)
			high = size
		}
		size = low - 1
	}
	require.Greater(t, size, 1<<20-256)
	require.Equal(t, 1, srv.Accepted(), "the connection was never cut")
	data, _, err := cl.Get(t.Context(), "/n")
	require.NoError(t, err)
	require.Len(t, data, size)

	small := connect(t, srv, client.WithMaxRequest(2048))
	_, err = small.Set(t.Context(), "/n", large(2048), client.AnyVersion)
	require.ErrorIs(t, err, client.ErrTooLarge)
	require.ErrorContains(t, err, "limit 2048")
}

// A reply over the limit fails its call and harms no other.
func TestReplyTooLarge(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	require.NoError(t, srv.Set("/n", large(100_000)))
	cl := connect(t, srv, client.WithMaxReply(8192))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, _, err := cl.Get(t.Context(), "/n")
			assert.ErrorIs(t, err, client.ErrReplyTooLarge)
			assert.Equal(t, client.Definite, client.Outcome(err))
			assert.ErrorContains(t, err, "limit 8192")
		})
		wg.Go(func() {
			_, _, err := cl.Get(t.Context(), "/tree")
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	require.Equal(t, 1, srv.Accepted())
}

// A read whose reply was too large has set its watch on the server all the same; it is
// removed there.
func TestReplyTooLargeLeavesNoWatch(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	require.NoError(t, srv.Set("/n", large(100_000)))
	cl := connect(t, srv, client.WithMaxReply(8192))
	_, _, w, err := cl.GetW(t.Context(), "/n")
	require.ErrorIs(t, err, client.ErrReplyTooLarge)
	require.Nil(t, w)
	require.NoError(t, cl.Sync(t.Context(), "/"))
	require.Zero(t, srv.Watches())
}

// Bad paths never reach a server: some answer by cutting the connection.
func TestBadPaths(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := primed(t, srv)
	s := session(t, cl)
	ctx := t.Context()
	srv.ResetRequests()
	for _, path := range []string{"", "n", "/n/", "//", "/n//m", "/.", "/n/..", "/n\x00", "/\xff", "/\U0001f600"} {
		for name, op := range map[string]func() error{
			"Get":           func() error { _, _, err := cl.Get(ctx, path); return err },
			"GetW":          func() error { _, _, _, err := cl.GetW(ctx, path); return err },
			"Exists":        func() error { _, _, err := cl.Exists(ctx, path); return err },
			"ExistsW":       func() error { _, _, _, err := cl.ExistsW(ctx, path); return err },
			"Children":      func() error { _, _, err := cl.Children(ctx, path); return err },
			"ChildrenW":     func() error { _, _, _, err := cl.ChildrenW(ctx, path); return err },
			"Sync":          func() error { return cl.Sync(ctx, path) },
			"Create":        func() error { _, err := cl.Create(ctx, path, nil); return err },
			"Set":           func() error { _, err := cl.Set(ctx, path, nil, 0); return err },
			"Delete":        func() error { return cl.Delete(ctx, path, 0) },
			"DeleteAll":     func() error { return cl.DeleteAll(ctx, path) },
			"GetACL":        func() error { _, _, err := cl.GetACL(ctx, path); return err },
			"SetACL":        func() error { _, err := cl.SetACL(ctx, path, []client.ACL{client.WorldACL(1)}, 0); return err },
			"Txn":           func() error { _, err := cl.Txn().Check(path, 0).Commit(ctx); return err },
			"Confirm":       func() error { return s.Confirm(ctx, "/n", path) },
			"CreateAndList": func() error { _, _, err := s.CreateAndList(ctx, path, nil); return err },
			"Hold":          func() error { _, err := s.Hold(path); return err },
		} {
			err := op()
			require.ErrorIs(t, err, client.ErrBadPath, "%s %q", name, path)
			require.Equal(t, client.NotSent, client.Outcome(err), name)
			require.NotContains(t, err.Error(), "\x00", "it can be printed")
		}
	}
	require.Empty(t, srv.Requests())
	require.Equal(t, 1, srv.Accepted())
}
