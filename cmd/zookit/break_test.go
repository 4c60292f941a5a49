package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
)

func TestBreak(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	m := lock.NewMutex(connected(t, s), "/l", lock.WithIdentifier("gone"))
	p, err := m.LockPersistent(t.Context())
	require.NoError(t, err)
	next := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiter := lock.NewMutex(connected(t, s), "/l")
	go func() {
		_, err := waiter.Lock(ctx)
		next <- err
	}()
	var waits string
	require.Eventually(t, func() bool {
		all, err := m.Contenders(t.Context())
		if err == nil && len(all) == 2 {
			waits = all[1].Path
		}
		return waits != ""
	}, patience, time.Millisecond)

	exits(t, env, 64, "break", "/l")
	exits(t, env, 1, "break", waits, "--yes")
	exits(t, env, 1, "break", "/l", "--holder", "somebody", "--yes")
	prints(t, env, p.Path()+"\n", "break", "/l", "--dry-run")
	no := atTerminal(t, env, "break", "/l")
	no.sees("gone holds since", "would delete "+p.Path(), "Delete it? [y/N]")
	no.types("n", enter)
	no.ends(1)
	require.NoError(t, p.Check(t.Context()))
	yes := atTerminal(t, env, "break", "/l")
	yes.sees("Delete it? [y/N]")
	yes.types("y", enter)
	yes.ends(0)
	require.ErrorIs(t, p.Check(t.Context()), client.ErrHoldDeleted)
	require.NoError(t, <-next, "the next one holds")

	exits(t, env, 1, "break", "/nowhere", "--yes")
	require.NoError(t, s.Create("/plain", nil))
	exits(t, env, 64, "break", "/plain", "--yes")
}

// Of several holders one is named; all permits of a grant go, and nobody else's.
func TestBreakOneOfSeveral(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	a, err := lock.NewSemaphore(connected(t, s), "/sem", 5, lock.WithIdentifier("a")).Acquire(t.Context(), 2)
	require.NoError(t, err)
	b, err := lock.NewSemaphore(connected(t, s), "/sem", 5, lock.WithIdentifier("b")).Acquire(t.Context(), 3)
	require.NoError(t, err)
	exits(t, env, 64, "break", "/sem", "--yes")
	out, code := runs(t, env, "break", "/sem", "--holder", "a", "--yes", "-o", "json")
	require.Zero(t, code)
	var broken struct {
		Path    string
		Nodes   []string
		Deleted bool
		Holder  struct{ Identifier string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &broken))
	require.True(t, broken.Deleted)
	require.Equal(t, "a", broken.Holder.Identifier)
	require.Len(t, broken.Nodes, 2)
	<-a.Context().Done()
	require.NoError(t, b.Err())
	var r report
	inspected(t, env, &r, "inspect", "/sem")
	require.Len(t, r.Holders, 1)
	require.Equal(t, 3, r.Holders[0].Permits)
	exits(t, env, 0, "break", b.Path(), "--yes")
	<-b.Context().Done()
}

// While somebody thinks about it the node is changed, or gives way to another holder's: it is left alone.
func TestBreakIsGuarded(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	h, err := lock.NewMutex(connected(t, s), "/l").Lock(t.Context())
	require.NoError(t, err)
	c := atTerminal(t, env, "break", "/l")
	c.sees("Delete it? [y/N]")
	require.NoError(t, s.Set(h.Path(), []byte("changed")))
	c.types("y", enter)
	c.sees("has been changed")
	c.ends(1)
	require.NoError(t, h.Err())
	c = atTerminal(t, env, "break", "/l")
	c.sees("Delete it? [y/N]")
	require.NoError(t, h.Unlock(t.Context()))
	other, err := lock.NewMutex(connected(t, s), "/l").Lock(t.Context())
	require.NoError(t, err)
	c.types("y", enter)
	c.sees("has let go by itself")
	c.ends(0)
	require.NoError(t, other.Err())
	_, ok := s.Node(other.Path())
	require.True(t, ok)
}

// In a shell, too, it asks, and a watch ends with an interrupt.
func TestInspectAndBreakInShell(t *testing.T) {
	s := server(t)
	p, err := lock.NewMutex(connected(t, s), "/l", lock.WithIdentifier("gone")).LockPersistent(t.Context())
	require.NoError(t, err)
	c := atTerminal(t, environment(t, s.ConnectString()), "shell")
	c.sees("> ")
	c.types("inspect /l --watch", enter)
	c.sees("\x1b[H\x1b[2J", "held by gone")
	c.types(interrupt)
	c.sees("> ")
	c.types("break /l", enter)
	c.sees("Delete it? [y/N]")
	c.types("y", enter)
	c.sees(p.Path(), "> ")
	c.types(endOfFile)
	c.ends(0)
	_, ok := s.Node(p.Path())
	require.False(t, ok)
}
