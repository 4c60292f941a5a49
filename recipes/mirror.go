package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/client"
)

// ErrMirrorLimit is in [MirrorState].Err, in what [Mirror.Changes] yields and in the error of
// [StartMirror] when a subtree has more nodes or bytes than [MirrorConfig] allows.
var ErrMirrorLimit = errors.New("subtree exceeds the limits of its mirror")

// The depths of a mirror that are no number of levels.
const (
	// WholeTree mirrors everything below the root (Curator's TreeCache). It is the zero value.
	WholeTree = 0
	// OnlyNode mirrors the root alone (Curator's NodeCache).
	OnlyNode = -1
)

// The defaults of [MirrorConfig].
const (
	DefaultMirrorNodes = 100_000
	DefaultMirrorBytes = 64 << 20
	DefaultMirrorRate  = 5_000
)

// MirrorConfig is the setting of a [Mirror]. The zero value mirrors the whole subtree.
type MirrorConfig struct {
	// Depth is how many levels below the root are mirrored: 1 is the root and its children
	// (Curator's PathChildrenCache), [WholeTree] and [OnlyNode] say what they say.
	Depth int
	// Filter, if not nil, leaves out the nodes for which it returns false, with all that is
	// below them. It is asked about paths below the root, on the mirror's goroutine, must not
	// block, and has to give the same answer for a path each time.
	Filter func(path string) bool
	// NoData mirrors which nodes there are, with their stats, and not their data.
	NoData bool
	// MaxNodes and MaxBytes bound the mirror; the bytes are those of data and paths. The
	// defaults are [DefaultMirrorNodes] and [DefaultMirrorBytes].
	MaxNodes, MaxBytes int
	// Rate bounds how many requests a second a mirror makes while it reads its subtree as a whole,
	// at the start and after a reconnect. The default is [DefaultMirrorRate].
	Rate int
}

// MirrorNode is a node as a [Mirror] knows it. It never changes: neither it nor its data may be
// written to.
type MirrorNode struct {
	Path string
	Data []byte
	// Stat is that of the time at which the node was read: a mirror does not read a node again when its
	// children change, so that Cversion, Pzxid and NumChildren may be old.
	Stat client.Stat
}

// MirrorState is what a mirror knows of itself.
type MirrorState struct {
	// Synced says that the client is connected and that everything has been read since it is:
	// the mirror lags behind the servers by no more than what is on its way.
	Synced bool
	// Rebuilds counts how often the whole subtree has been read or verified.
	Rebuilds int
	// Nodes and Bytes are what MaxNodes and MaxBytes bound. Unreadable counts nodes that are left out since
	// the client may not read them.
	Nodes, Bytes, Unreadable int
	// Err is nil, or why the mirror is not the copy that it should be: [ErrMirrorLimit],
	// client.ErrNoAuth for the root, client.ErrReplyTooLarge, client.ErrUnimplemented. The mirror shows what it
	// has, goes on with what it can, and tries again, first after ten seconds and then less and less often,
	// up to five minutes. When it has ended Err is why: client.ErrClosed, client.ErrAuthFailed, or
	// [ErrMirrorClosed].
	Err error
}

// ErrMirrorClosed is in [MirrorState].Err after [Mirror.Close].
var ErrMirrorClosed = errors.New("mirror closed")

// Mirror is a live copy of a subtree: of a node, of a node and its children, or of all below it
// (Curator's NodeCache, PathChildrenCache and TreeCache in one). It costs one watch on the server, one read
// for each node that is made or changed, and none for one that is deleted.
//
// A node of a mirror never goes back in time, and the newest state always arrives: after a reconnect, in
// a new session, at a server that lags behind. What happens in between may be seen as one change. A transaction of several
// nodes may be seen in parts. After a reconnect all nodes are verified, at a bounded rate, and
// only what has changed is transferred.
//
// Safe for concurrent use. Reading is from memory and never waits for a server.
type Mirror struct {
	cl     *client.Client
	path   string
	cfg    MirrorConfig
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended

	mu      sync.RWMutex
	tree    mirrorTree
	readers map[*mirrorReader]struct{}
	state   MirrorState
	over    bool // state.Err is final
	started chan error

	version atomic.Uint64 // of tree
	snap    atomic.Pointer[MirrorSnapshot]
}

// StartMirror starts to mirror the subtree at path, and returns when all of it has been read.
// path need not exist. ctx bounds the call only: the mirror lives until [Mirror.Close] or until the client
// is closed.
//
// Errors: client.ErrBadArgument, client.ErrBadPath; [ErrMirrorLimit], client.ErrNoAuth for the root;
// client.ErrUnimplemented from servers before 3.6, which have no watch that lasts; client.ErrClosed; ctx's.
func StartMirror(ctx context.Context, cl *client.Client, path string, cfg MirrorConfig) (*Mirror, error) {
	m, err := startMirror(ctx, cl, path, cfg)
	if err != nil {
		return nil, fmt.Errorf("mirror of %s: %w", path, err)
	}
	return m, nil
}

