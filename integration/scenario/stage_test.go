package scenario

import (
	"context"
	"errors"
	"path"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// errStop is why calls are cancelled.
var errStop = errors.New("stopped by the test")

// prompt is how long a cancelled call may take to return, whatever the network does.
const prompt = time.Second

// way is one way through a call, and what is arranged around it.
type way struct {
	name    string
	enter   func(context.Context, *lock.Mutex) (*lock.Held, error) // by default Lock
	missing bool                                                   // the directory does not exist, nor its parent
	held    bool                                                   // another holds, and unlocks when the caller watches it
	stale   bool                                                   // it does so when the caller has to confirm itself by then
	lose    int32                                                  // the reply to this is lost, with the connection; what follows is looked at
	late    bool                                                   // another takes the lock when the caller has seen it free
	until   int32                                                  // the request from which on the call has to go on though it is cancelled
	busy    bool                                                   // ErrBusy is as good an answer as the context's error
}

// stage is a lock, who holds it, and the client whose call is cancelled.
type stage struct {
	way      way
	other    *client.Client // the holder's
	proxy    *faultproxy.Proxy
	cl       *client.Client // the caller's
	mutex    *lock.Mutex
	dir      string
	first    atomic.Pointer[lock.Held] // of the other, while it has it
	watching chan struct{}             // closed when the server has set the caller's watch
	ready    int                       // requests that were sent before the call
	before   *leftovers
}

func (w way) stage(t *testing.T, e *ensemble.Ensemble, other *client.Client) *stage {
	t.Helper()
	s := &stage{way: w, other: other, dir: "/cancel/" + trial.Sanitize(t.Name()) + "/lock", watching: make(chan struct{})}
	there := path.Join(s.dir, "..", "..", "x") // so that each run finds as much missing
	if !w.missing {
		there = s.dir
	}
	if _, err := other.Create(t.Context(), there, nil, client.WithParents()); !errors.Is(err, client.ErrNodeExists) {
		require.NoError(t, err)
	}
	timeout := 10 * time.Second
	if w.stale {
		timeout = 2 * time.Second
	}
	s.proxy = faultproxy.Start(t, e.Servers()[0].Addr())
	s.cl = trial.Connect(t, s.proxy.Addr(), client.WithSessionTimeout(timeout))
	s.mutex = lock.NewMutex(s.cl, s.dir)
	_, _, err := s.cl.Exists(t.Context(), "/") // by now all goroutines of the connection run
	require.NoError(t, err)
	s.first.Store(occupy(t, t.Context(), other, s.dir, w.held))
	if beside := occupy(t, t.Context(), other, path.Join(s.dir, "..", "beside"), w.late); beside != nil { // the other has its goroutines then
		t.Cleanup(func() { _ = beside.Unlock(context.WithoutCancel(t.Context())) })
	}
	s.before = leftoversOf(t, e.Servers()[0], other, s.dir)
	if w.lose != 0 {
		s.proxy.SwallowReply(faultproxy.Op(w.lose))
	}
	seen := s.nth(1, faultproxy.Op(opGetData))
	s.proxy.OnReply(func(r faultproxy.Request) {
		if seen(r) {
			close(s.watching)
		}
	})
	s.onRequest(func(faultproxy.Request) {})
	s.ready = len(s.proxy.Requests())
	return s
}

// nth matches the n-th request that the call sends and m matches, of all that the client sends.
func (s *stage) nth(n int, m faultproxy.Match) faultproxy.Match {
	return faultproxy.Nth(n, func(r faultproxy.Request) bool { return s.counts(r) && (m == nil || m(r)) })
}

// sent are the requests that the call has sent so far.
func (s *stage) sent() []faultproxy.Request {
	return slices.DeleteFunc(s.proxy.Requests()[s.ready:], func(r faultproxy.Request) bool { return !s.counts(r) })
}

func (s *stage) counts(r faultproxy.Request) bool {
	return !slices.Contains([]int32{faultproxy.OpConnect, faultproxy.OpPing, faultproxy.OpCloseSession}, r.Op) &&
		(s.way.lose == 0 || r.Conn > 1)
}

// onRequest sets what happens when a request has arrived at the proxy, beside what
// the way through the call asks for.
func (s *stage) onRequest(hook func(faultproxy.Request)) {
	create := s.nth(1, faultproxy.Op(opCreate2))
	s.proxy.OnRequest(func(r faultproxy.Request) {
		if s.way.late && create(r) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			held, _ := lock.NewMutex(s.other, s.dir).Lock(ctx) // if not, nobody is busy
			s.first.Store(held)
		}
		hook(r)
	})
}

