package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/zookit/zookit/internal/jute"
)

// AddWatchMode says what a [Watcher] watches.
type AddWatchMode int

const (
	// WatchPersistent watches one node: that it is created, changed or deleted, and that
	// its set of children changes.
	WatchPersistent AddWatchMode = iota
	// WatchPersistentRecursive watches a node and everything below it: each creation, change
	// and deletion. There is no [EventNodeChildrenChanged], the children speak for themselves.
	WatchPersistentRecursive
)

// String returns the mode's name.
func (m AddWatchMode) String() string {
	switch m {
	case WatchPersistent:
		return "persistent"
	case WatchPersistentRecursive:
		return "persistent recursive"
	default:
		return "unknown"
	}
}

const (
	defaultBuffer          = 16
	defaultRecursiveBuffer = 1024
	maxBuffer              = 1 << 20
)

// WatchOption is a setting of [Client.AddWatch].
type WatchOption func(*watchSettings) error

type watchSettings struct{ buffer int }

// WithWatchBuffer sets how many events a [Watcher] keeps for a consumer that lags
// behind, from 1 to about a million. The default is 16 for [WatchPersistent] and 1024
// for [WatchPersistentRecursive]; each takes 24 bytes from the beginning. When the buffer
// is full [EventResynced] takes the place of what does not fit.
func WithWatchBuffer(events int) WatchOption {
	return func(s *watchSettings) error {
		if events < 1 || events > maxBuffer {
			return badOption("WithWatchBuffer", "%d is not between 1 and %d", events, maxBuffer)
		}
		s.buffer = events
		return nil
	}
}

// Watcher is a watch that lasts: across events, connections and sessions, until it is
// closed. Safe for concurrent use.
//
// What it guarantees: Whoever reads when [EventResynced] comes, and again what each
// later event names, has the current state and misses no change, though several
// changes of a node may come as one. An event is in C before any read on the same client
// that began after the change returns newer data.
//
// Servers since 3.8.4 keep back the events of nodes that the client may not read: of such
// nodes a recursive watch says nothing, and a persistent one of their parent only that its
// children have changed. A change of children may be told of twice.
type Watcher struct {
	// C yields the events. The first is [EventResynced]: the watch stands. It comes again
	// after every reconnect and in every new session, once the watch stands there, and when
	// events were dropped since nobody took them: read everything again. C is closed when the
	// watch has ended, see Err.
	C <-chan Event

	c      *Client
	path   string
	server string // the same path, as the servers know it
	mode   AddWatchMode
	ready  chan struct{} // closed with the first EventResynced
	done   chan struct{} // closed with C

	// put is called under the table's lock only: there is one sender at a time.
	mu     sync.Mutex
	events chan Event
	synced bool // ready is closed
	full   bool // the last event in the buffer is an EventResynced in the reserved place
	ended  bool
	err    error
}

func newWatcher(c *Client, path string, mode AddWatchMode, buffer int) *Watcher {
	events := make(chan Event, buffer+1) // one place is for EventResynced
	return &Watcher{
		C: events, events: events,
		c: c, path: path, server: c.out(path), mode: mode,
		ready: make(chan struct{}), done: make(chan struct{}),
	}
}

// AddWatch watches a node, or with [WatchPersistentRecursive] a whole subtree, until
// the Watcher is closed. The nodes need not exist. It returns when the watch stands on
// the server; the first event is [EventResynced].
//
// All watches of this client on a path share one on the server, whatever their modes,
// and one-shot watches on that path are served by it too. It is set again before anything
// else is sent over a new connection, and in each new session.
//
// Errors: [ErrUnimplemented] from servers before 3.6, [ErrBadArgument] for an unknown
// mode or an option that cannot work, [ErrBadPath], [ErrTooLarge], [ErrNotConnected]
// with the context's error, [ErrClosed], [ErrAuthFailed]. If ctx ends first there is no
// watch, and what was sent of it is taken back. ctx bounds the call only. Safe for
// concurrent use.
func (c *Client) AddWatch(ctx context.Context, path string, mode AddWatchMode, opts ...WatchOption) (*Watcher, error) {
	set := watchSettings{buffer: defaultBuffer}
	if mode == WatchPersistentRecursive {
		set.buffer = defaultRecursiveBuffer
	}
	if err := checkWatch(c, path, mode, opts, &set); err != nil {
		return nil, refused(jute.OpAddWatch, path, err)
	}
	if _, err := c.admit(ctx, nil, anyServer, nil); err != nil {
		return nil, refused(jute.OpAddWatch, path, err)
	}
	w := newWatcher(c, path, mode, set.buffer)
	if err := c.watchers.add(w); err != nil {
		return nil, refused(jute.OpAddWatch, path, err)
	}
	select {
	case <-w.ready:
		return w, nil
	case <-w.done:
		if e, ok := errors.AsType[*OpError](w.Err()); ok {
			return nil, e
		}
		return nil, &OpError{Op: jute.OpAddWatch.String(), Path: path, Outcome: Unknown, Err: w.Err()}
	case <-ctx.Done():
		w.Close()
		return nil, &OpError{Op: jute.OpAddWatch.String(), Path: path, Outcome: Unknown, Err: ctxError(ctx)}
	}
}

