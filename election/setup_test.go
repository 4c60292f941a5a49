package election_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

const (
	dir     = "/workers/leader"
	dataDir = "/workers/leader-data"
)

// patience bounds every wait for an event that has to come.
const patience = time.Minute

// quick is for clients that have to connect again: the pauses before that go by the timeout.
var quick = client.WithSessionTimeout(4 * time.Second)

// connect opens a client whose session is so long that it need not confirm itself during a test,
// unless the test wants it shorter.
func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func sessionOf(t testing.TB, cl *client.Client) int64 {
	t.Helper()
	s, err := cl.Session(bounded(t))
	require.NoError(t, err)
	return s.ID()
}

func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// wait receives an event that has to come.
func wait[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		require.FailNow(t, "waited in vain for "+what)
		panic("unreachable")
	}
}

func campaign(t testing.TB, e *election.Election) *election.Term {
	t.Helper()
	term, err := e.Campaign(bounded(t))
	require.NoError(t, err)
	require.NoError(t, term.Err())
	require.NoError(t, term.Context().Err())
	return term
}

type outcome struct {
	term *election.Term
	err  error
}

// standing starts a campaign and returns once its candidate waits in line.
func standing(ctx context.Context, t testing.TB, srv *zktest.Server, e *election.Election) <-chan outcome {
	t.Helper()
	watched := watching(srv)
	out := make(chan outcome, 1)
	go func() {
		term, err := e.Campaign(ctx)
		out <- outcome{term, err}
	}()
	wait(t, "a candidate that waits", watched)
	return out
}

// watching is closed when somebody has begun to watch a node in the election's directory.
func watching(srv *zktest.Server) <-chan struct{} {
	h := srv.HoldReply(zktest.Match{Path: dir + "/*", Ops: []zktest.Op{zktest.OpGetData}})
	done := make(chan struct{})
	go func() {
		<-h.Fired()
		h.Release()
		close(done)
	}()
	return done
}

func elected(t testing.TB, from <-chan outcome) *election.Term {
	t.Helper()
	o := wait(t, "a term", from)
	require.NoError(t, o.err)
	require.NoError(t, o.term.Err())
	return o.term
}

// nodes returns the names of the nodes in a directory, in order.
func nodes(srv *zktest.Server, path string) []string {
	n, _ := srv.Node(path)
	return n.Children
}

// requireGone waits until no candidate is left, nor anybody's data, nor a watch.
func requireGone(t testing.TB, srv *zktest.Server) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Empty(c, nodes(srv, dir), "candidates")
		assert.Empty(c, nodes(srv, dataDir), "data")
		assert.Empty(c, watches(srv), "watches")
	}, patience, 2*time.Millisecond)
}

// watches are those on the election's nodes.
func watches(srv *zktest.Server) []zktest.Watch {
	return slices.DeleteFunc(srv.WatchList(), func(w zktest.Watch) bool { return !strings.HasPrefix(w.Path, "/workers") })
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// requests are those that reached the server for the election, pings and the like left out.
func requests(srv *zktest.Server) []string {
	var out []string
	for _, r := range srv.Requests(zktest.Match{Path: dir + "*"}) {
		out = append(out, r.Op.String())
	}
	return out
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
