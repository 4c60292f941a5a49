package recipes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
)

// The errors of [Node].
var (
	// ErrNodeTaken is returned by [KeepNode] when somebody else has a node at the path: together
	// with the error of the context, if the node was still there when that ended, and
	// alone if this very client keeps a node there already.
	ErrNodeTaken = errors.New("node is somebody else's")

	// ErrNodeClosed is returned by [Node.Set] after [Node.Close].
	ErrNodeClosed = errors.New("node closed")
)

// NodeConfig says what a [Node] is like. The zero value is a node without data, in a
// container where the server has containers.
type NodeConfig struct {
	// Data is what the node holds at first; see [Node.Set]. Default: none.
	Data []byte
	// Layout says how missing parents are made: the direct one as a container (Curator, the
	// default), or all as plain persistent nodes (Kazoo).
	Layout Layout
	// ACL is the node's, and that of parents that are made. Default: the client's
	// (client.WithACLProvider, client.WithDefaultACL).
	ACL []client.ACL
}

// Node is an ephemeral node that is kept: it is made again in each new session of its client,
// and whenever somebody deletes it, until it is closed. Memberships and registrations are such nodes.
// It is what Curator calls a persistent (ephemeral) node. It is safe for concurrent use.
//
// What is promised:
//   - While the client has a session and can reach the servers the node is there, or is being made:
//     no error stops that, only Close and the end of the client. After a refusal (client.ErrNoAuth)
//     it is tried again, with pauses of up to a second.
//   - The node that is there is the current session's own. One that an earlier session of the client
//     has left behind, which would go when the servers end that session, is not taken for it but
//     replaced, in one transaction: nobody sees the node missing in between.
//   - Somebody else's node at the path is never touched. As long as it is there the Node waits
//     ([NodeTaken]) and takes the path when it has gone. A client keeps one Node at a path.
//   - After Close it is gone, also if its creation was still under way.
//   - The node's data is what Set wrote last. What others write into it is overwritten.
//   - A connection that is lost and comes back costs one read, and changes nothing.
//
// What is not: a Node is no lock. That its state is [NodePresent] says that it was there when it
// was last looked at and that nothing has been heard since; somebody may have deleted it a moment
// ago. Where the session was lost unnoticed by the servers, because the connection was cut, others see
// the old node for up to the session's timeout. An ephemeral node that other code makes at the path in
// the same session is taken for its own; so is the node of the process before, where a
// session was left to this one (client.Client.Detach), which is how a restart stays unseen.
// A create that is still on its way when its session is lost may make a node that stays until the servers
// end that session.
type Node struct {
	cl     *client.Client
	path   string
	cfg    NodeConfig
	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	poke   chan struct{} // cap 1: there is an update
	turn   chan struct{} // cap 1: full while a Set waits
	first  chan error    // cap 1: what became of the first try that had an answer
	begun  sync.Once
	parted chan struct{} // closed when it is kept no more, and undo is set
	over   chan struct{} // closed when nothing is going on any more

	undo  *uprooting // nil if the client has ended; read after parted
	ended error      // why it has; likewise

	mu     sync.Mutex
	data   []byte      // what the node is known to be wanted with
	update *nodeUpdate // what it is to be changed to
	at     *nodeEvent  // the newest

	keeping nodeKeeping // belongs to the goroutine that keeps it
}

// nodeUpdate is data that is to be written.
type nodeUpdate struct {
	data []byte
	done chan struct{} // closed when it was written or refused
	err  error         // read after done
}

// KeepNode makes a node at path, with its parents, and keeps it until it is closed. It returns when the
// node is there; ctx bounds the call only.
//
// A path at which somebody else has a node is waited for. So a process that has crashed and is
// started again gets its path when the servers have ended the session of the first one.
//
// Errors: client.ErrBadPath, client.ErrBadArgument; [ErrNodeTaken] if this client keeps a
// node there already; what the server definitely refuses (client.ErrNoAuth, client.ErrTooLarge, ...);
// client.ErrClosed, client.ErrDetached; that of ctx, and ErrNodeTaken with it if somebody else's node is in the
// way. After an error nothing is kept, and what may have been made is deleted in the background.
func KeepNode(ctx context.Context, cl *client.Client, path string, cfg NodeConfig) (*Node, error) {
	if cl == nil {
		return nil, fmt.Errorf("node %s: %w: the client is nil", path, client.ErrBadArgument)
	}
	if err := client.CheckPath(path); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	if cfg.Layout.grammar() == nil {
		return nil, fmt.Errorf("node %s: %w: %s is not a layout: use recipes.Curator or recipes.Kazoo", path, client.ErrBadArgument, cfg.Layout)
	}
	cfg.Data, cfg.ACL = slices.Clone(cfg.Data), slices.Clone(cfg.ACL)
	n := &Node{
		cl: cl, path: path, cfg: cfg, data: cfg.Data,
		poke: make(chan struct{}, 1), turn: make(chan struct{}, 1), first: make(chan error, 1),
		parted: make(chan struct{}), over: make(chan struct{}),
		at: newNodeEvent(NodeChange{State: NodeMissing}),
	}
	n.ctx, n.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := n.enrol(ctx); err != nil {
		n.cancel(err)
		return nil, fmt.Errorf("node %s: %w", path, err)
	}
	go n.run()
	err := n.await(ctx)
	if err != nil {
		if at := n.State(); at.State == NodeTaken {
			err = fmt.Errorf("%w, of session %#x: %w", ErrNodeTaken, uint64(at.Session), err)
		}
		n.cancel(ErrNodeClosed)
		<-n.parted
		return nil, fmt.Errorf("node %s: %w", path, err)
	}
	return n, nil
}

