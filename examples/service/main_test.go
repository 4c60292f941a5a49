package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// screen is a terminal.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.buf.String(), text)
}

// terminal is a service that runs.
type terminal struct {
	screen
	stop context.CancelFunc
	done chan error
}

func start(t *testing.T, o options, name string) *terminal {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	term := &terminal{stop: cancel, done: make(chan error, 1)}
	o.name = name
	go func() { term.done <- run(ctx, o, newJournal(&term.screen, name)) }()
	t.Cleanup(cancel)
	return term
}

func (term *terminal) end(t *testing.T) {
	t.Helper()
	term.stop()
	require.ErrorIs(t, <-term.done, context.Canceled)
}

// TestThreeTerminals: what one would do with three of them.
func TestThreeTerminals(t *testing.T) {
	srv := zktest.Start(t)
	o := options{servers: srv.Addr(), session: 4 * time.Second, root: "/service", shards: 12}
	cl, err := client.Connect(t.Context(), srv.Addr())
	require.NoError(t, err)
	defer func() { require.NoError(t, cl.Close()) }()
	look := &service{cl: cl, root: o.root}
	// counted waits until a service has added to so many shards, and nobody else to them after that.
	counted := func(share map[string]int) {
		t.Helper()
		require.Eventually(t, func() bool {
			now := map[string]int{}
			for i := range o.shards {
				c, _, err := look.load(t.Context(), fmt.Sprintf("shard-%02d", i))
				require.NoError(t, err)
				now[c.By]++
			}
			for name, n := range share {
				if now[name] != n {
					return false
				}
			}
			return len(now) == len(share)
		}, patience, 10*time.Millisecond, "wanted %v", share)
	}
	command := func(change func(*options)) string {
		t.Helper()
		var out screen
		with := o
		change(&with)
		require.NoError(t, run(t.Context(), with, newJournal(&out, "command")))
		return out.buf.String()
	}
	require.Contains(t, command(func(o *options) { o.set = `{"interval_ms":20}` }), "every 20ms, step 1")
	a := start(t, o, "a")
	counted(map[string]int{"a": 12})
	b := start(t, o, "b")
	counted(map[string]int{"a": 6, "b": 6})
	c := start(t, o, "c")
	counted(map[string]int{"a": 4, "b": 4, "c": 4})
	require.Eventually(t, func() bool { return a.shows("members: a b c") }, patience, time.Millisecond)

	// Settings that change while it runs, and bad ones that do not.
	require.Contains(t, command(func(o *options) { o.set = `{"step":1000}` }), "every 20ms, step 1000")
	require.Eventually(t, func() bool { return b.shows("every 20ms, step 1000") }, patience, time.Millisecond)
	before, _, err := look.load(t.Context(), "shard-00")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		c, _, err := look.load(t.Context(), "shard-00")
		return err == nil && c.Count >= before.Count+1000
	}, patience, time.Millisecond)
	require.Error(t, run(t.Context(), options{servers: o.servers, session: o.session, root: o.root, set: `{"step":0}`}, newJournal(io.Discard, "")))
	require.NoError(t, srv.Set("/service/settings", []byte("rubbish")))
	require.Eventually(t, func() bool { return c.shows("it stays at every 20ms, step 1000") }, patience, time.Millisecond)

	// One ends, one loses its session.
	b.end(t)
	counted(map[string]int{"a": 6, "c": 6})
	require.Eventually(t, func() bool { return c.shows("members: a c") }, patience, time.Millisecond)
	for _, s := range srv.Sessions() {
		if node, ok := srv.Node("/service/members/a"); ok && node.Stat.EphemeralOwner == s.ID {
			require.True(t, srv.ExpireSession(s.ID))
		}
	}
	require.Eventually(t, func() bool { return a.shows("gives up shard") }, patience, time.Millisecond)
	require.NoError(t, srv.Delete("/service/settings")) // or there is nothing to show
	var shown string
	require.Eventually(t, func() bool {
		shown = command(func(o *options) { o.show = true })
		return strings.Contains(shown, "member a: ") // again
	}, patience, 10*time.Millisecond)
	counted(map[string]int{"a": 6, "c": 6})
	require.Contains(t, shown, "every 1s, step 1")
	require.Contains(t, shown, "shard-11: ")
	a.end(t)
	c.end(t)
}

func TestEmbedded(t *testing.T) {
	term := start(t, options{embedded: true, session: 4 * time.Second, root: "/service", shards: 2}, "alone")
	require.Eventually(t, func() bool { return term.shows("owns shard-00") && term.shows("owns shard-01") }, patience, time.Millisecond)
	require.True(t, term.shows("ZooKeeper at 127.0.0.1:"))
	term.end(t)
}
