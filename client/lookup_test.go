package client_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// What became of a write is looked up behind a commit of the quorum: the server that is asked may
// not have heard of it yet, and what it knows then must not be taken for the answer.
func TestLookUpAtServerThatLags(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on   zktest.Match
		done func(*zktest.Server) bool
		run  func(context.Context, ops) error
		err  error // besides that the outcome is unknown
	}{
		"Set": {zktest.On("/n", zktest.OpSetData), changed, func(ctx context.Context, o ops) error {
			return err2(o.Set(ctx, "/n", []byte("new"), 0))
		}, client.ErrConnectionLost},
		"Delete": {zktest.On("/n", zktest.OpDelete), gone("/n"), func(ctx context.Context, o ops) error {
			return o.Delete(ctx, "/n", 0)
		}, client.ErrConnectionLost},
		"Set, idempotent": {zktest.On("/n", zktest.OpSetData), changed, func(ctx context.Context, o ops) error {
			return err2(o.Idempotent().Set(ctx, "/n", []byte("new"), 0))
		}, nil},
		"Delete, idempotent": {zktest.On("/n", zktest.OpDelete), gone("/n"), func(ctx context.Context, o ops) error {
			return o.Idempotent().Delete(ctx, "/n", 0)
		}, nil},
		"Create, idempotent": {zktest.On("/new", zktest.OpCreate2), exists("/new"), func(ctx context.Context, o ops) error {
			return err2(o.Idempotent().Create(ctx, "/new", []byte("x")))
		}, nil},
		"Create with protection": {zktest.On("/n/"+unique, zktest.OpCreate2), exists("/n/" + unique), func(ctx context.Context, o ops) error {
			return err2(o.Create(ctx, "/n/"+unique, nil, client.WithProtection(unique)))
		}, nil},
		"Txn with a marker": {zktest.On("/new", zktest.OpMulti), exists("/new"), func(ctx context.Context, o ops) error {
			return err2(o.Txn().Create("/new", nil).WithMarker("/tree").Commit(ctx))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := newTree(t, inMemory, zktest.WithServers(2))
				cl := connectTo(t, srv.ConnectString(), client.WithDialer(srv.Dial))
				_, _, err := cl.Get(t.Context(), "/n")
				require.NoError(t, err)
				at := srv.Sessions()[0].Door
				srv.Doors()[at].Refuse()
				other := srv.Doors()[1-at]
				other.Lag()
				lost := srv.SwallowReply(tc.on)
				result := make(chan error, 1)
				go func() { result <- tc.run(t.Context(), cl.Ops) }()
				st := follow(t, cl)
				st.until(client.Suspended)
				st.until(client.Connected)
				synctest.Wait()
				wait(t, lost.Fired(), "the reply is lost")
				require.True(t, tc.done(srv))
				require.Equal(t, 1-at, srv.Sessions()[0].Door)
				require.Empty(t, result, "before the server can know")
				other.CatchUp()
				err = <-result
				if tc.err == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tc.err)
					require.Equal(t, client.Unknown, client.Outcome(err))
				}
				require.Len(t, srv.Requests(tc.on), 1, "not repeated")
			})
		})
	}
}

// A first attempt that was lost together with its session may yet be executed. Who gives up then,
// although nothing was found, does not know. In the session itself nothing comes after the look-up.
func TestGivenUpAfterTheLookUp(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		on  zktest.Match
		run func(context.Context, ops) error
	}{
		"Create": {zktest.On("/new", zktest.OpCreate2), func(ctx context.Context, o ops) error { return err2(o.Create(ctx, "/new", nil)) }},
		"Set":    {zktest.On("/n", zktest.OpSetData), func(ctx context.Context, o ops) error { return err2(o.Set(ctx, "/n", nil, 0)) }},
		"Delete": {zktest.On("/n", zktest.OpDelete), func(ctx context.Context, o ops) error { return o.Delete(ctx, "/n", 0) }},
	} {
		for _, l := range []loss{{session: true}, {}} {
			t.Run(name+"/"+l.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := newTree(t, inMemory)
					cl := primed(t, srv)
					fault := l.inflict(srv, tc.on)
					err := tc.run(t.Context(), cl.Idempotent().WithRetry(client.RetryTimes(0)))
					wait(t, fault.Fired(), "the request came")
					require.ErrorIs(t, err, client.ErrRetriesExhausted)
					require.ErrorIs(t, err, client.ErrConnectionLost)
					if l.session || name == "Create" { // one that is not there may have been made, and deleted since
						require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
					} else {
						require.Equal(t, client.NotSent, client.Outcome(err), "%v", err)
					}
					require.Len(t, srv.Requests(tc.on), 1)
				})
			})
		}
	}
}

// Without the commit nothing is looked up: what a read alone says proves nothing.
func TestNoLookUpWithoutACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, version := range []int32{0, client.AnyVersion} {
			srv := newTree(t, inMemory)
			cl := primed(t, srv)
			srv.ResetRequests()
			srv.DropRequest(zktest.On("/n", zktest.OpSetData))
			commit := srv.DropRequest(zktest.On("/", zktest.OpMulti))
			o := cl.WithRetry(client.RetryTimes(0))
			if version == client.AnyVersion {
				o = o.Idempotent()
			}
			_, err := o.Set(t.Context(), "/n", []byte("new"), version)
			wait(t, commit.Fired(), "the commit is lost")
			require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
			require.ErrorIs(t, err, client.ErrRetriesExhausted)
			_, err = cl.Session(t.Context())
			require.NoError(t, err)
			require.Empty(t, srv.Requests(zktest.On("/n", zktest.OpExists, zktest.OpGetData)))
		}
	})
}