// await returns when the node is there for the first time, or will not be.
func (n *Node) await(ctx context.Context) error {
	select {
	case err := <-n.first:
		return err
	case <-ctx.Done():
		return ended(ctx)
	}
}

// Path returns the node's path.
func (n *Node) Path() string { return n.path }

// Data returns what the node holds, or is to hold as soon as it can be written.
func (n *Node) Data() []byte {
	data, _ := n.wanted()
	return slices.Clone(data)
}

// Set changes what the node holds, now and whenever it is made again. It returns nil when the servers
// have it; it waits for a connection, and for the node to be there. It costs a write and a read.
//
// Errors: what the server definitely refuses (client.ErrTooLarge, client.ErrNoAuth, ...), and then the data is as it
// was before; [ErrNodeClosed]; client.ErrClosed; that of ctx, and then the data is
// written in the background, unless another Set comes first. Calls come one after the other.
func (n *Node) Set(ctx context.Context, data []byte) error {
	if err := n.set(ctx, &nodeUpdate{data: slices.Clone(data), done: make(chan struct{})}); err != nil {
		return fmt.Errorf("set %s: %w", n.path, err)
	}
	return nil
}

func (n *Node) set(ctx context.Context, u *nodeUpdate) error {
	if err := ended(ctx); err != nil {
		return err
	}
	select {
	case n.turn <- struct{}{}:
		defer func() { <-n.turn }()
	case <-n.ctx.Done():
		return context.Cause(n.ctx)
	case <-ctx.Done():
		return ended(ctx)
	}
	n.mu.Lock()
	n.update = u // one that was there has nobody waiting for it
	n.mu.Unlock()
	select {
	case n.poke <- struct{}{}:
	default:
	}
	select {
	case <-u.done:
		return u.err
	case <-n.parted: // nothing more is written
	case <-ctx.Done():
	}
	select { // what is known counts for more
	case <-u.done:
		return u.err
	case <-n.parted:
		return context.Cause(n.ctx)
	default:
		return ended(ctx)
	}
}

// Close ends the keeping and deletes the node; it returns nil when the node is gone. It may be called
// again, and after the client was closed, which takes the node with it.
//
// A call whose ctx ends first returns the error of ctx; the client goes on deleting in the background,
// over all its sessions. What the server refuses to delete (client.ErrNoAuth) is said, and tried
// again. client.ErrDetached says that the node has been left, with its session, to another process.
func (n *Node) Close(ctx context.Context) error {
	n.cancel(ErrNodeClosed)
	<-n.parted // it waits for nobody
	if n.undo == nil {
		if errors.Is(n.ended, client.ErrDetached) {
			return fmt.Errorf("close %s: it is its session's: %w", n.path, n.ended)
		}
		return nil
	}
	err := n.undo.wait(ctx)
	if err == nil || errors.Is(err, client.ErrClosed) && !errors.Is(err, client.ErrDetached) {
		return nil
	}
	return fmt.Errorf("close %s: %w", n.path, err)
}

// wanted is what the node is to hold, and the update that says so, if it is one.
func (n *Node) wanted() ([]byte, *nodeUpdate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.update != nil {
		return n.update.data, n.update
	}
	return n.data, nil
}

// settle takes note that an update was written, or refused.
func (n *Node) settle(u *nodeUpdate, err error) {
	if u == nil {
		return
	}
	n.mu.Lock()
	if n.update == u {
		n.update = nil
	}
	if err == nil {
		n.data = u.data
	}
	n.mu.Unlock()
	u.err = err
	close(u.done)
}
