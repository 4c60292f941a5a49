package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// expiring is a connection to a server that has not heard of the session's end: what is answered with "session expired" by the
// header is answered so within the results, as real servers answer transactions.
type expiring struct {
	net.Conn
	in   *bufio.Reader
	rest bytes.Buffer
	hit  func()
}

func (c *expiring) Read(p []byte) (int, error) {
	if c.rest.Len() == 0 {
		head, err := c.in.Peek(4)
		if err != nil {
			return 0, err
		}
		frame := make([]byte, 4+binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(c.in, frame); err != nil {
			return 0, err
		}
		c.rest.Write(c.within(frame))
	}
	return c.rest.Read(p)
}

func (c *expiring) within(frame []byte) []byte {
	var h jute.ReplyHeader
	d := jute.NewDecoder(frame[4:])
	if h.Decode(d); len(frame) != 4+jute.ReplyHeaderLen || h.Err != jute.SessionExpired {
		return frame
	}
	h.Err = jute.OK
	e := jute.Encoder{B: make([]byte, 4)}
	h.Encode(&e)
	(&jute.MultiReply{Results: []jute.MultiResult{
		{Op: jute.OpError, Err: jute.SessionExpired}, {Op: jute.OpError, Err: jute.RuntimeInconsistency},
	}}).Encode(&e)
	binary.BigEndian.PutUint32(e.B, uint32(len(e.B)-4))
	c.hit()
	return e.B
}

// A transaction is refused because the leader has expired the session: it was not executed. That of a client is
// executed in the next session, and that of the session is told that it is over.
func TestTxnInExpiredSession(t *testing.T) {
	t.Parallel()
	for name, marked := range map[string]bool{"plain": false, "marked": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := newTree(t, inMemory)
				var current atomic.Int64
				cl := connect(t, srv, client.WithDialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
					nc, err := srv.Dial(ctx, network, addr)
					if err != nil {
						return nil, err
					}
					return &expiring{Conn: nc, in: bufio.NewReader(nc), hit: func() { srv.ExpireSession(current.Load()) }}, nil
				}))
				commit := func(o client.Ops, path string) error {
					current.Store(session(t, cl).ID())
					refused := srv.FailNext(zktest.On(path, zktest.OpMulti), zktest.SessionExpired)
					txn := o.Txn().Create(path, nil)
					if marked {
						txn.WithMarker("/")
					} else {
						txn.Check("/n", client.AnyVersion)
					}
					_, err := txn.Commit(t.Context())
					wait(t, refused.Fired(), "the refusal")
					return err
				}
				require.NoError(t, commit(cl.Ops, "/mine"))
				require.True(t, exists("/mine")(srv))
				require.Equal(t, uint64(2), session(t, cl).Epoch())

				err := commit(session(t, cl).Ops, "/other")
				require.ErrorIs(t, err, client.ErrSessionLost)
				require.Equal(t, client.NotSent, client.Outcome(err))
				require.False(t, exists("/other")(srv))
			})
		})
	}
}
