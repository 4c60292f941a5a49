package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/testmain"
	"github.com/zookit/zookit/zktest"
)

// While a thousand operations are under way there is the caller's goroutine and no other.
func TestBatchNeedsNoGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := newTree(t, inMemory)
		cl := primed(t, srv)
		b := cl.Batch()
		for range 1000 {
			b.Get("/n")
		}
		first := srv.HoldReply(zktest.On("/n", zktest.OpGetData))
		synctest.Wait()
		before := len(testmain.Stacks())
		done := make(chan error)
		go func() {
			_, err := b.Do(t.Context())
			done <- err
		}()
		wait(t, first.Fired(), "the batch is under way")
		synctest.Wait()
		require.Equal(t, 1000, cl.Stats().InFlight)
		require.Len(t, testmain.Stacks(), before+1)
		first.Release()
		require.NoError(t, <-done)
	})
}

// Every operation's result, in the order of the operations.
func TestBatch(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := connectTo(t, srv.Addr()+"/tree")
	mine := client.WorldACL(client.PermRead | client.PermCreate)
	b := cl.Batch().
		Get("/a").
		Create("/s-", []byte("x"), client.WithMode(client.EphemeralSequential)).
		Create("/c", nil, client.WithMode(client.Container), client.WithACL(mine)).
		Children("/").
		Set("/a", []byte("new"), 0).
		Exists("/a").
		Exists("/none").
		GetACL("/c").
		Sync("/").
		Delete("/a", 1).
		Exists("/a").
		Get("/a").
		Set("/c", nil, 0)
	require.Equal(t, 13, b.Len())
	results, err := b.Do(t.Context())
	require.Len(t, results, 13)
	failure, ok := errors.AsType[*client.BatchError](err)
	require.True(t, ok)
	require.Equal(t, client.BatchError{Index: 11, Failed: 2, Total: 13, Outcome: client.Definite, Err: results[11].Err}, *failure)
	require.EqualError(t, err, "batch: operation 11: getData /a: node does not exist (and 1 more of 13 have failed)")
	require.ErrorIs(t, err, client.ErrNoNode)
	require.NotErrorIs(t, err, client.ErrNoAuth, "the second one's")
	require.ErrorIs(t, results[12].Err, client.ErrNoAuth)
	require.Equal(t, client.Definite, client.Outcome(err))

	require.Equal(t, "/s-0000000001", results[1].Path)
	require.NotZero(t, results[1].Stat.EphemeralOwner)
	require.Equal(t, []string{"a", "c", "s-0000000001"}, results[3].Children)
	require.Equal(t, 3, results[3].Stat.NumChildren)
	require.EqualValues(t, 1, results[4].Stat.Version)
	require.True(t, results[5].Exists)
	require.Equal(t, 3, results[5].Stat.DataLength)
	require.Equal(t, client.BatchResult{Op: "exists", Path: "/none"}, results[6])
	require.Equal(t, []client.ACL{mine}, results[7].ACL)
	require.Equal(t, client.BatchResult{Op: "sync", Path: "/"}, results[8])
	require.Equal(t, client.BatchResult{Op: "delete", Path: "/a"}, results[9])
	require.Equal(t, client.BatchResult{Op: "exists", Path: "/a"}, results[10])

	one, err := cl.Batch().Get("/").Get("/none").Do(t.Context())
	require.EqualError(t, err, "batch: operation 1 of 2: getData /none: node does not exist")
	require.NoError(t, one[0].Err)
	none, err := cl.Batch().Do(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
}

// A batch may be sent again.
func TestBatchAgain(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	b := connect(t, srv).Batch().Get("/n").Create("/n/x-", nil, client.WithMode(client.PersistentSequential)).Children("/n")
	first, err := b.Do(t.Context())
	require.NoError(t, err)
	require.NoError(t, srv.Set("/n", []byte("new")))
	second, err := b.Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, "old", string(first[0].Data))
	require.Equal(t, "new", string(second[0].Data))
	require.Len(t, first[2].Children, 1)
	require.Len(t, second[2].Children, 2)
}

