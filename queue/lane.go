package queue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/zookit/zookit/client"
)

// maxLanes is how many transactions of a Queue can be under way at once.
const maxLanes = 16

// lane is a node of this process that a transaction changes as its last operation, from the version that it
// had: so of two transactions, or two attempts of one, from the same version at most one is
// committed; and the node's data, which each has another of, tells which. It outlives the session that it
// was made in, so that the next one can find out what became of a transaction whose answer was lost.
//
// It is a container with an ephemeral child in the session that uses it: when nobody does any
// more the servers delete it, within minutes.
type lane struct {
	path    string
	version int32
	epoch   uint64 // of the session that the ephemeral child is in
	bound   bool   // it is itself ephemeral, on servers without containers
}

// lanes are the lanes of a Queue, and how many may be in use.
type lanes struct {
	cl    *client.Client
	dir   func() string                   // where they are
	ready func(ctx context.Context) error // makes dir
	reset func()                          // called when dir is missing
	turns chan struct{}

	mu   sync.Mutex
	free []*lane
}

func newLanes(cl *client.Client) *lanes { return &lanes{cl: cl, turns: make(chan struct{}, maxLanes)} }

// done is a transaction that was committed.
type done struct {
	results []client.TxnResult // of the plan; nil if the answer was lost
	zxid    int64              // of the transaction; 0 if the answer was lost
}

// unsettled is the error of a transaction of which it could not be found out, before the context
// ended, whether it was committed.
type unsettled struct {
	lane  *lane
	nonce string
	err   error
}

// Error implements error.
func (u *unsettled) Error() string {
	return "it is not known whether it was carried out: " + u.err.Error()
}

// Unwrap returns the reason.
func (u *unsettled) Unwrap() error { return u.err }

func randomHex() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // which never fails
	return hex.EncodeToString(b[:])
}

// commit commits the transaction that build builds: in session s or not at all, or, with s nil, in
// whichever is current. It returns nil once it is committed, also if the answer was lost. Any other error than an
// *unsettled says that it has not been committed and never will be. build may be called again.
func (l *lanes) commit(ctx context.Context, s *client.Session, build func(*plan)) (*done, *plan, error) {
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
	case <-ctx.Done():
		return nil, nil, ended(ctx)
	}
	var pace pace
	for {
		in := s
		var err error
		if in == nil {
			if in, err = l.cl.Session(ctx); err != nil {
				return nil, nil, err
			}
		}
		d, p, err := l.try(ctx, in, build)
		switch {
		case err == nil:
			return d, p, nil
		case errors.Is(err, errStale) && (s == nil || s.Context().Err() == nil): // not carried out, and to be sent again
		case s == nil && client.Outcome(err) == client.NotSent && errors.Is(err, client.ErrSessionLost) && !errors.Is(err, client.ErrClosed):
		case errors.Is(err, errStale): // and its session is over
			return nil, nil, fmt.Errorf("%w: %w", client.ErrSessionLost, err)
		default:
			return nil, p, err
		}
		if err := pace.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
}

// try is one attempt. errStale says that it was not carried out, for a reason that does not lie in the plan.
func (l *lanes) try(ctx context.Context, s *client.Session, build func(*plan)) (*done, *plan, error) {
	ln, err := l.take(ctx, s)
	if err != nil {
		return nil, nil, l.notSent(err)
	}
	nonce := rand.Text()
	p := &plan{t: s.Txn()}
	build(p)
	own := p.t.Len()
	results, err := p.t.Set(ln.path, []byte(nonce), ln.version).Commit(ctx)
	if err == nil {
		ln.version = results[own].Stat.Version
		l.give(ln)
		return &done{results: results[:own], zxid: results[own].Stat.Mzxid}, p, nil
	}
	failed, _ := errors.AsType[*client.TxnError](err)
	switch {
	case client.Outcome(err) == client.Unknown:
	case failed != nil && failed.Index == own: // somebody has deleted or changed the lane
		return nil, p, fmt.Errorf("%w: %s: %w", errStale, ln.path, failed.Err)
	default:
		l.give(ln)
		return nil, p, err
	}
	open := &unsettled{lane: ln, nonce: nonce, err: err}
	committed, why := l.settle(ctx, open)
	switch {
	case why != nil:
		open.err = fmt.Errorf("%w: %w", err, why)
		return nil, p, open
	case committed:
		return &done{}, p, nil
	}
	return nil, p, fmt.Errorf("%w: %w", errStale, err)
}

