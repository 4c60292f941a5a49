package scenario

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

const (
	opCreate2   = 15
	opDelete    = 2
	opChildren2 = 12
	opGetData   = 4
	opMulti     = 14
)

// TestLostRequestsAndReplies: one request of a lock's life is not delivered, or its
// reply is lost, and the connection with it. The lock is acquired exactly once and
// released exactly once: one node, then none, in the same session.
func TestLostRequestsAndReplies(t *testing.T) {
	e := ensemble.Start(t, 1)
	faults := map[string]func(*faultproxy.Proxy, faultproxy.Match) *faultproxy.Fault{
		"request not delivered": func(p *faultproxy.Proxy, m faultproxy.Match) *faultproxy.Fault {
			return p.DropRequest(m, faultproxy.ThenCut)
		},
		"reply lost": func(p *faultproxy.Proxy, m faultproxy.Match) *faultproxy.Fault { return p.SwallowReply(m) },
	}
	steps := []struct {
		name   string
		op     int32
		unlock bool // the step belongs to Unlock
		first  bool // another holds at first
	}{
		{name: "create", op: opCreate2},
		{name: "list", op: opChildren2},
		{name: "delete", op: opDelete, unlock: true},
		{name: "create behind another", op: opCreate2, first: true},
		{name: "list behind another", op: opChildren2, first: true},
		{name: "watch", op: opGetData, first: true},
	}
	for fault, inject := range faults {
		for _, step := range steps {
			t.Run(step.name+" "+fault, func(t *testing.T) {
				ctx := trial.Within(t, time.Minute)
				dir := "/lost/" + trial.Sanitize(t.Name())
				p := faultproxy.Start(t, e.Servers()[0].Addr())
				cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(8*time.Second))
				other := trial.Connect(t, e.Connect())
				trial.MakeDirectory(t, ctx, other, dir)
				first := occupy(t, ctx, other, dir, step.first)

				var hit *faultproxy.Fault
				if !step.unlock {
					hit = inject(p, faultproxy.Op(step.op))
				}
				got := make(chan *lock.Held, 1)
				go func() {
					held, err := lock.NewMutex(cl, dir).Lock(ctx)
					if err == nil {
						got <- held
					}
				}()
				if first != nil {
					_, err := hit.Wait(ctx)
					require.NoError(t, err)
					requireContenders(t, ctx, other, dir, 2)
					require.NoError(t, first.Unlock(ctx))
				}
				var held *lock.Held
				select {
				case held = <-got:
				case <-ctx.Done():
					t.Fatal("the lock was not acquired")
				}
				requireContenders(t, ctx, other, dir, 1)
				if step.unlock {
					hit = inject(p, faultproxy.Op(step.op))
				}
				require.NoError(t, held.Unlock(ctx))
				_, err := hit.Wait(ctx)
				require.NoError(t, err)
				requireContenders(t, ctx, other, dir, 0)
				require.Equal(t, uint64(1), cl.State().Epoch, "still the first session")
			})
		}
	}
}

// TestLostCleanup: TryLock is overtaken, and the deletion of its own node is not
// delivered, or its reply is lost (K3: one attempt is not enough). It is busy all the
// same, and its node does not stay in the way of others.
func TestLostCleanup(t *testing.T) {
	e := ensemble.Start(t, 1)
	for _, delivered := range []bool{false, true} {
		t.Run(fmt.Sprintf("delivered %v", delivered), func(t *testing.T) {
			ctx := trial.Within(t, time.Minute)
			dir := "/cleanup/" + trial.Sanitize(t.Name())
			p := faultproxy.Start(t, e.Servers()[0].Addr())
			cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(20*time.Second))
			other := trial.Connect(t, e.Connect())
			trial.MakeDirectory(t, ctx, other, dir)
			var first *lock.Held
			create := faultproxy.Nth(1, faultproxy.Op(opCreate2))
			p.OnRequest(func(r faultproxy.Request) {
				if create(r) { // it has seen that the lock is free
					first, _ = lock.NewMutex(other, dir).Lock(ctx)
				}
			})
			hit := func() *faultproxy.Fault {
				if delivered {
					return p.SwallowReply(faultproxy.Op(opDelete))
				}
				return p.DropRequest(faultproxy.Op(opDelete), faultproxy.ThenCut)
			}()
			_, err := lock.NewMutex(cl, dir).TryLock(ctx)
			require.ErrorIs(t, err, lock.ErrBusy)
			_, err = hit.Wait(ctx)
			require.NoError(t, err)
			requireContenders(t, ctx, other, dir, 1)
			require.NotNil(t, first)
			require.NoError(t, first.Unlock(ctx))
			held, err := lock.NewMutex(other, dir).TryLock(ctx)
			require.NoError(t, err, "nobody is in the way")
			require.NoError(t, held.Unlock(ctx))
			require.Equal(t, uint64(1), cl.State().Epoch, "still the first session")
		})
	}
}

// TestLostConfirmation: the reply to a confirmation is lost. The grant goes on.
func TestLostConfirmation(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(5*time.Second))
	held, err := lock.NewMutex(cl, "/confirmation").Lock(ctx)
	require.NoError(t, err)
	hit := p.SwallowReply(faultproxy.Op(opMulti))
	_, err = hit.Wait(ctx)
	require.NoError(t, err)
	until := held.ValidUntil()
	require.Eventually(t, func() bool { return held.ValidUntil().After(until.Add(2 * time.Second)) }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, held.Err())
	require.NoError(t, held.Unlock(ctx))
}

// occupy takes the lock first, if asked to.
func occupy(t *testing.T, ctx context.Context, cl *client.Client, dir string, wanted bool) *lock.Held { //nolint:revive // t first, as everywhere in tests
	t.Helper()
	if !wanted {
		return nil
	}
	held, err := lock.NewMutex(cl, dir).Lock(ctx)
	require.NoError(t, err)
	return held
}

// requireContenders waits until so many nodes are in the lock's directory: as the
// observer reads through another connection it may be behind.
func requireContenders(t *testing.T, ctx context.Context, cl *client.Client, dir string, n int) { //nolint:revive // t first
	t.Helper()
	require.NoError(t, cl.Sync(ctx, dir))
	require.Eventually(t, func() bool {
		names, _, err := cl.Children(ctx, dir)
		return err == nil && len(names) == n || n == 0 && errors.Is(err, client.ErrNoNode)
	}, 10*time.Second, 5*time.Millisecond, "contenders in %s", dir)
}