// If one operation cannot be sent nothing is.
func TestBatchRefuses(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cl := connect(t, srv)
	srv.ResetRequests()
	for name, tc := range map[string]struct {
		b    *client.Batch
		err  error
		says string
	}{
		"path":       {cl.Batch().Get("/n").Get("n"), client.ErrBadPath, "batch: operation 1 of 2: getData "},
		"create":     {cl.Batch().Get("/n").Create("/x/", nil), client.ErrBadPath, "operation 1 of 2: create"},
		"mode":       {cl.Batch().Get("/n").Create("/x", nil, client.WithMode(9)), client.ErrBadArgument, "mode 9"},
		"option":     {cl.Batch().Get("/n").Create("/x", nil, nil), client.ErrBadArgument, "option 0 is nil"},
		"parents":    {cl.Batch().Get("/n").Create("/x", nil, client.WithParents()), client.ErrBadArgument, "makes no parents"},
		"containers": {cl.Batch().Get("/n").Create("/x", nil, client.WithContainerParents()), client.ErrBadArgument, "makes no parents"},
		"large":      {cl.Batch().Get("/n").Set("/n", large(1<<20), 0).Get("/n"), client.ErrTooLarge, "operation 1 of 3: setData /n"},
		"the first":  {cl.Batch().Get("/n").Exists("").Create("/x", nil, nil), client.ErrBadPath, "operation 1 of 3: exists"},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := tc.b.Do(t.Context())
			require.Nil(t, results)
			require.ErrorIs(t, err, tc.err)
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, client.NotSent, client.Outcome(err))
		})
	}
	require.Empty(t, srv.Requests())
}

// flights counts what a client writes to its sockets.
type flights struct {
	net.Conn
	writes *atomic.Int64
}

func (f flights) Write(p []byte) (int, error) {
	f.writes.Add(1)
	return f.Conn.Write(p)
}

// A batch leaves in one write, a large one in one for each 1,000 operations or 4 MiB.
func TestBatchFlights(t *testing.T) {
	for name, tc := range map[string]struct {
		ops, bytes int
		want       int64
	}{
		"one":            {1, 0, 1},
		"a thousand":     {1000, 0, 1},
		"one more":       {1001, 0, 2},
		"2,500":          {2500, 0, 3},
		"four megabytes": {8, 512 << 10, 2}, // the requests are a little larger than their data
		"nine megabytes": {18, 512 << 10, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				var writes atomic.Int64
				cl := p.connect(t, "10.0.0.1:1", client.WithSessionTimeout(time.Hour), client.WithDialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := p.Dial(ctx, network, addr)
					return flights{c, &writes}, err
				}))
				before := writes.Load()
				b := cl.Batch()
				for i := range tc.ops {
					if tc.bytes > 0 {
						b.Set(fmt.Sprintf("/%d", i), large(tc.bytes), client.AnyVersion)
					} else {
						b.Get(fmt.Sprintf("/%d", i))
					}
				}
				results, err := b.Do(t.Context())
				require.NoError(t, err)
				require.Len(t, results, tc.ops)
				require.Equal(t, tc.want, writes.Load()-before)
				seen := p.seen()
				require.Len(t, seen, tc.ops)
				for i, f := range seen {
					var r jute.PathRequest
					r.Decode(jute.NewDecoder(f.body))
					require.Equal(t, fmt.Sprintf("/%d", i), r.Path, "in their order")
				}
			})
		})
	}
}

// After a loss the operations that may be repeated are, in their order and before those
// not sent yet; one whose outcome is unknown is not, and those behind it run.
func TestBatchOrderAfterALoss(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	require.NoError(t, srv.Create("/o", nil))
	cl := primed(t, srv)
	srv.ResetRequests()
	fault := srv.DropRequest(zktest.On("/n", zktest.OpSetData)) // what is behind it is lost with it
	results, err := cl.Batch().
		Get("/tree").
		Set("/n", []byte("new"), 0).
		Create("/x", nil).
		Get("/n").
		Set("/o", nil, client.AnyVersion).
		Exists("/x").
		Do(t.Context())
	wait(t, fault.Fired(), "the connection is lost")
	failure, ok := errors.AsType[*client.BatchError](err)
	require.True(t, ok)
	require.Equal(t, client.Unknown, client.Outcome(err))
	require.Equal(t, 2, failure.Index)
	require.Equal(t, 2, failure.Failed)
	for i, r := range results {
		if i == 2 || i == 4 {
			require.ErrorIs(t, r.Err, client.ErrConnectionLost)
			require.Equal(t, client.Unknown, client.Outcome(r.Err))
			require.ErrorContains(t, r.Err, "outcome unknown")
			continue
		}
		require.NoError(t, r.Err, i)
	}
	require.Equal(t, "new", string(results[3].Data), "the read comes behind the set, as it was given")
	require.False(t, results[5].Exists, "a write of unknown outcome is not repeated")
	require.Zero(t, sent(srv, "/x", zktest.OpCreate2))
	var repeated []string
	requests := srv.Requests(zktest.On("/n", zktest.OpSetData, zktest.OpGetData), zktest.On("/x", zktest.OpExists))
	for _, r := range requests {
		repeated = append(repeated, r.Op.String()+" "+r.Path)
	}
	want := "setData /n, setData /n, getData /n, exists /x"
	require.Equal(t, want, strings.Join(repeated, ", "))
}
