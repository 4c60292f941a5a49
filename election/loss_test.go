package election_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// stage is a participant under test, and another one that is to lead after it.
type stage struct {
	srv     *zktest.Server
	cl      *client.Client
	session int64
	e       *election.Election
	rival   *election.Election
}

func newStage(t *testing.T) *stage {
	srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	opt := election.WithData(dataDir)
	st := &stage{srv: srv, cl: connect(t, srv)}
	st.session = sessionOf(t, st.cl)
	st.e, st.rival = election.New(st.cl, dir, "a", opt), election.New(connect(t, srv), dir, "b", opt)
	srv.ResetRequests()
	return st
}

// career is all that a participant can do, from being a candidate to having been a leader: it
// hands over to the rival, or resigns. It goes on after an error to whatever is still to be given
// up.
func (st *stage) career(ctx context.Context, t *testing.T, handOver bool) error {
	term, err := st.e.Campaign(ctx)
	if err != nil {
		return err
	}
	next := make(chan outcome, 1)
	watched := watching(st.srv)
	go func() {
		term, err := st.rival.Campaign(t.Context())
		next <- outcome{term, err}
	}()
	wait(t, "the rival", watched)
	lead := func() error {
		for _, data := range []string{"one", "two"} {
			if err := term.Publish(ctx, []byte(data)); err != nil {
				return err
			}
		}
		l, err := st.e.Leader(ctx)
		if err != nil {
			return err
		}
		if l.ID != "a" || string(l.Data) != "two" {
			return fmt.Errorf("%s leads with %q", l.ID, l.Data)
		}
		for l, err := range st.e.Observe(ctx) {
			if err != nil {
				return err
			}
			if l.ID != "a" || string(l.Data) != "two" {
				return fmt.Errorf("%s is seen to lead with %q", l.ID, l.Data)
			}
			break
		}
		if handOver {
			return term.HandOver(ctx, "b")
		}
		return term.Resign(ctx)
	}
	err = lead()
	if err != nil {
		if again := term.Resign(t.Context()); again != nil {
			t.Errorf("resign: %v", again)
		}
	}
	if term.Err() == nil {
		t.Error("the term goes on")
	}
	rival := elected(t, next)
	if again := rival.Resign(t.Context()); again != nil {
		t.Errorf("the rival: %v", again)
	}
	return err
}

// of matches the n-th request (from 0) of the session under test.
func (st *stage) of(n int) zktest.Match {
	return zktest.Match{Session: st.session, Where: func(zktest.Request) bool {
		n--
		return n < 0
	}}
}

// count is how many requests an undisturbed career sends.
func count(t *testing.T, handOver bool) int {
	st := newStage(t)
	require.NoError(t, st.career(t.Context(), t, handOver))
	return len(st.srv.Requests(zktest.Match{Session: st.session}))
}

// Each request of a career, and the answer to each, is lost in turn: everything succeeds, once.
func TestLostAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, handOver := range []bool{true, false} {
		for i := range count(t, handOver) {
			for how, lose := range map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
				"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
			} {
				t.Run(fmt.Sprintf("hand over %t, %s %d", handOver, how, i+1), func(t *testing.T) {
					t.Parallel()
					st := newStage(t)
					lost := lose(st.srv, st.of(i))
					require.NoError(t, st.career(t.Context(), t, handOver))
					lost.Cancel() // the last ones are sent by the clean-up, perhaps later
					requireNothingOf(t, st)
				})
			}
		}
	}
}

// The context is cancelled at every await point: each request is held before it is executed and
// before it is answered, dropped, or its answer swallowed. Nothing is left, and the rival leads.
func TestCancelledAtEveryAwaitPoint(t *testing.T) {
	t.Parallel()
	for _, handOver := range []bool{true, false} {
		for i := range count(t, handOver) {
			for _, how := range []string{"request held", "reply held", "request dropped", "reply swallowed"} {
				t.Run(fmt.Sprintf("hand over %t, %s %d", handOver, how, i+1), func(t *testing.T) {
					t.Parallel()
					st := newStage(t)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					reached, resume := st.disturb(st.of(i), how)
					done := make(chan error, 1)
					go func() { done <- st.career(ctx, t, handOver) }()
					var err error
					select {
					case <-reached:
						cancel()
						resume()
						err = wait(t, "the end", done)
					case err = <-done: // it was one of the clean-up's
						resume()
					}
					if err != nil {
						require.ErrorIs(t, err, context.Canceled)
					}
					requireNothingOf(t, st)
				})
			}
		}
	}
}

// disturb makes something happen to a request; resume ends it.
func (st *stage) disturb(at zktest.Match, how string) (reached <-chan struct{}, resume func()) {
	switch how {
	case "request held":
		there, on := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() {
			close(there)
			<-on
		})
		st.srv.OnRequest(func(r zktest.Request) {
			if r.Session == at.Session && r.Op != zktest.OpPing && r.Op != zktest.OpConnect && at.Where(r) {
				once()
			}
		})
		return there, func() { close(on) }
	case "reply held":
		h := st.srv.HoldReply(at)
		return h.Fired(), h.Release
	case "request dropped":
		f := st.srv.DropRequest(at)
		return f.Fired(), func() { f.Cancel() }
	default:
		f := st.srv.SwallowReply(at)
		return f.Fired(), func() { f.Cancel() }
	}
}

// requireNothingOf waits until the client has nothing more to undo, and nothing is left.
func requireNothingOf(t *testing.T, st *stage) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		stats := st.cl.Stats()
		assert.Zero(c, stats.Cleanups+stats.InFlight, "clean-ups")
		for path, n := range st.srv.Dump() {
			assert.NotEqual(c, st.session, n.Stat.EphemeralOwner, "%s is left", path)
		}
	}, patience, 2*time.Millisecond)
	requireGone(t, st.srv)
	_, err := st.e.Leader(t.Context())
	require.ErrorIs(t, err, election.ErrNoLeader)
}