// settle finds out whether the transaction was committed, and sees to it that it never will be if it was not. An
// error says that it could not be found out.
func (l *lanes) settle(ctx context.Context, u *unsettled) (bool, error) {
	var pace pace
	fence := "not " + u.nonce
	for {
		// Whatever is still on its way starts from the version that this set changes.
		stat, err := l.cl.Set(ctx, u.lane.path, []byte(fence), u.lane.version)
		if err == nil {
			u.lane.version = stat.Version
			l.give(u.lane)
			return false, nil
		}
		if !errors.Is(err, client.ErrBadVersion) && client.Outcome(err) == client.Definite {
			return false, err
		}
		data, stat, err := l.cl.Get(ctx, u.lane.path)
		switch {
		case err != nil && client.Outcome(err) == client.Definite:
			return false, err
		case err == nil && stat.Version != u.lane.version:
			known := string(data) == u.nonce || string(data) == fence
			if !known {
				return false, fmt.Errorf("%s was changed by somebody else", u.lane.path)
			}
			u.lane.version = stat.Version
			l.give(u.lane)
			return string(data) == u.nonce, nil
		}
		if err := pace.wait(ctx); err != nil {
			return false, err
		}
	}
}

// take returns a lane that nobody else uses, with its child in s.
func (l *lanes) take(ctx context.Context, s *client.Session) (*lane, error) {
	for {
		l.mu.Lock()
		var ln *lane
		if n := len(l.free); n > 0 {
			ln, l.free = l.free[n-1], l.free[:n-1]
		}
		l.mu.Unlock()
		if ln == nil {
			return l.lay(ctx, s)
		}
		if ln.epoch == s.Epoch() {
			return ln, nil
		}
		if ln.bound {
			continue
		}
		_, err := s.Idempotent().Create(ctx, client.Join(ln.path, childOf(s)), nil, client.WithMode(client.Ephemeral))
		switch {
		case err == nil || errors.Is(err, client.ErrNodeExists):
			ln.epoch = s.Epoch()
			return ln, nil
		case errors.Is(err, client.ErrNoNode): // the servers have deleted it
			continue
		}
		l.give(ln)
		return nil, err
	}
}

func childOf(s *client.Session) string { return fmt.Sprintf("s%x", uint64(s.ID())) }

// give makes a lane available again.
func (l *lanes) give(ln *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, ln)
}

// lay makes a new lane. One that was made although the answer was lost is deleted by the servers, as any other.
func (l *lanes) lay(ctx context.Context, s *client.Session) (*lane, error) {
	var pace pace
	plain := false
	for {
		ln := &lane{path: client.Join(l.dir(), strings.ToLower(rand.Text())), epoch: s.Epoch(), bound: plain}
		t := s.Txn()
		if plain {
			t.Create(ln.path, nil, client.WithMode(client.Ephemeral))
		} else {
			t.Create(ln.path, nil, client.WithMode(client.Container)).Create(client.Join(ln.path, childOf(s)), nil, client.WithMode(client.Ephemeral))
		}
		_, err := t.Commit(ctx)
		switch {
		case err == nil:
			return ln, nil
		case errors.Is(err, client.ErrUnimplemented) && !plain:
			plain = true
			continue
		case errors.Is(err, client.ErrNoNode):
			l.reset()
			if err := l.ready(ctx); err != nil {
				return nil, err
			}
		case client.Outcome(err) != client.Unknown || ctx.Err() != nil || s.Context().Err() != nil:
			return nil, err
		}
		if err := pace.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// notSent says of an error on the way to a transaction that the transaction was not sent.
func (l *lanes) notSent(err error) error {
	return &client.OpError{Op: "multi", Path: l.dir(), Outcome: client.NotSent, Err: err}
}
