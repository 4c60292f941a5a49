package counter_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
	"github.com/zookit/zookit/zktest"
)

// losses are the ways to lose a request, or its reply.
var losses = map[string]func(*zktest.Server, zktest.Match) *zktest.Fault{
	"request": (*zktest.Server).DropRequest, "reply": (*zktest.Server).SwallowReply,
}

// K16, C3: whatever is lost, at whichever step, and if the session goes with it, an add is added once.
func TestAddIsLost(t *testing.T) {
	t.Parallel()
	all := 0
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		srv.ResetRequests()
		for c := counter.New(cl, node); ; {
			if n, err := c.Add(bounded(t), 1); n == 3 || err != nil {
				require.NoError(t, err)
				break
			}
		}
		requests := counted(srv, sessionOf(t, cl))
		all = len(requests)
		require.Equal(t, zktest.OpMulti, requests[all-1].Op)
		require.Equal(t, zktest.OpMulti, requests[all-2].Op, "without a read, since nobody else is there")
	})
	for what, lose := range losses {
		for _, expires := range []bool{false, true} {
			for n := range all {
				t.Run(fmt.Sprintf("%s %d, session expires %v", what, n, expires), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						srv := zktest.Start(t, zktest.WithInMemoryNetwork())
						ctx := bounded(t)
						cl := connect(t, srv)
						session := sessionOf(t, cl)
						c := counter.New(cl, node)
						srv.ResetRequests()
						f := lose(srv, nth(session, n))
						if expires {
							srv.OnRequest(func(r zktest.Request) {
								if r.Op == zktest.OpConnect { // that comes back
									srv.ExpireSession(session)
								}
							})
						}
						for i := range 3 {
							sum, err := c.Add(ctx, 1)
							require.NoError(t, err, "%s", steps(srv.Requests()))
							require.Equal(t, int64(i+1), sum, "%s", steps(srv.Requests()))
						}
						wait(t, "the loss", f.Fired())
						requireData(t, srv, []byte{0, 0, 0, 0, 0, 0, 0, 3})
						requireNoReceipts(t, srv)
					})
				})
			}
		}
	}
}

// The same, while somebody else changes the node right behind the change whose reply is lost: then the node
// alone could not tell.
func TestAddIsLostAmongOthers(t *testing.T) {
	t.Parallel()
	for what, lose := range losses {
		for _, expires := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, session expires %v", what, expires), func(t *testing.T) {
				t.Parallel()
				srv := zktest.Start(t)
				ctx := bounded(t)
				cl := connect(t, srv)
				session := sessionOf(t, cl)
				mine, others := counter.New(cl, node), counter.New(connect(t, srv), node)
				f := lose(srv, zktest.Match{Path: node, Ops: []zktest.Op{zktest.OpMulti}, Session: session})
				srv.OnRequest(func(r zktest.Request) {
					if r.Op == zktest.OpConnect {
						_ = srv.Set(node, []byte{0, 0, 0, 0, 0, 0, 0, 1}) // as an add of 1 would, or as it was
						if expires {
							srv.ExpireSession(session)
						}
					}
				})
				require.NoError(t, srv.Create(node, []byte{0, 0, 0, 0, 0, 0, 0, 0}))
				n, err := mine.Add(ctx, 1)
				require.NoError(t, err)
				want := int64(1) // and then somebody set it to 1
				if what == "request" {
					want = 2
				}
				require.Equal(t, want, n)
				wait(t, "the loss", f.Fired())
				n, err = others.Add(ctx, 0)
				require.NoError(t, err)
				require.Equal(t, want, n)
			})
		}
	}
}

// What finds out about a lost reply can lose its own.
func TestSettlingIsLost(t *testing.T) {
	t.Parallel()
	for first, lose := range losses {
		for second, loseAgain := range losses {
			t.Run(first+" then "+second, func(t *testing.T) {
				t.Parallel()
				srv := zktest.Start(t)
				c := counter.New(connect(t, srv), node)
				lose(srv, changes())
				f := loseAgain(srv, zktest.On(receipts+"/*", zktest.OpSetData))
				n, err := c.Add(bounded(t), 1)
				require.NoError(t, err)
				require.Equal(t, int64(1), n)
				wait(t, "the second loss", f.Fired())
				requireData(t, srv, []byte{0, 0, 0, 0, 0, 0, 0, 1})
			})
		}
	}
}

