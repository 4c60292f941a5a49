package scenario

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// TestLostDowngrade: the transaction by which a writer becomes a reader is not delivered, or its
// reply is lost. It becomes one all the same, and a writer that waits does not get in between.
func TestLostDowngrade(t *testing.T) {
	e := ensemble.Start(t, 1)
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		for _, delivered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, delivered %v", layout, delivered), func(t *testing.T) {
				ctx := trial.Within(t, time.Minute)
				dir := "/downgrade/" + trial.Sanitize(t.Name())
				p := faultproxy.Start(t, e.Servers()[0].Addr())
				cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(20*time.Second))
				rw := lock.NewRWMutex(cl, dir, lock.WithLayout(layout))
				other := lock.NewRWMutex(trial.Connect(t, e.Connect()), dir, lock.WithLayout(layout))
				writing, err := rw.Lock(ctx)
				require.NoError(t, err)
				next := make(chan *outcome, 1)
				go func() {
					o := &outcome{}
					o.held, o.err = other.Lock(ctx)
					next <- o
				}()
				require.Eventually(t, func() bool {
					all, err := other.Contenders(ctx)
					return err == nil && len(all) == 2
				}, time.Minute, 10*time.Millisecond)

				hit := p.DropRequest
				if delivered {
					hit = p.SwallowReply
				}
				fault := hit(faultproxy.Op(opMulti), faultproxy.ThenCut)
				reading, err := rw.Downgrade(ctx, writing)
				require.NoError(t, err)
				_, err = fault.Wait(ctx)
				require.NoError(t, err)
				require.ErrorIs(t, writing.Err(), lock.ErrUnlocked)
				require.NoError(t, reading.Err())
				require.Equal(t, uint64(1), cl.State().Epoch, "still the first session")

				all, err := other.Contenders(ctx)
				require.NoError(t, err)
				require.Len(t, all, 2)
				require.Equal(t, []recipes.Kind{recipes.KindRead, recipes.KindWrite}, []recipes.Kind{all[0].Kind, all[1].Kind})
				require.Equal(t, reading.Path(), all[0].Path)
				select {
				case o := <-next:
					require.Fail(t, "a writer beside a reader", "%+v", o)
				case <-time.After(200 * time.Millisecond):
				}
				require.NoError(t, reading.Unlock(ctx))
				held := granted(t, next)
				require.Greater(t, held.Token(), reading.Token())
				require.NoError(t, held.Unlock(ctx))
			})
		}
	}
}

// TestDowngradesOnThreeServers: writers that become readers, and readers, of clients of
// three servers. Nobody writes while another reads or writes.
func TestDowngradesOnThreeServers(t *testing.T) {
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, 2*time.Minute)
	var writers, readers, value atomic.Int64
	done := make(chan error, 6)
	for i := range cap(done) {
		rw := lock.NewRWMutex(trial.Connect(t, e.Servers()[i%3].Addr()), "/downgrades")
		read := func(held *lock.Held, want int64) error {
			readers.Add(1)
			defer readers.Add(-1)
			for range 3 {
				if n, now := writers.Load(), value.Load(); n != 0 || now != want {
					return fmt.Errorf("%d writers; %d written while %d was read", n, now, want)
				}
				if _, err := rw.Contenders(ctx); err != nil {
					return err
				}
			}
			return held.Err()
		}
		turns := func() error {
			for range 10 {
				err := rw.Do(ctx, func(_ context.Context, held *lock.Held) error {
					if n, m := writers.Add(1), readers.Load(); n != 1 || m != 0 {
						return fmt.Errorf("%d writers with %d readers", n, m)
					}
					want := value.Add(1)
					writers.Add(-1)
					reading, err := rw.Downgrade(ctx, held)
					if err != nil {
						return err
					}
					if err := read(reading, want); err != nil {
						return err
					}
					return reading.Unlock(ctx)
				})
				if err != nil {
					return err
				}
				if err := rw.DoRead(ctx, func(_ context.Context, held *lock.Held) error { return read(held, value.Load()) }); err != nil {
					return err
				}
			}
			return nil
		}
		go func() { done <- turns() }()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	require.EqualValues(t, 60, value.Load())
}
