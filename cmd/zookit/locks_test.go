package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

func TestLocks(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	cl, ctx := connected(t, s), t.Context()
	_, err := lock.NewMutex(cl, "/a/b/lock", lock.WithIdentifier("m")).Lock(ctx)
	require.NoError(t, err)
	_, err = lock.NewSemaphore(cl, "/a/sem", 2, lock.WithLayout(recipes.Kazoo)).Acquire(ctx, 1)
	require.NoError(t, err)
	_, err = election.New(cl, "/leader", "e").Campaign(ctx)
	require.NoError(t, err)
	_, err = group.Join(ctx, cl, "/workers", "w", nil)
	require.NoError(t, err)
	for path, layout := range map[string]queue.Layout{"/queues/ours": queue.Native, "/queues/kazoo": queue.KazooLockingQueue} {
		_, err = queue.New[string](cl, path, queue.WithLayout(layout)).Put(ctx, "x")
		require.NoError(t, err)
	}
	require.NoError(t, s.Create("/plain", []byte("data")))

	prints(t, env, "/a/b/lock\tmutex\t1\t0\n/a/sem\tsemaphore\t1\t0\n/leader\telection\t1\t0\n/queues/kazoo\tqueue\t0\t0\n/queues/ours\tqueue\t0\t0\n/workers\tgroup\t0\t0\n", "locks", "-o", "raw")
	prints(t, env, "/a/b/lock\tmutex\t1\t0\n/a/sem\tsemaphore\t1\t0\n", "locks", "/a", "-o", "raw")
	prints(t, env, "/a/b/lock\tmutex\t1\t0\n/leader\telection\t1\t0\n", "locks", "--kind", "mutex,election", "-o", "raw")
	prints(t, env, "/a/b/lock\tmutex\t1\t0\n/a/sem\tsemaphore\t1\t0\n/leader\telection\t1\t0\n", "locks", "--busy", "-o", "raw")
	prints(t, env, "", "locks", "/plain", "-o", "raw")
	out, code := runs(t, env, "locks", "/a/b")
	require.Zero(t, code)
	require.Regexp(t, `^PATH       KIND   LAYOUT   HELD BY  SINCE .*\n/a/b/lock  mutex  curator  m        .*  0     0\n$`, out)
	var all []report
	inspected(t, env, &all, "locks", "/a/b")
	require.Regexp(t, `^127\.0\.0\.1:\d+$`, all[0].Holders[0].Host)

	exits(t, env, 1, "locks", "--most", "1")
	exits(t, env, 1, "locks", "/nowhere")
	exits(t, env, 64, "locks", "--kind", "thing")
	exits(t, env, 64, "locks", "--most", "0")
}

// What may not be read is left out, and said.
func TestLocksThatMayNotBeRead(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	cl, ctx := connected(t, s), t.Context()
	_, err := lock.NewMutex(cl, "/open/lock").Lock(ctx)
	require.NoError(t, err)
	for _, path := range []string{"/closed", "/closed/lock"} {
		_, err = cl.Create(ctx, path, nil)
		require.NoError(t, err)
	}
	_, err = cl.SetACL(ctx, "/closed", []client.ACL{client.WorldACL(client.PermAll &^ client.PermRead)}, client.AnyVersion)
	require.NoError(t, err)
	c := start(t, env, "", "locks", "-o", "raw")
	require.Zero(t, c.code())
	require.Equal(t, "/open/lock\tmutex\t1\t0\n", c.out.String())
	require.Contains(t, c.err.String(), "1 node and what is below may not be read")
	exits(t, env, 1, "inspect", "/closed")
}
