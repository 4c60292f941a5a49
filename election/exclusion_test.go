package election_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/zktest"
)

// reign is for how long somebody believed that it led: the times at which it looked, and did.
type reign struct {
	token       int64
	first, last time.Time
}

// annals are all reigns of a test.
type annals struct {
	mu     sync.Mutex
	reigns []*reign
	began  chan *election.Term
}

// lead is for Run: it believes what the term says, until that is over.
func (a *annals) lead(ctx context.Context, term *election.Term) error {
	r := &reign{token: term.Token(), first: time.Now()}
	a.mu.Lock()
	a.reigns = append(a.reigns, r)
	a.mu.Unlock()
	a.began <- term
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		now := time.Now()
		if term.Err() != nil {
			return ctx.Err()
		}
		r.last = now // it led at that time, whatever has happened since
		if ctx.Err() != nil {
			return ctx.Err()
		}
		<-tick.C
	}
}

// mute makes the server deaf to some sessions, as a network that is cut does.
type mute struct {
	mu       sync.Mutex
	sessions map[int64]chan struct{}
}

func (m *mute) hook(r zktest.Request) {
	m.mu.Lock()
	on := m.sessions[r.Session]
	m.mu.Unlock()
	if on != nil && r.Session != 0 {
		<-on
	}
}

func (m *mute) cut(session int64) (mend func()) {
	on := make(chan struct{})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[session] = on
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.sessions, session)
		close(on)
	})
}

// Nobody leads before the one before has stopped believing in it: cut off until its session
// expires, disconnected, resigned, handing over to somebody.
func TestNeverTwoLeaders(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t, zktest.WithTick(50*time.Millisecond))
	deaf := &mute{sessions: make(map[int64]chan struct{})}
	srv.OnRequest(deaf.hook)
	a := &annals{began: make(chan *election.Term, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	var ends []<-chan error
	ids := []string{"a", "b", "c", "d"}
	for _, id := range ids {
		e := election.New(connect(t, srv, client.WithSessionTimeout(time.Second)), dir, id)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx, a.lead) }()
		ends = append(ends, done)
	}
	mend := func() {}
	for round := range 12 {
		term := wait(t, "a leader", a.began)
		for len(a.began) > 0 {
			term = <-a.began
		}
		mend()
		switch round % 4 {
		case 0:
			n, ok := srv.Node(term.Path())
			if !ok { // it has been succeeded already, on a slow machine
				continue
			}
			mend = deaf.cut(n.Stat.EphemeralOwner)
		case 1:
			srv.DropConnections()
			go func() { _ = term.Resign(ctx) }()
		case 2:
			go func() { _ = term.Resign(ctx) }()
		case 3:
			go func() {
				for _, id := range slices.Backward(ids) {
					if term.HandOver(ctx, id) == nil {
						return
					}
				}
				_ = term.Resign(ctx)
			}()
		}
	}
	wait(t, "a leader", a.began)
	mend()
	cancel()
	for _, done := range ends {
		_ = wait(t, "the end of Run", done)
	}
	slices.SortFunc(a.reigns, func(a, b *reign) int { return cmp.Compare(a.token, b.token) })
	require.GreaterOrEqual(t, len(a.reigns), 5)
	for i, r := range a.reigns[1:] {
		before := a.reigns[i]
		require.Greater(t, r.token, before.token)
		require.True(t, before.last.Before(r.first), "%d believed to lead %s after %d had begun", before.token, before.last.Sub(r.first), r.token)
	}
}
