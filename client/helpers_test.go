package client_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// patience bounds the wait for what has to happen; no test that passes waits so long.
const patience = 30 * time.Second

// inMemory is for tests in a bubble of testing/synctest: there the server lives in the
// bubble's time, so that no load of the machine can make an answer late.
var inMemory = zktest.WithInMemoryNetwork()

// connect opens a client that is closed when the test ends.
func connect(t testing.TB, s *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	return connectTo(t, s.Addr(), append([]client.Option{client.WithDialer(s.Dial)}, opts...)...)
}

func connectTo(t testing.TB, servers string, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), servers, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

// session returns the client's current session.
func session(t testing.TB, cl *client.Client) *client.Session {
	t.Helper()
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	return s
}

// states follows a client's state changes.
type states struct {
	t testing.TB
	c chan client.StateChange
}

// follow listens to a client from its current state on, until the test ends.
func follow(t testing.TB, cl *client.Client) *states {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	st := &states{t: t, c: make(chan client.StateChange, 1<<10)}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(st.c)
		for change := range cl.States(ctx) {
			st.c <- change
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return st
}

// next returns the next change, which has to be one to want.
func (s *states) next(want client.State) client.StateChange {
	s.t.Helper()
	change, ok := receive(s.t, s.c)
	require.True(s.t, ok, "the states end where %v was expected", want)
	require.Equal(s.t, want.String(), change.State.String(), "%+v", change)
	return change
}

// until skips changes up to one to want.
func (s *states) until(want client.State) client.StateChange {
	s.t.Helper()
	for {
		change, ok := receive(s.t, s.c)
		require.True(s.t, ok, "the states end without %v", want)
		if change.State == want {
			return change
		}
	}
}

// receive takes one value from a channel.
func receive[T any](t testing.TB, c <-chan T) (T, bool) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v, ok := <-c:
		return v, ok
	case <-timer.C:
		require.Fail(t, "nothing came")
		panic("unreachable")
	}
}

// wait waits for a channel to be closed.
func wait(t testing.TB, c <-chan struct{}, what string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
		require.Fail(t, "it has not happened: "+what)
	}
}

// cut makes the client lose its connection and waits until it knows.
func cut(t testing.TB, s *zktest.Server, st *states) {
	t.Helper()
	s.DropConnections()
	st.until(client.Suspended)
}

// children waits until the children of path are what ok wants, woken by watches of an
// observer: another client.
func children(t testing.TB, observer *client.Client, path string, ok func(names []string) bool) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		names, _, w, err := observer.ChildrenW(ctx, path)
		require.NoError(t, err)
		if ok(names) {
			w.Remove()
			return names
		}
		select {
		case <-w.C:
		case <-ctx.Done():
			require.Fail(t, "the children stay as they are", "%s: %v", path, names)
		}
	}
}

func none(names []string) bool { return len(names) == 0 }

// paths lists the nodes of a server's tree, sorted.
func paths(s *zktest.Server) []string {
	out := []string{}
	for path := range s.Dump() {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

// sent counts the requests that match, as [zktest.On] has them.
func sent(s *zktest.Server, path string, ops ...zktest.Op) int {
	return len(s.Requests(zktest.On(path, ops...)))
}

// dials counts dials and makes them.
type dials struct {
	mu    sync.Mutex
	addrs []string
}

func (d *dials) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	d.addrs = append(d.addrs, addr)
	d.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func (d *dials) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.addrs)
}

// large is n bytes of data.
func large(n int) []byte { return []byte(strings.Repeat("x", n)) }