func checkWatch(c *Client, path string, mode AddWatchMode, opts []WatchOption, set *watchSettings) error {
	if err := checkPath(path, false); err != nil {
		return err
	}
	if mode != WatchPersistent && mode != WatchPersistentRecursive {
		return fmt.Errorf("%w: mode %d is neither WatchPersistent nor WatchPersistentRecursive", ErrBadArgument, mode)
	}
	for i, opt := range opts {
		if opt == nil {
			return badOption(fmt.Sprintf("watch option %d", i), "it is nil")
		}
		if err := opt(set); err != nil {
			return err
		}
	}
	if size := emptySetWatches + 4 + len(c.out(path)); size > c.set.maxRequest {
		return fmt.Errorf("%w: %d bytes to set the watch again, limit %d", ErrTooLarge, size, c.set.maxRequest)
	}
	return nil
}

// Path returns the watched path, as the caller named it.
func (w *Watcher) Path() string { return w.path }

// Mode returns what is watched.
func (w *Watcher) Mode() AddWatchMode { return w.mode }

// Err tells why C was closed: nil while it is open and after Close; [ErrClosed] when
// the client was closed, [ErrAuthFailed] when a server refused a credential, or a server's
// refusal to set the watch again, such as [ErrUnimplemented] from one before 3.6.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close ends the watch. C is closed, behind what has not been taken yet. When nobody
// else in this client needs the watch it is removed on the server; Close does not wait
// for that. It may be called again, and at any time.
func (w *Watcher) Close() { w.c.watchers.end(w, nil) }

// All yields the events of C until ctx or the watch ends. Then it yields an error: the
// context's, or that of Err if there is one. It does not close the Watcher. Each event
// goes to one consumer only, also if there are several.
func (w *Watcher) All(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for ctx.Err() == nil {
			select {
			case ev, ok := <-w.C:
				if !ok {
					if err := w.Err(); err != nil {
						yield(Event{}, err)
					}
					return
				}
				if !yield(ev, nil) {
					return
				}
			case <-ctx.Done():
			}
		}
		yield(Event{}, ctxError(ctx))
	}
}

// resynced tells that the watch stands, from here on.
func (w *Watcher) resynced() {
	w.put(Event{Type: EventResynced, Path: w.server})
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.synced {
		w.synced = true
		close(w.ready)
	}
}

// put gives an event of the server to the consumer, or drops it: it never blocks.
//
// When only the reserved place is left an EventResynced takes it, and until that has been
// received everything is dropped. Nothing is put behind it meanwhile and put is never
// called twice at a time, so it has been received if and only if the buffer is empty.
// This loses nothing: whoever receives it reads afterwards. If that read is answered
// behind the event that is dropped here, the data is as new as the event. If it was
// answered before, then its sending, and the receipt before that, happened before the
// connection's goroutine took up the answer and thus before it came here, so that the
// buffer is seen to be empty and nothing is dropped.
func (w *Watcher) put(ev Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	if w.full && len(w.events) > 0 {
		return
	}
	w.full = len(w.events) == cap(w.events)-1
	if w.full {
		ev = Event{Type: EventResynced, Path: w.server}
	}
	ev.Path = w.c.in(ev.Path)
	w.events <- ev // there is room, and nobody else sends
}

// finish closes C.
func (w *Watcher) finish(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.ended, w.err = true, err
		close(w.events)
		close(w.done)
	}
}

// watchers are those of a client, whatever its session.
type watchers struct {
	mu    sync.Mutex
	all   map[*Watcher]struct{}
	table *watchTable // of the newest session
	over  error       // why there can be no more
}

func newWatchers() *watchers { return &watchers{all: map[*Watcher]struct{}{}} }

func (ws *watchers) add(w *Watcher) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.over != nil {
		return ws.over
	}
	ws.all[w] = struct{}{}
	ws.table.join(w)
	return nil
}

// end ends one Watcher.
func (ws *watchers) end(w *Watcher, err error) {
	ws.mu.Lock()
	if _, ok := ws.all[w]; ok {
		delete(ws.all, w)
		ws.table.leave(w)
	}
	ws.mu.Unlock()
	w.finish(err)
}

// close ends all of them, when the client ends.
func (ws *watchers) close(cause error) {
	ws.mu.Lock()
	all := ws.all
	ws.all, ws.over = nil, cause
	ws.mu.Unlock()
	for w := range all {
		w.finish(fmt.Errorf("watch of %s: %w", legible(w.path), cause))
	}
}

// move makes a new session's table the one to join.
func (ws *watchers) move(t *watchTable) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.table = t
}
