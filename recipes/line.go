package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
	// Others are further kinds that stand in this line: the writers and readers of one
	// lock are in one. Contenders of any other kind are those of another recipe on the same
	// path: [ErrLayoutConflict]. Default: none.
	Others []Kind
	// Rule decides who waits for whom. Default: DirectlyAhead.
	Rule Rule
	// Data is stored in each of this line's own nodes; by custom an
	// identifier that tells people whose node it is. At most what the server takes (1 MB
	// less the rest of the request). Default: none.
	Data []byte
	// Tolerant makes contenders of other layouts and recipes count as well, by their
	// sequence, instead of being an error. Zookit then waits for them; they go on
	// not seeing what zookit has written, so this alone does not make two layouts
	// exclude each other. It is for looking on, and for the time in which the last
	// programs of the other layout finish.
	Tolerant bool
	// ShortLine is how many contenders a line may have to be listed at each hand-over by the one that is next, as
	// others' lines are: cheaper for the servers. In longer lines who leaves tells the next instead, and what a hand-over
	// costs does not grow with the line. Who waits in a short line counts it after 1, 3, 7, ... seconds, by one read, to see whether it has become
	// long; so where most wait for long, and few hand over, negative is best: no line is short. Default: 64, some 3 kB.
	ShortLine int
}

// defaultShortLine is that of LineConfig.
const defaultShortLine = 64

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
	kinds  []Kind     // that stand in it
	warned *sync.Once // of numbers that do not tell the order
	// oneShot is set where servers know no lasting watches.
	oneShot *atomic.Bool
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
	kinds := append([]Kind{cfg.Kind}, cfg.Others...)
	for _, kind := range kinds {
		if _, err := cfg.Layout.marker(kind); err != nil {
			return nil, fmt.Errorf("line %s: %w", dir, err)
		}
	}
	if cfg.Rule == nil {
		cfg.Rule = DirectlyAhead
	}
	if cfg.ShortLine == 0 {
		cfg.ShortLine = defaultShortLine
	}
	cfg.Data = slices.Clone(cfg.Data)
	return &Line{cl: cl, dir: dir, cfg: cfg, kinds: kinds, warned: new(sync.Once), oneShot: new(atomic.Bool)}, nil
}

// Dir returns the line's directory.
func (l *Line) Dir() string { return l.dir }

// Acquire joins the line and waits until the rule lets it through. It returns a
// grant, or an error once ctx has ended or the wait is pointless:
//
//   - the error of ctx. What had been created is being deleted.
//   - [ErrLayoutConflict].
//   - client.ErrClosed, when the client was closed; client.ErrDetached, which is one as
//     well, as soon as client.Client.Detach has been called.
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
	missing, since := 0, time.Now()
	for {
		g, err := l.attempt(ctx, try, since)
		if err == nil {
			return g, nil
		}
		if errors.Is(err, client.ErrNoNode) {
			missing++
		} else {
			missing = 0
		}
		if !passing(err) || missing > missingTries {
			return nil, l.missed(ctx, since, err)
		}
		l.cl.Logger().Debug("joining the line again", "path", l.dir, "attempt", pace.n+1, "err", err)
		if err := pace.wait(ctx); err != nil {
			return nil, l.missed(ctx, since, err)
		}
	}
}

// missed tells the client's hooks that there will be no grant, and returns why.
func (l *Line) missed(ctx context.Context, since time.Time, why error) error {
	err := fmt.Errorf("line %s: %w", l.dir, why)
	l.cl.EmitGrant(client.GrantEvent{Kind: client.GrantMissed, Ctx: ctx, Path: l.dir, Waited: time.Since(since), Err: err})
	return err
}

// attempt is one try under one session, with one node; since is when the caller asked.
func (l *Line) attempt(ctx context.Context, try bool, since time.Time) (*Grant, error) {
	s, err := l.cl.Session(ctx)
	if err != nil {
		return nil, err
	}
	end, err := s.Begin()
	if err != nil {
		return nil, err
	}
	defer end()
	if try {
		if err := l.glance(ctx, s); err != nil {
			return nil, err
		}
	}
	t, names, err := l.join(ctx, s)
	if err != nil {
		return nil, err
	}
	t.since = since
	g, err := t.wait(ctx, names, try)
	if err == nil {
		return g, nil
	}
	gone := t.leave()
	if !passing(err) {
		// Until ctx ends: nobody is to be told busy by a node of ours that only lingers,
		// the caller's next try least of all.
		_ = gone.Wait(ctx)
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
