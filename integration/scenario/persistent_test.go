package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// TestPersistentLost: a request of a persistent lock's life is not delivered, or its reply is lost. It
// is locked with one node, which outlives its client, and unlocked by another.
func TestPersistentLost(t *testing.T) {
	e := ensemble.Start(t, 1)
	faults := map[string]func(*faultproxy.Proxy, faultproxy.Match) *faultproxy.Fault{
		"request not delivered": func(p *faultproxy.Proxy, m faultproxy.Match) *faultproxy.Fault {
			return p.DropRequest(m, faultproxy.ThenCut)
		},
		"reply lost": func(p *faultproxy.Proxy, m faultproxy.Match) *faultproxy.Fault { return p.SwallowReply(m) },
	}
	steps := map[string]int32{"fence": opCreate2, "node": opMulti, "list": opChildren2}
	for fault, inject := range faults {
		for step, op := range steps {
			t.Run(step+" "+fault, func(t *testing.T) {
				ctx := trial.Within(t, time.Minute)
				dir := "/persistent/" + trial.Sanitize(t.Name())
				p := faultproxy.Start(t, e.Servers()[0].Addr())
				cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(8*time.Second))
				other := trial.Connect(t, e.Connect())
				trial.MakeDirectory(t, ctx, other, dir)
				first, err := lock.NewMutex(other, dir).Lock(ctx)
				require.NoError(t, err)

				hit := inject(p, faultproxy.Op(op))
				got := make(chan *lock.Persistent, 1)
				go func() {
					held, err := lock.NewMutex(cl, dir).LockPersistent(ctx)
					if err != nil {
						t.Error(err)
					}
					got <- held
				}()
				_, err = hit.Wait(ctx)
				require.NoError(t, err)
				requireContenders(t, ctx, other, dir, 2)
				require.NoError(t, first.Unlock(ctx))
				held := <-got
				require.NotNil(t, held)
				requireContenders(t, ctx, other, dir, 1)
				require.NoError(t, cl.Close())

				_, err = lock.NewMutex(other, dir).TryLock(ctx)
				require.ErrorIs(t, err, lock.ErrBusy)
				again, err := lock.OpenPersistent(ctx, other, held.Handle())
				require.NoError(t, err)
				_, err = again.Txn().Set(dir, nil, client.AnyVersion).Commit(ctx)
				require.NoError(t, err)
				require.NoError(t, again.Unlock(ctx))
				requireContenders(t, ctx, other, dir, 0)
				_, err = lock.OpenPersistent(ctx, other, held.Handle())
				require.ErrorIs(t, err, lock.ErrLost)
			})
		}
	}
}

// TestRevokedAndBroken: a holder is asked, and then its lock is taken away.
func TestRevokedAndBroken(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	mu := lock.NewMutex(trial.Connect(t, e.Connect(), client.WithSessionTimeout(5*time.Second)), "/broken")
	other := lock.NewMutex(trial.Connect(t, e.Connect()), "/broken")
	held, err := mu.Lock(ctx)
	require.NoError(t, err)
	asked := held.Revoked()
	all, err := other.Contenders(ctx)
	require.NoError(t, err)
	require.NoError(t, other.Revoke(ctx, all[0]))
	select {
	case <-asked:
	case <-ctx.Done():
		require.Fail(t, "the request has not arrived")
	}
	require.NoError(t, held.Err())
	require.NoError(t, other.Break(ctx, all[0]))
	select {
	case <-held.Context().Done():
	case <-ctx.Done():
		require.Fail(t, "the loss has not been noticed")
	}
	require.ErrorIs(t, context.Cause(held.Context()), lock.ErrLost)
	require.ErrorIs(t, context.Cause(held.Context()), client.ErrHoldDeleted)
	next, err := other.Lock(ctx)
	require.NoError(t, err)
	require.NoError(t, next.Unlock(ctx))
}