// A transaction that is late, since the session that sent it is taken for lost, is not made any more.
func TestLateTransaction(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	cl := connect(t, srv)
	session := sessionOf(t, cl)
	late, goOn := make(chan struct{}), make(chan struct{})
	srv.OnRequest(func(r zktest.Request) {
		if r.Op == zktest.OpMulti && r.Session == session {
			select {
			case <-late:
			default:
				close(late)
				<-goOn // executed when somebody else has settled it
			}
		}
	})
	c := counter.New(cl, node)
	cut, cancel := context.WithCancel(ctx)
	out := later(func() (int64, error) { return c.Add(cut, 1) })
	wait(t, "the transaction", late)
	cancel()
	err := wait(t, "the end of Add", out).err
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, client.Unknown, client.Outcome(err))
	close(goOn)
	requireNoReceipts(t, srv)
}

// Somebody deletes the receipt: if the node is as it was nothing was made; otherwise nobody knows.
func TestReceiptDeleted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		lose  func(*zktest.Server, zktest.Match) *zktest.Fault
		known bool
	}{{"not made", (*zktest.Server).DropRequest, true}, {"made", (*zktest.Server).SwallowReply, false}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			ctx := bounded(t)
			c := counter.New(connect(t, srv), node)
			n, err := c.Add(ctx, 1)
			require.NoError(t, err)
			require.Equal(t, int64(1), n)
			require.NoError(t, srv.Set(node, []byte{0, 0, 0, 0, 0, 0, 0, 1})) // so that it is read again
			test.lose(srv, zktest.Match{Path: node, Ops: []zktest.Op{zktest.OpMulti}, Where: func(r zktest.Request) bool { return r.Multi[0].Version == 1 }})
			srv.OnRequest(func(r zktest.Request) {
				if r.Op == zktest.OpConnect {
					_ = srv.Delete("/zookit")
				}
			})
			n, err = c.Add(ctx, 1)
			if test.known {
				require.NoError(t, err)
				require.Equal(t, int64(2), n)
				return
			}
			require.ErrorIs(t, err, counter.ErrUnresolved)
			require.Equal(t, client.Unknown, client.Outcome(err))
			srv.OnRequest(nil)
			n, err = c.Add(ctx, 1)
			require.NoError(t, err)
			require.Equal(t, int64(3), n, "goes on with another receipt")
		})
	}
}

// A receipt that is deleted while nothing is under way, or written by somebody, is replaced.
func TestReceiptReplaced(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx := bounded(t)
	c := counter.New(connect(t, srv), node)
	for i := range 3 {
		n, err := c.Add(ctx, 1)
		require.NoError(t, err)
		require.Equal(t, int64(i+1), n)
		var dir zktest.Node
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			dir, _ = srv.Node(receipts)
			assert.Len(c, dir.Children, 1)
		}, patience, time.Millisecond)
		if i == 0 {
			require.NoError(t, srv.Delete("/zookit"))
		} else {
			require.NoError(t, srv.Set(client.Join(receipts, dir.Children[0]), []byte("mine")))
		}
	}
}

// The server refuses the receipt, or the node.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{receipts + "/*", node} {
		srv := zktest.Start(t)
		require.NoError(t, srv.Create(receipts, nil))
		require.NoError(t, srv.Create(node, []byte{0, 0, 0, 0, 0, 0, 0, 1}))
		c := counter.New(connect(t, srv), node)
		srv.FailNext(zktest.On(path), zktest.NoAuth)
		_, err := c.Add(bounded(t), 1)
		require.ErrorIs(t, err, client.ErrNoAuth)
		require.Equal(t, client.Definite, client.Outcome(err))
		n, err := c.Add(bounded(t), 1)
		require.NoError(t, err)
		require.Equal(t, int64(2), n)
	}
}

// C4: a compare-and-set whose reply is lost says that it has been made.
func TestCompareAndSetIsLost(t *testing.T) {
	t.Parallel()
	for what, lose := range losses {
		srv := zktest.Start(t)
		c := counter.New(connect(t, srv), node)
		lose(srv, changes())
		swapped, err := c.CompareAndSet(bounded(t), 0, 9)
		require.NoError(t, err, what)
		require.True(t, swapped, what)
	}
}
