package protocol

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/client/admin"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// hear takes a Watcher's next events, which have to be these; those of children may come twice.
func hear(t *testing.T, w *client.Watcher, want ...client.EventType) {
	t.Helper()
	ctx := trial.Within(t, time.Minute)
	for _, want := range want {
		for {
			var got client.Event
			select {
			case got = <-w.C:
			case <-ctx.Done():
			}
			if got.Type == client.EventNodeChildrenChanged && want != got.Type {
				continue
			}
			require.Equal(t, want.String(), got.Type.String(), "of %s (%v)", got.Path, w.Err())
			break
		}
	}
}

// fires takes the event of a one-shot watch.
func fires(t *testing.T, w *client.Watch, want client.EventType) {
	t.Helper()
	select {
	case ev := <-w.C:
		require.Equal(t, want.String(), ev.Type.String(), "of %s", ev.Path)
	case <-trial.Within(t, time.Minute).Done():
		require.FailNow(t, "the watch does not fire", "%v was expected", want)
	}
}

// requireServerWatches waits until the server has so many watches, counted as the server does:
// a persistent or recursive one of before 3.9 twice.
func requireServerWatches(t *testing.T, cl *client.Client, s *ensemble.Server, want int64) {
	t.Helper()
	require.NoError(t, cl.Sync(t.Context(), "/"))
	a, err := admin.NewServer(s.Addr())
	require.NoError(t, err)
	var got int64
	require.Eventually(t, func() bool {
		m, err := a.Mntr(t.Context())
		if err == nil {
			got = m.Watches
		}
		return err == nil && got == want
	}, 10*time.Second, 10*time.Millisecond, "%d watches, not %d", got, want)
}

// TestWatcherBesideOneShots: on servers before 3.9 a one-shot watch takes the place of a
// lasting one on the same path, which then is lost silently when it fires; and removing the
// one-shot removes half of the lasting one (ZOOKEEPER-4466).
func TestWatcherBesideOneShots(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	cl, other := trial.Connect(t, e.Connect()), trial.Connect(t, e.Connect())
	ctx := trial.Within(t, time.Minute)
	for _, mode := range []client.AddWatchMode{client.WatchPersistent, client.WatchPersistentRecursive} {
		t.Run(mode.String(), func(t *testing.T) {
			dir := "/" + trial.Sanitize(mode.String())
			trial.MakeDirectory(t, ctx, other, dir)
			w, err := cl.AddWatch(ctx, dir, mode)
			require.NoError(t, err)
			hear(t, w, client.EventResynced)
			for range 3 {
				_, _, data, err := cl.GetW(ctx, dir)
				require.NoError(t, err)
				_, _, exists, err := cl.ExistsW(ctx, dir)
				require.NoError(t, err)
				_, _, list, err := cl.ChildrenW(ctx, dir)
				require.NoError(t, err)
				_, _, removed, err := cl.GetW(ctx, dir)
				require.NoError(t, err)
				removed.Remove()
				_, err = other.Set(ctx, dir, nil, client.AnyVersion)
				require.NoError(t, err)
				fires(t, data, client.EventNodeDataChanged)
				fires(t, exists, client.EventNodeDataChanged)
				hear(t, w, client.EventNodeDataChanged)
				_, err = other.Create(ctx, dir+"/c", nil)
				require.NoError(t, err)
				fires(t, list, client.EventNodeChildrenChanged)
				require.NoError(t, other.Delete(ctx, dir+"/c", client.AnyVersion))
				if mode == client.WatchPersistent {
					hear(t, w, client.EventNodeChildrenChanged, client.EventNodeChildrenChanged)
				} else {
					hear(t, w, client.EventNodeCreated, client.EventNodeDeleted)
				}
			}
			w.Close()
			requireServerWatches(t, cl, e.Servers()[0], 0)
		})
	}
}

