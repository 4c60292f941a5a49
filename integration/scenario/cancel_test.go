package scenario

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

func try(ctx context.Context, m *lock.Mutex) (*lock.Held, error) { return m.TryLock(ctx) }

func do(ctx context.Context, m *lock.Mutex) (*lock.Held, error) {
	return nil, m.Do(ctx, func(context.Context, *lock.Held) error { return nil })
}

// ways are the ways through Lock, TryLock and Do that differ in what is sent.
var ways = []way{
	{name: "new directory", missing: true},
	{name: "free"},
	{name: "held", held: true},
	{name: "held for long", held: true, stale: true},
	{name: "reply to create lost", lose: opCreate2},
	{name: "reply to watch lost", lose: opGetData, held: true},
	{name: "TryLock", enter: try},
	{name: "TryLock overtaken", enter: try, late: true, busy: true},
	{name: "Do", enter: do, until: opDelete},
	{name: "Do held", enter: do, held: true, until: opDelete},
}

// disturbances are what happens to a request; see disturb.
var disturbances = []string{"request held", "reply held", "request lost", "reply lost"}

// TestCancelledAtEveryRequest: each request of a call is held in turn before it is
// delivered and before it is answered, and lost with the connection before and after
// it is carried out, no other connection being had. Then the call is cancelled: it
// returns at once, and when the network works again nothing is left of it.
func TestCancelledAtEveryRequest(t *testing.T) {
	e := ensemble.Start(t, 1)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for _, w := range ways {
		var sent []faultproxy.Request
		if !t.Run(w.name, func(t *testing.T) { sent = w.record(t, e, other) }) {
			continue
		}
		watch := slices.IndexFunc(sent, func(r faultproxy.Request) bool { return r.Op == opGetData })
		for i, r := range sent {
			if w.stale && i <= watch {
				continue // no different from a lock that was held for a short time
			}
			for _, how := range disturbances {
				t.Run(fmt.Sprintf("%s/%d %s %s", w.name, i+1, faultproxy.OpName(r.Op), how), func(t *testing.T) {
					w.cancelAt(t, e, other, i+1, how, w.held && i > watch)
				})
			}
		}
	}
}

// record lets the call through and returns what it sends.
func (w way) record(t *testing.T, e *ensemble.Ensemble, other *client.Client) []faultproxy.Request {
	s := w.stage(t, e, other)
	o := s.call(trial.Within(t, time.Minute))
	if w.held {
		s.letGo(t, o)
	}
	<-o.done
	sent := s.sent()
	if w.busy {
		require.ErrorIs(t, o.err, lock.ErrBusy)
	} else {
		require.NoError(t, o.err)
	}
	if o.held != nil {
		require.NoError(t, o.held.Unlock(trial.Within(t, time.Minute)))
	}
	if end := slices.IndexFunc(sent, func(r faultproxy.Request) bool { return r.Op == w.until }); end >= 0 {
		sent = sent[:end]
	}
	t.Logf("%d requests: %v", len(sent), sent)
	require.NotEmpty(t, sent)
	s.requireDone(t)
	return sent
}

// cancelAt cancels the call at its n-th request; freed tells whether the holder has
// unlocked before.
func (w way) cancelAt(t *testing.T, e *ensemble.Ensemble, other *client.Client, n int, how string, freed bool) {
	s := w.stage(t, e, other)
	fault, heal := s.disturb(t, n, how)
	ctx, cancel := context.WithCancelCause(trial.Within(t, time.Minute))
	defer cancel(nil)
	o := s.call(ctx)
	if freed {
		s.letGo(t, o)
	}
	_, err := fault.Wait(ctx)
	require.NoError(t, err)
	cancel(errStop)
	s.conclude(t, o)
	require.Error(t, o.err, "the network does not work")
	heal()
	s.requireDone(t)
}

// disturb arranges what happens to the n-th request; mend ends it.
func (s *stage) disturb(t *testing.T, n int, how string) (fault *faultproxy.Fault, mend func()) {
	t.Helper()
	switch how {
	case "request held":
		fault = s.proxy.HoldRequest(s.nth(n, nil))
		return fault, fault.Release
	case "reply held":
		fault = s.proxy.HoldReply(s.nth(n, nil))
		return fault, fault.Release
	case "request lost":
		fault = s.proxy.DropRequest(s.nth(n, nil), faultproxy.ThenCut)
	case "reply lost":
		fault = s.proxy.SwallowReply(s.nth(n, nil))
	default:
		t.Fatalf("how is %q", how)
	}
	here := s.nth(n, nil)
	s.onRequest(func(r faultproxy.Request) {
		if here(r) {
			s.proxy.Refuse()
		}
	})
	return fault, func() { require.NoError(t, s.proxy.Accept()) }
}

// TestCancelledAtEveryAwait: the context ends the very moment in which the call begins
// to wait for it, each time that it does in turn, on a network that works.
func TestCancelledAtEveryAwait(t *testing.T) {
	e := ensemble.Start(t, 1)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for _, w := range ways {
		if w.stale {
			continue // its awaits are those of any lock that was held
		}
		cancelled, through := 0, false
		for at := int64(1); !through && at < 100; at++ {
			t.Run(fmt.Sprintf("%s/%d", w.name, at), func(t *testing.T) {
				s := w.stage(t, e, other)
				ctx := awaiting(t, at, true)
				o := s.call(ctx)
				if w.held {
					s.letGo(t, o)
				}
				select {
				case <-ctx.reached:
				case <-o.done:
				}
				s.conclude(t, o)
				through = ctx.asked.Load() < at // it has not waited so often
				if o.err != nil {
					cancelled++
				}
				s.requireDone(t)
			})
		}
		require.True(t, through)
		require.Positive(t, cancelled, "it has been waited for")
	}
}

