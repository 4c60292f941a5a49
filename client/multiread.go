package client

import (
	"context"
	"slices"

	"github.com/zookit/zookit/internal/jute"
)

// MultiRead is reads in one request. Each succeeds or fails for itself. The server
// looks at one node after the other and promises no snapshot: a transaction that is committed
// meanwhile may be seen by the later reads only. Build it with its methods, then
// call [MultiRead.Do]. Not safe for concurrent use. For reads that it does not know,
// or servers before 3.6, there is [Ops.Batch].
type MultiRead struct {
	o     Ops
	ops   []jute.MultiOp
	paths []string
	err   error
}

// ReadResult is what one read of a [MultiRead] has found.
type ReadResult struct {
	// Path is the node, as the caller named it.
	Path string
	// Data and Stat are the node's, for a get. Servers tell no stat with children.
	Data []byte
	Stat Stat
	// Children are the names of the node's children, sorted, for a list of them.
	Children []string
	// Err is nil or the read's error, such as [ErrNoNode] or [ErrNoAuth], in an *[OpError].
	Err error
}

// MultiRead begins reads in one request.
func (o Ops) MultiRead() *MultiRead { return &MultiRead{o: o} }

func (m *MultiRead) add(op jute.Op, path string) *MultiRead {
	if err := checkPath(path, false); err != nil && m.err == nil {
		m.err = refused(op, path, err)
	}
	m.ops = append(m.ops, jute.MultiOp{Op: op, Body: &jute.PathWatchRequest{Path: m.o.out(path)}})
	m.paths = append(m.paths, path)
	return m
}

// Get reads a node's data and stat.
func (m *MultiRead) Get(path string) *MultiRead { return m.add(jute.OpGetData, path) }

// Children lists a node's children.
func (m *MultiRead) Children(path string) *MultiRead { return m.add(jute.OpGetChildren, path) }

// Len returns the number of reads added so far.
func (m *MultiRead) Len() int { return len(m.ops) }

// Do sends the request and returns one result for each read, in their order. The error
// is that of the request as a whole, and then there are no results: [ErrBadPath] for
// any of the paths, [ErrTooLarge], [ErrReplyTooLarge], [ErrUnimplemented] before
// ZooKeeper 3.6, and those common to all operations. Do may be called again.
func (m *MultiRead) Do(ctx context.Context) ([]ReadResult, error) {
	if m.err != nil {
		return nil, m.err
	}
	if len(m.ops) == 0 {
		return nil, nil
	}
	var reply jute.MultiReply
	err := m.o.attempt(ctx, &request{op: jute.OpMultiRead, path: m.paths[0], body: &jute.MultiRequest{Ops: m.ops}, reply: &reply, repeat: true})
	if err != nil {
		return nil, err
	}
	if len(reply.Results) != len(m.ops) {
		return nil, &OpError{Op: jute.OpMultiRead.String(), Path: m.paths[0], Outcome: Definite, Err: wrongCount(len(reply.Results), len(m.ops))}
	}
	out := make([]ReadResult, len(m.ops))
	for i, r := range reply.Results {
		out[i] = ReadResult{Path: m.paths[i]}
		if r.Err != jute.OK || r.Op != m.ops[i].Op {
			if r.Err == jute.OK {
				r.Err = jute.RuntimeInconsistency // an answer to another question
			}
			out[i].Err = &OpError{Op: m.ops[i].Op.String(), Path: m.paths[i], Outcome: Definite, Err: codeError(r.Err)}
			continue
		}
		if r.Op == jute.OpGetData {
			out[i].Data, out[i].Stat = r.Data, statOf(&r.Stat)
			continue
		}
		slices.Sort(r.Children)
		out[i].Children = r.Children
	}
	return out, nil
}