func startMirror(ctx context.Context, cl *client.Client, path string, cfg MirrorConfig) (*Mirror, error) {
	if cl == nil {
		return nil, fmt.Errorf("%w: no client", client.ErrBadArgument)
	}
	if err := client.CheckPath(path); err != nil {
		return nil, err
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	m := &Mirror{
		cl: cl, path: path, cfg: cfg,
		done: make(chan struct{}), started: make(chan error, 1),
		tree: newMirrorTree(), readers: map[*mirrorReader]struct{}{},
	}
	w, err := m.addWatch(ctx)
	if err != nil {
		return nil, err
	}
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel = cancel
	go m.run(alive, w)
	select {
	case err = <-m.started:
	case <-ctx.Done():
		err = ended(ctx)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (c *MirrorConfig) complete() error {
	for _, f := range []struct {
		name  string
		value *int
		usual int
	}{{"MaxNodes", &c.MaxNodes, DefaultMirrorNodes}, {"MaxBytes", &c.MaxBytes, DefaultMirrorBytes}, {"Rate", &c.Rate, DefaultMirrorRate}} {
		if *f.value < 0 {
			return fmt.Errorf("%w: %s of a mirror is %d; it is a positive number, or 0 for %d", client.ErrBadArgument, f.name, *f.value, f.usual)
		}
		if *f.value == 0 {
			*f.value = f.usual
		}
	}
	if c.Depth < OnlyNode {
		return fmt.Errorf("%w: Depth of a mirror is %d; it is a number of levels, WholeTree or OnlyNode", client.ErrBadArgument, c.Depth)
	}
	return nil
}

func (m *Mirror) addWatch(ctx context.Context) (*client.Watcher, error) {
	mode := client.WatchPersistentRecursive
	if m.cfg.Depth == OnlyNode {
		mode = client.WatchPersistent
	}
	return m.cl.AddWatch(ctx, m.path, mode)
}

// Path returns the path of the root.
func (m *Mirror) Path() string { return m.path }

// Client returns the client that the mirror reads with.
func (m *Mirror) Client() *client.Client { return m.cl }

// Get returns a node, and whether the mirror has it.
func (m *Mirror) Get(path string) (*MirrorNode, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, ok := m.tree.nodes[path]
	return n, ok
}

// State returns what the mirror knows of itself.
func (m *Mirror) State() MirrorState {
	connected := m.cl.State().State == client.Connected
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := m.state
	s.Nodes, s.Bytes, s.Unreadable = len(m.tree.nodes), m.tree.bytes, len(m.tree.unreadable)
	s.Synced = s.Synced && connected && !m.over
	return s
}

// Done is closed when the mirror has ended: after [Mirror.Close], or when the client was closed.
func (m *Mirror) Done() <-chan struct{} { return m.done }

// Close ends the mirror, removes its watch and waits for its goroutine. What it has shows
// on, for whoever still reads it. It may be called again, and at any time.
func (m *Mirror) Close() {
	m.cancel()
	<-m.done
}

// run is the mirror's goroutine.
func (m *Mirror) run(ctx context.Context, w *client.Watcher) {
	defer close(m.done)
	defer m.cancel()
	l := newMirrorLoop(m, w)
	err := l.run(ctx)
	l.w.Close()
	if ctx.Err() != nil {
		err = ErrMirrorClosed
	}
	m.mu.Lock()
	m.state.Err, m.over = err, true
	for r := range m.readers {
		r.signal()
	}
	m.mu.Unlock()
	m.tellStarted(err)
}

// tellStarted answers StartMirror, once.
func (m *Mirror) tellStarted(err error) {
	select {
	case m.started <- err:
	default:
	}
}

// failed puts the mirror into a state of error, which lasts until a rebuild succeeds.
func (m *Mirror) failed(err error) {
	m.mu.Lock()
	m.state.Err, m.state.Synced = err, false
	for r := range m.readers {
		r.fail(err)
	}
	m.mu.Unlock()
	m.cl.Logger().Warn("mirror is not complete", "path", m.path, "err", err)
	m.tellStarted(err)
}

// rebuilt says that everything has been read.
func (m *Mirror) rebuilt() {
	m.mu.Lock()
	m.state.Synced, m.state.Err = true, nil
	m.state.Rebuilds++
	for r := range m.readers {
		r.mark()
	}
	m.mu.Unlock()
	m.tellStarted(nil)
}

// unsynced says that the watch has been away.
func (m *Mirror) unsynced() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Synced = false
}

const (
	mirrorRetryFirst = 10 * time.Second
	mirrorRetryMost  = 5 * time.Minute
)