// TestWatchersOfBothModes: a persistent and a recursive Watcher of one path share the
// one watch that servers before 3.9 have for it, and each hears its own, also of children
// that the client may not read.
func TestWatchersOfBothModes(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	cl, other := trial.Connect(t, e.Connect()), trial.Connect(t, e.Connect(), client.WithAuth("digest", "u:p"))
	ctx := trial.Within(t, time.Minute)
	for _, first := range []client.AddWatchMode{client.WatchPersistent, client.WatchPersistentRecursive} {
		t.Run(first.String()+" first", func(t *testing.T) {
			dir := "/both" + trial.Sanitize(first.String())
			trial.MakeDirectory(t, ctx, other, dir)
			ws := map[client.AddWatchMode]*client.Watcher{}
			for _, mode := range []client.AddWatchMode{first, 1 - first} {
				w, err := cl.AddWatch(ctx, dir, mode)
				require.NoError(t, err)
				hear(t, w, client.EventResynced)
				ws[mode] = w
			}
			p, r := ws[client.WatchPersistent], ws[client.WatchPersistentRecursive]
			for i := range 3 {
				child := fmt.Sprint(dir, "/", i)
				_, err := other.Create(ctx, child, nil)
				require.NoError(t, err)
				hear(t, r, client.EventNodeCreated)
				hear(t, p, client.EventNodeChildrenChanged)
				_, err = other.Set(ctx, dir, nil, client.AnyVersion)
				require.NoError(t, err)
				hear(t, r, client.EventNodeDataChanged)
				hear(t, p, client.EventNodeDataChanged)
			}
			secret := client.WithACL(client.DigestACL(client.PermAll, "u", "p"))
			for i := range 3 {
				require.NoError(t, cl.Sync(ctx, "/"))
				for len(p.C) > 0 {
					<-p.C
				}
				_, err := other.Create(ctx, fmt.Sprint(dir, "/secret", i), nil, secret)
				require.NoError(t, err)
				hear(t, p, client.EventNodeChildrenChanged)
			}
			_, _, list, err := cl.ChildrenW(ctx, dir)
			require.NoError(t, err)
			_, err = other.Create(ctx, dir+"/secret", nil, secret)
			require.NoError(t, err)
			fires(t, list, client.EventNodeChildrenChanged)
			p.Close()
			r.Close()
			requireServerWatches(t, cl, e.Servers()[0], 0)
		})
	}
}

// TestWatcherInNewSession: a Watcher goes on in the next session, and says from when on.
func TestWatcherInNewSession(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	other := trial.Connect(t, e.Connect())
	trial.MakeDirectory(t, ctx, other, "/n")
	p := faultproxy.Start(t, e.Servers()[0].Addr(), faultproxy.Raw())
	cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(2*time.Second))
	var watchers []*client.Watcher
	for _, mode := range []client.AddWatchMode{client.WatchPersistent, client.WatchPersistentRecursive} {
		w, err := cl.AddWatch(ctx, "/n", mode)
		require.NoError(t, err)
		hear(t, w, client.EventResynced)
		watchers = append(watchers, w)
	}
	first, err := cl.Session(ctx)
	require.NoError(t, err)
	away(t, p, cl, func() {
		<-first.Context().Done()
		_, err := other.Set(ctx, "/n", []byte("meanwhile"), 0)
		require.NoError(t, err)
	})
	for _, w := range watchers {
		hear(t, w, client.EventResynced)
		data, _, err := cl.Get(ctx, "/n")
		require.NoError(t, err)
		require.Equal(t, "meanwhile", string(data))
	}
	require.EqualValues(t, 2, cl.State().Epoch)
	_, err = other.Set(ctx, "/n", nil, 1)
	require.NoError(t, err)
	for _, w := range watchers {
		hear(t, w, client.EventNodeDataChanged)
		w.Close()
	}
	requireServerWatches(t, cl, e.Servers()[0], 0)
}

const (
	manyWatches = 40_000
	manyChanges = 400
	batch       = 1000
)

// manyNodes makes the nodes to watch, many in each transaction.
func manyNodes(t *testing.T, ctx context.Context, cl *client.Client, dir string) []string { //nolint:revive // t first
	t.Helper()
	trial.MakeDirectory(t, ctx, cl, dir)
	paths := make([]string, manyWatches)
	for i := range paths {
		paths[i] = fmt.Sprintf("%s/n%05d", dir, i)
	}
	for i := 0; i < manyWatches; i += batch {
		txn := cl.Txn()
		for _, path := range paths[i : i+batch] {
			txn.Create(path, nil)
		}
		_, err := txn.Commit(ctx)
		require.NoError(t, err)
	}
	return paths
}

// setEach sets every step-th node.
func setEach(t *testing.T, ctx context.Context, cl *client.Client, paths []string, step int) { //nolint:revive // t first
	t.Helper()
	for i := 0; i < len(paths); i += step * batch {
		txn := cl.Txn()
		for j := i; j < min(i+step*batch, len(paths)); j += step {
			txn.Set(paths[j], nil, client.AnyVersion)
		}
		_, err := txn.Commit(ctx)
		require.NoError(t, err)
	}
}

// each runs f for all indexes, many at a time.
func each(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.False(t, t.Failed())
}

// took receives an event of a one-shot or lasting watch.
func took(ctx context.Context, c <-chan client.Event) (client.EventType, error) {
	select {
	case ev := <-c:
		return ev.Type, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("no event: %w", ctx.Err())
	}
}

