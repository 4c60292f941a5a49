package recipes

import (
	"context"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
)

// nodeRegister has the nodes that are kept, or are being deleted: the servers cannot tell two of one
// session apart, so that one would delete what the other keeps.
var nodeRegister struct {
	mu   sync.Mutex
	kept map[nodePlace]*Node
}

type nodePlace struct {
	cl   *client.Client
	path string
}

func (n *Node) place() nodePlace { return nodePlace{n.cl, n.path} }

// enrol waits for the end of a node that is being deleted at the same path.
func (n *Node) enrol(ctx context.Context) error {
	for {
		other := n.enter()
		switch {
		case other == nil:
			return nil
		case other.ctx.Err() == nil:
			return fmt.Errorf("%w: this client keeps one there already", ErrNodeTaken)
		}
		select {
		case <-other.over:
		case <-ctx.Done():
			return ended(ctx)
		}
	}
}

// enter puts the node into the register, unless there is another one, which it returns.
func (n *Node) enter() *Node {
	nodeRegister.mu.Lock()
	defer nodeRegister.mu.Unlock()
	if other := nodeRegister.kept[n.place()]; other != nil {
		return other
	}
	if nodeRegister.kept == nil {
		nodeRegister.kept = map[nodePlace]*Node{}
	}
	nodeRegister.kept[n.place()] = n
	return nil
}

// strike takes it out.
func (n *Node) strike() {
	nodeRegister.mu.Lock()
	defer nodeRegister.mu.Unlock()
	delete(nodeRegister.kept, n.place())
}
