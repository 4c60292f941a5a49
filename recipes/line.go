package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
)

// LineConfig says how a line works. The zero value is a line of mutexes in
// Curator's layout whose nodes carry no data. Nodes, and parents that are made, get the
// client's default ACL.
type LineConfig struct {
	// Layout is whose znodes they are. Default: Curator.
	Layout Layout
	// Kind is what this line's own contenders are there for. Default: KindMutex.
	Kind Kind
	// Rule decides who waits for whom. Default: DirectlyAhead.
	Rule Rule
	// Data is stored in each of this line's own nodes; by custom an
	// identifier that tells people whose node it is. At most what the server takes (1 MB
	// less the rest of the request). Default: none.
	Data []byte
	// Tolerant makes contenders of other layouts count as well, by their sequence,
	// instead of being an error. Zookit then waits for them; they go on
	// not seeing what zookit has written, so this alone does not make two layouts
	// exclude each other. It is for looking on, and for the time in which the last
	// programs of the other layout finish.
	Tolerant bool
}

// Line is ordered contenders in a directory: each is an ephemeral sequential
// node, and a [Rule] says which of those ahead a contender waits for.
//
// A Line keeps nothing between calls and need not be closed. It is safe for concurrent
// use; each call of Acquire joins the line for itself, so a goroutine that
// acquires twice waits for itself.
//
// What is promised:
//   - Cancelling a wait leaves no node, no watch and no goroutine behind. The call returns at
//     once; the clean-up goes on in the background on the caller's behalf.
//   - Each attempt has a name of its own, so whatever happened to a request whose answer
//     was lost, the attempt makes one node or none, and only ever deletes its own.
//   - A waiter watches one node, that of its blocker.
//   - The line survives reconnects, lost sessions, a deleted directory and foreign
//     children: after each of them a waiter looks again, and joins again if its own
//     node has gone (at the end of the line, and in the client's new session).
type Line struct {
	cl     *client.Client
	dir    string
	cfg    LineConfig
	warned sync.Once // of numbers that are used up
}

// NewLine returns the line in the directory dir, which need not exist: it is made
// when somebody joins. No request is sent. The error is client.ErrBadPath or
// client.ErrBadArgument.
func NewLine(cl *client.Client, dir string, cfg LineConfig) (*Line, error) {
	if cl == nil {
		return nil, fmt.Errorf("line %s: %w: the client is nil", dir, client.ErrBadArgument)
	}
	if err := client.CheckPath(dir); err != nil { // else the own node's path would be blamed
		return nil, fmt.Errorf("line: %w", err)
	}
	if _, err := cfg.Layout.marker(cfg.Kind); err != nil {
		return nil, fmt.Errorf("line %s: %w", dir, err)
	}
	if cfg.Rule == nil {
		cfg.Rule = DirectlyAhead
	}
	cfg.Data = slices.Clone(cfg.Data)
	return &Line{cl: cl, dir: dir, cfg: cfg}, nil
}

// Dir returns the line's directory.
func (l *Line) Dir() string { return l.dir }

// Acquire joins the line and waits until the rule lets it through. It returns a
// grant, or an error once ctx has ended or the wait is pointless:
//
//   - the error of ctx. What had been created is being deleted.
//   - [ErrLayoutConflict].
//   - client.ErrClosed, when the client was closed.
//   - whatever else the server or the client definitely refuses: client.ErrNoAuth,
//     client.ErrTooLarge, ...
//
// Lost connections and sessions, a node or directory deleted by somebody: all that
// is dealt with, for as long as ctx allows. Without contention it costs one flight
// (create and list).
func (l *Line) Acquire(ctx context.Context) (*Grant, error) {
	return l.enter(ctx, false)
}

// TryAcquire is Acquire without the wait: it returns [ErrBusy] if somebody is in
// the way. Where the line is seen to be busy, no node is made.
//
// Of several that try on a free line at the same moment at most one gets through. It may
// say busy for a moment in which nobody holds: when the server that answers lags
// behind, and while the node of another try that failed is being deleted.
func (l *Line) TryAcquire(ctx context.Context) (*Grant, error) {
	return l.enter(ctx, true)
}

// missingTries is how often in a row a create may find its parent missing, though it
// makes the parent itself: more often than somebody deletes it in between.
const missingTries = 8

// enter repeats attempts until one ends for good.
func (l *Line) enter(ctx context.Context, try bool) (*Grant, error) {
	var pace pace
	missing := 0
	for {
		g, err := l.attempt(ctx, try)
		if err == nil {
			return g, nil
		}
		if errors.Is(err, client.ErrNoNode) {
			missing++
		} else {
			missing = 0
		}
		if !passing(err) || missing > missingTries {
			return nil, fmt.Errorf("line %s: %w", l.dir, err)
		}
		l.cl.Logger().Debug("joining the line again", "path", l.dir, "attempt", pace.n+1, "err", err)
		if err := pace.wait(ctx); err != nil {
			return nil, fmt.Errorf("line %s: %w", l.dir, err)
		}
	}
}

// attempt is one try under one session, with one node.
func (l *Line) attempt(ctx context.Context, try bool) (*Grant, error) {
	s, err := l.cl.Session(ctx)
	if err != nil {
		return nil, err
	}
	if try {
		if err := l.glance(ctx, s); err != nil {
			return nil, err
		}
	}
	t, names, err := l.join(ctx, s)
	if err != nil {
		return nil, err
	}
	g, err := t.wait(ctx, names, try)
	if err == nil {
		return g, nil
	}
	gone := t.leave()
	if !passing(err) {
		// Until ctx ends: nobody is to be told busy by a node of ours that only lingers,
		// the caller's next try least of all.
		_ = gone.wait(ctx)
	}
	return nil, err
}

// glance says ErrBusy if a contender that joined now would clearly have to wait.
func (l *Line) glance(ctx context.Context, s *client.Session) error {
	line, err := l.list(ctx, s)
	if err != nil || len(line) == 0 {
		return err
	}
	last := line[len(line)-1]
	if b, blocked := l.cfg.Rule(line, Contender{Sequence: last.Sequence + 1, Kind: l.cfg.Kind, Layout: l.cfg.Layout}); blocked {
		return busy(b)
	}
	return nil
}
