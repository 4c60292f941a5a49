package election

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Election is candidates for one leadership, of whom the first in line leads. This is one
// participant's view of it: it can campaign, under its id, and look on.
//
// An Election is safe for concurrent use, keeps no connection of its own and need not be closed: it
// stands for election only in Campaign and Run.
type Election struct {
	cl      *client.Client
	line    *recipes.Line
	path    string
	layout  recipes.Layout
	dataDir string
	id      string
	err     error // of New

	mu      sync.Mutex
	seeking int                // calls of Campaign and Run under way
	terms   map[*Term]struct{} // that last, or on which a function still works
}

// New returns the election on path: the directory in which its candidates have their nodes, made
// with its parents when somebody first stands. id is what this participant is called; it is
// stored as its node's data, where Curator and Kazoo have it as well. It should be unique, since
// Leader and HandOver go by it, but nothing breaks if it is not: a leader is whoever has the
// first node, not whoever has a certain id. It may be empty; at most 64 KiB of UTF-8.
//
// Nothing is sent; a path, id or option that cannot be is reported by the first call.
func New(cl *client.Client, path, id string, opts ...Option) *Election {
	e := &Election{cl: cl, path: path, id: id, terms: make(map[*Term]struct{})}
	var set settings
	for i, opt := range opts {
		if opt == nil {
			e.err = fmt.Errorf("election %s: %w: option %d is nil", path, client.ErrBadArgument, i)
			return e
		}
		if err := opt(&set); err != nil {
			e.err = fmt.Errorf("election %s: %w", path, err)
			return e
		}
	}
	cfg, err := set.config(path, id)
	if err == nil {
		e.line, err = recipes.NewLine(cl, path, cfg)
	}
	if err != nil {
		e.err = fmt.Errorf("election %s: %w", path, err)
		return e
	}
	e.layout, e.dataDir = set.layout, set.dataDir
	return e
}

// ID returns the id that was given to [New].
func (e *Election) ID() string { return e.id }

// Path returns the election's directory.
func (e *Election) Path() string { return e.path }

// Campaign stands for election and waits until elected. It returns the error of ctx if that ends
// first, and other errors only where waiting is pointless: [ErrLayoutConflict], and what the
// client or the server refuses (client.ErrClosed, client.ErrDetached, client.ErrNoAuth,
// client.ErrBadArgument, ...). Whatever the error, nothing is left behind. Lost connections and
// sessions do not end the wait; a lost session, or a node that somebody deleted, costs the place
// in line.
//
// The term goes on after ctx has ended: Resign it. Each call is a candidate of its own, so
// whoever leads and campaigns again waits for itself. Without other candidates it is two requests
// in one round trip.
func (e *Election) Campaign(ctx context.Context) (*Term, error) {
	if e.err != nil {
		return nil, e.err
	}
	e.seek(1)
	defer e.seek(-1)
	return e.campaign(ctx, nil)
}

// campaign waits for a term, on which w will work; nil if that is the caller's business.
func (e *Election) campaign(ctx context.Context, w *work) (*Term, error) {
	g, err := e.line.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("election: %w", err)
	}
	return newTerm(e, g, w), nil
}

func (e *Election) seek(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seeking += n
}

// Candidate is one who stands for election; the first in line leads.
type Candidate struct {
	// ID is what it calls itself.
	ID string
	// Path is its node.
	Path string
	// Session is the id of its session; 0 if its node is not ephemeral.
	Session int64
	// Token is what its Term.Token is, or will be.
	Token int64
	// Since is when it joined the line, by the servers' clocks.
	Since time.Time
}

// Candidates lists who leads and who waits, in order: the first one leads. It costs a read, and
// one more for each candidate. A path that does not exist has none. It tells what the connected
// server knows; client.Ops.Sync before it makes that current.
func (e *Election) Candidates(ctx context.Context) ([]Candidate, error) {
	if e.err != nil {
		return nil, e.err
	}
	all, err := e.line.Details(ctx)
	if err != nil {
		return nil, fmt.Errorf("election: %w", err)
	}
	out := make([]Candidate, 0, len(all))
	for _, d := range all {
		out = append(out, Candidate{ID: string(d.Data), Path: d.Path, Session: d.Session, Token: d.Token, Since: d.Since})
	}
	return out, nil
}

// Leader returns who leads, or [ErrNoLeader]. It is the candidate whose turn it is, which may not
// have noticed yet, and may have ended unless its session is over already. It costs two reads,
// and one more under [WithData]. It tells what the connected server knows; client.Ops.Sync before
// it makes that current.
func (e *Election) Leader(ctx context.Context) (Leader, error) {
	if e.err != nil {
		return Leader{}, e.err
	}
	l, err := e.leader(ctx)
	if err == nil && l.None() {
		err = ErrNoLeader
	}
	if err != nil {
		return Leader{}, fmt.Errorf("election %s: %w", e.path, err)
	}
	return l, nil
}

func (e *Election) leader(ctx context.Context) (Leader, error) {
	var pace pace
	for {
		line, err := e.line.Contenders(ctx)
		if err != nil || len(line) == 0 {
			return Leader{}, err
		}
		path := client.Join(e.path, line[0].Name)
		data, stat, err := e.cl.Get(ctx, path)
		if errors.Is(err, client.ErrNoNode) { // gone just now
			if err := pace.wait(ctx); err != nil {
				return Leader{}, err
			}
			continue
		}
		if err != nil {
			return Leader{}, err
		}
		l := newLeader(path, data, stat)
		if e.dataDir != "" {
			data, stat, err := e.cl.Get(ctx, e.dataPath(path))
			if err != nil && !errors.Is(err, client.ErrNoNode) {
				return Leader{}, err
			}
			l.publish(data, stat)
		}
		return l, nil
	}
}