// outcome is the end of a call.
type outcome struct {
	done chan struct{}
	held *lock.Held
	err  error
}

func (s *stage) call(ctx context.Context) *outcome {
	enter := s.way.enter
	if enter == nil {
		enter = func(ctx context.Context, m *lock.Mutex) (*lock.Held, error) { return m.Lock(ctx) }
	}
	o := &outcome{done: make(chan struct{})}
	go func() {
		defer close(o.done)
		o.held, o.err = enter(ctx, s.mutex)
	}()
	return o
}

// letGo lets the holder unlock when the caller watches it.
func (s *stage) letGo(t *testing.T, o *outcome) {
	t.Helper()
	ctx := trial.Within(t, time.Minute)
	select {
	case <-s.watching:
	case <-o.done:
		return
	case <-ctx.Done():
		t.Fatal("the caller neither watches nor ends")
	}
	if s.way.stale {
		session, err := s.cl.Session(ctx)
		require.NoError(t, err)
		timer := time.NewTimer(time.Until(session.ConfirmedUntil()) - session.Timeout()/3)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	require.NoError(t, s.first.Swap(nil).Unlock(ctx))
}

// conclude waits for the end of a cancelled call, which has to come at once.
func (s *stage) conclude(t *testing.T, o *outcome) {
	t.Helper()
	timer := time.NewTimer(prompt)
	defer timer.Stop()
	select {
	case <-o.done:
	case <-timer.C:
		require.FailNow(t, "the call does not return", "goroutines: %v", goroutines())
	}
	switch {
	case o.held != nil: // it was through before
		require.NoError(t, o.held.Unlock(trial.Within(t, time.Minute)))
	case o.err != nil && !(s.way.busy && errors.Is(o.err, lock.ErrBusy)):
		require.ErrorIs(t, o.err, context.Canceled)
		require.ErrorIs(t, o.err, errStop, "and the cause")
	}
}

// requireDone is called when the network works again: nothing is left of the call,
// the other holder is untouched, and the lock works.
func (s *stage) requireDone(t *testing.T) {
	t.Helper()
	s.proxy.OnRequest(nil)
	s.before.requireNone(t, func() []string {
		if first := s.first.Load(); first != nil {
			return []string{path.Base(first.Path())}
		}
		return nil
	})
	ctx := trial.Within(t, time.Minute)
	token := int64(0)
	if first := s.first.Swap(nil); first != nil {
		require.NoError(t, first.Err(), "the other still holds")
		stat, ok, err := s.other.Exists(ctx, first.Path())
		require.NoError(t, err)
		require.True(t, ok)
		session, err := s.other.Session(ctx)
		require.NoError(t, err)
		require.Equal(t, session.ID(), stat.EphemeralOwner)
		require.NoError(t, first.Unlock(ctx))
		token = first.Token()
	}
	held, err := s.mutex.Lock(ctx)
	require.NoError(t, err)
	require.Greater(t, held.Token(), token)
	require.NoError(t, held.Unlock(ctx))
	s.before.requireNone(t, nil)
}

// awaited is a context that tells when somebody asks for its end the at-th time, and
// so begins to wait.
type awaited struct {
	context.Context
	cancel  context.CancelCauseFunc
	at      int64
	asked   atomic.Int64
	reached chan struct{}
	then    func() // called when it is reached
}

// awaiting makes one that is cancelled the moment it is reached, if so wanted.
func awaiting(t *testing.T, at int64, cancel bool) *awaited {
	t.Helper()
	a := &awaited{at: at, reached: make(chan struct{}), then: func() {}}
	a.Context, a.cancel = context.WithCancelCause(trial.Within(t, time.Minute))
	t.Cleanup(func() { a.cancel(nil) })
	if cancel {
		a.then = func() { a.cancel(errStop) }
	}
	return a
}

// Done implements context.Context.
func (a *awaited) Done() <-chan struct{} {
	if a.asked.Add(1) == a.at {
		a.then()
		close(a.reached)
	}
	return a.Context.Done()
}