// TestCancelledWhileWaiting: the call is cancelled in the waits that no request ends.
func TestCancelledWhileWaiting(t *testing.T) {
	e := ensemble.Start(t, 1)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	inLine := func(t *testing.T, s *stage, _ *awaited) {
		<-s.watching
		_, _, err := s.cl.Exists(t.Context(), "/") // its answer comes behind that to the watch
		require.NoError(t, err)
	}
	waiting := func(_ *testing.T, _ *stage, ctx *awaited) { <-ctx.reached }
	cases := []struct {
		name  string
		way   way
		begin func(*testing.T, *stage)           // before the call
		reach func(*testing.T, *stage, *awaited) // until the moment to cancel
	}{
		{name: "in line", way: way{held: true}, reach: inLine},
		{name: "in line, connection lost", way: way{held: true}, reach: func(t *testing.T, s *stage, ctx *awaited) {
			inLine(t, s, ctx)
			disconnect(t, s)
		}},
		{name: "not connected", begin: disconnect, reach: waiting},
		{name: "not connected, TryLock", way: way{enter: try}, begin: disconnect, reach: waiting},
		{name: "not connected, Do", way: way{enter: do}, begin: disconnect, reach: waiting},
		{name: "no session", way: way{stale: true}, reach: waiting, begin: func(t *testing.T, s *stage) {
			disconnect(t, s)
			awaitState(t, s.cl, client.Lost)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := c.way.stage(t, e, other)
			if c.begin != nil {
				c.begin(t, s)
			}
			ctx := awaiting(t, 1, false)
			o := s.call(ctx)
			c.reach(t, s, ctx)
			ctx.cancel(errStop)
			s.conclude(t, o)
			require.Error(t, o.err)
			require.NoError(t, s.proxy.Accept())
			s.requireDone(t)
		})
	}
}

// TestCancelledWork: the context of Do ends while the work under the lock is being done.
// The work's context ends, and Do returns when the lock is free, however long that takes.
func TestCancelledWork(t *testing.T) {
	e := ensemble.Start(t, 1)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for _, how := range disturbances {
		t.Run(how, func(t *testing.T) {
			s := way{}.stage(t, e, other)
			ctx, cancel := context.WithCancelCause(trial.Within(t, time.Minute))
			defer cancel(nil)
			fault, mend := s.disturb(t, 3, how) // the delete: create and list come first
			o := &outcome{done: make(chan struct{})}
			go func() {
				defer close(o.done)
				o.err = s.mutex.Do(ctx, func(under context.Context, _ *lock.Held) error {
					cancel(errStop)
					<-under.Done()
					return context.Cause(under)
				})
			}()
			r, err := fault.Wait(trial.Within(t, time.Minute))
			require.NoError(t, err)
			require.Equal(t, int32(opDelete), r.Op)
			if how != "reply held" && how != "reply lost" {
				select {
				case <-o.done:
					require.FailNow(t, "Do has returned, and the lock is not free")
				default:
				}
			}
			mend()
			<-o.done
			require.ErrorIs(t, o.err, errStop)
			require.NotErrorIs(t, o.err, lock.ErrLost)
			require.Empty(t, childrenOf(t, other, s.dir), "free when Do returns")
			s.requireDone(t)
		})
	}
}

// TestCancelledUnlock: the context of Unlock ends while the delete is under way. Unlock
// returns at once and the client goes on.
func TestCancelledUnlock(t *testing.T) {
	e := ensemble.Start(t, 1)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for _, how := range disturbances {
		t.Run(how, func(t *testing.T) {
			unlock := func(ctx context.Context, m *lock.Mutex) (*lock.Held, error) {
				held, err := m.Lock(trial.Within(t, time.Minute))
				if err != nil {
					return nil, err
				}
				return nil, held.Unlock(ctx)
			}
			s := way{enter: unlock}.stage(t, e, other)
			fault, mend := s.disturb(t, 3, how)
			ctx, cancel := context.WithCancelCause(trial.Within(t, time.Minute))
			defer cancel(nil)
			o := s.call(ctx)
			_, err := fault.Wait(ctx)
			require.NoError(t, err)
			cancel(errStop)
			s.conclude(t, o)
			require.Error(t, o.err)
			mend()
			s.requireDone(t)
		})
	}
}

// disconnect cuts the client off until the proxy accepts connections again.
func disconnect(t *testing.T, s *stage) {
	t.Helper()
	s.proxy.Refuse()
	s.proxy.Cut()
	awaitState(t, s.cl, client.Suspended)
}

// awaitState waits until the client is in a state, or has been since.
func awaitState(t *testing.T, cl *client.Client, want client.State) {
	t.Helper()
	ctx := trial.Within(t, time.Minute)
	for change := range cl.States(ctx) {
		if change.State == want {
			return
		}
	}
	t.Fatalf("the client's state is %v and never was %v", cl.State(), want)
}