// eventFirst reads a node that was new when it was watched: if it has changed since, the watch has
// something to say by now, which nobody has taken yet.
func eventFirst(ctx context.Context, cl *client.Client, path string, events <-chan client.Event) error {
	_, stat, err := cl.Get(ctx, path)
	if err == nil && stat.Version > 0 && len(events) == 0 {
		err = fmt.Errorf("%s: newer data came before the event", path)
	}
	return err
}

// TestManyWatchesAcrossReconnect: of 40,000 one-shot watches, and of as many Watchers, none
// misses what happens to its node while the connection is away, or later, and none has its event
// behind newer data.
func TestManyWatchesAcrossReconnect(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, 4*time.Minute)
	other := trial.Connect(t, e.Connect())
	t.Run("one-shot", func(t *testing.T) { manyOneShots(t, ctx, e, other) })
	t.Run("Watchers", func(t *testing.T) { manyWatchers(t, ctx, e, other) })
}

// away cuts the client's connection, and brings it back after doing something.
func away(t *testing.T, p *faultproxy.Proxy, cl *client.Client, do func()) {
	t.Helper()
	p.Refuse()
	p.Cut()
	for change := range cl.States(trial.Within(t, time.Minute)) {
		if change.State == client.Suspended {
			break
		}
	}
	do()
	require.NoError(t, p.Accept())
}

func manyOneShots(t *testing.T, ctx context.Context, e *ensemble.Ensemble, other *client.Client) { //nolint:revive // t first
	paths := manyNodes(t, ctx, other, "/oneshot")
	p := faultproxy.Start(t, e.Servers()[0].Addr(), faultproxy.Raw())
	cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(20*time.Second))
	watches := make([]*client.Watch, manyWatches)
	each(t, manyWatches, func(i int) (err error) {
		_, _, watches[i], err = cl.GetW(ctx, paths[i])
		return err
	})
	requireServerWatches(t, cl, e.Servers()[0], manyWatches)
	away(t, p, cl, func() { setEach(t, ctx, other, paths, manyWatches/manyChanges) })
	each(t, manyWatches, func(i int) error { return eventFirst(ctx, cl, paths[i], watches[i].C) })
	var known atomic.Int64
	each(t, manyWatches, func(i int) error {
		if typ, err := took(ctx, watches[i].C); typ != client.EventConnectionLost && typ != client.EventNodeDataChanged {
			return fmt.Errorf("%v %w", typ, err)
		}
		_, stat, w, err := cl.GetW(ctx, paths[i])
		watches[i] = w
		known.Add(int64(stat.Version))
		return err
	})
	require.EqualValues(t, manyChanges, known.Load(), "every change was read")
	setEach(t, ctx, other, paths, 1)
	each(t, manyWatches, func(i int) error {
		if typ, err := took(ctx, watches[i].C); typ != client.EventNodeDataChanged {
			return fmt.Errorf("%v %w", typ, err)
		}
		return nil
	})
	requireServerWatches(t, cl, e.Servers()[0], 0)
}

func manyWatchers(t *testing.T, ctx context.Context, e *ensemble.Ensemble, other *client.Client) { //nolint:revive // t first
	paths := manyNodes(t, ctx, other, "/watchers")
	p := faultproxy.Start(t, e.Servers()[0].Addr(), faultproxy.Raw())
	cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(20*time.Second))
	watchers := make([]*client.Watcher, manyWatches)
	hear := func(i int, want client.EventType) error {
		if typ, err := took(ctx, watchers[i].C); typ != want {
			return fmt.Errorf("%s: %v where %v was expected: %w", paths[i], typ, want, err)
		}
		return nil
	}
	each(t, manyWatches, func(i int) (err error) {
		if watchers[i], err = cl.AddWatch(ctx, paths[i], client.WatchPersistent); err != nil {
			return err
		}
		return hear(i, client.EventResynced)
	})
	requireServerWatches(t, cl, e.Servers()[0], 2*manyWatches)
	away(t, p, cl, func() { setEach(t, ctx, other, paths, manyWatches/manyChanges) })
	each(t, manyWatches, func(i int) error { return eventFirst(ctx, cl, paths[i], watchers[i].C) })
	var known atomic.Int64
	each(t, manyWatches, func(i int) error {
		if err := hear(i, client.EventResynced); err != nil {
			return err
		}
		_, stat, err := cl.Get(ctx, paths[i])
		known.Add(int64(stat.Version))
		return err
	})
	require.EqualValues(t, manyChanges, known.Load(), "every change was read")
	setEach(t, ctx, other, paths, 1)
	each(t, manyWatches, func(i int) error { return hear(i, client.EventNodeDataChanged) })
	requireServerWatches(t, cl, e.Servers()[0], 2*manyWatches)
	each(t, manyWatches, func(i int) error { watchers[i].Close(); return nil })
	requireServerWatches(t, cl, e.Servers()[0], 0)
}
