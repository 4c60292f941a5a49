package scenario

import (
	"context"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// byHand makes the node of a contender that is not zookit's, or of something that is no
// contender at all.
func byHand(t *testing.T, cl *client.Client, dir, name, data string, mode client.Mode) string {
	t.Helper()
	made, err := cl.Create(t.Context(), path.Join(dir, name), []byte(data), client.WithParents(), client.WithMode(mode))
	require.NoError(t, err)
	return made.Path
}

// remove deletes nodes, all in one transaction.
func remove(t *testing.T, cl *client.Client, nodes ...string) {
	t.Helper()
	txn := cl.Txn()
	for _, node := range nodes {
		txn.Delete(node, client.AnyVersion)
	}
	_, err := txn.Commit(t.Context())
	require.NoError(t, err)
}

// later starts a Lock, whose end comes through the returned channel.
func later(ctx context.Context, m *lock.Mutex) <-chan *outcome {
	ended := make(chan *outcome, 1)
	go func() {
		o := &outcome{}
		o.held, o.err = m.Lock(ctx)
		ended <- o
	}()
	return ended
}

// granted waits for a lock that has to come.
func granted(t *testing.T, from <-chan *outcome) *lock.Held {
	t.Helper()
	select {
	case o := <-from:
		require.NoError(t, o.err)
		return o.held
	case <-trial.Within(t, 20*time.Second).Done():
		require.FailNow(t, "the lock does not come")
		return nil
	}
}

// TestForeignChildren: children of the lock's directory that are no contenders are
// nobody's business: they block nothing, cost nothing and stay.
func TestForeignChildren(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	other := trial.Connect(t, e.Connect())
	const hex = "0123456789abcdef0123456789abcdef"
	foreign := []string{
		"000-aaa", "0000000000", "0000000001-lock", "config", "ready", "lock", "lock-", "locks", "lock-abc", "lock-12x", "lock-+1", "lock-1-1",
		"lock-99999999999", "lock--", "-lock-", "_c_" + hex + "-lock-", "_c_" + hex + "-latch-", "_c_" + hex + "-lease-0000000000",
		hex + "__lock__", hex + "__lock__1", hex + "__rlock__", hex + "__wlock__", "__lock__00000000000", "lease_holder", "revoked",
	}
	for i, name := range foreign {
		mode := client.Persistent
		if i%2 == 1 && name != "config" {
			mode = client.Ephemeral
		}
		byHand(t, other, "/foreign", name, "", mode)
	}
	byHand(t, other, "/foreign/config", "child", "", client.Persistent)
	slices.Sort(foreign)
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		t.Run(layout.String(), func(t *testing.T) {
			cl := connectCounted(t, e)
			cl.take()
			m := lock.NewMutex(cl.Client, "/foreign", lock.WithLayout(layout))
			held, err := m.Lock(ctx)
			require.NoError(t, err)
			require.NoError(t, held.Unlock(ctx))
			require.Equal(t, map[string]int{"create2": 1, "getChildren2": 1, "delete": 1}, cl.take(), "they cost nothing")

			held, err = m.TryLock(ctx)
			require.NoError(t, err)
			line, err := m.Contenders(ctx)
			require.NoError(t, err)
			require.Len(t, line, 1)
			require.Equal(t, held.Path(), line[0].Path)
			next := later(ctx, lock.NewMutex(other, "/foreign", lock.WithLayout(layout)))
			requireWatches(t, e, 1)
			require.Empty(t, next)
			require.NoError(t, held.Unlock(ctx))
			require.NoError(t, granted(t, next).Unlock(ctx))
			require.Equal(t, foreign, childrenOf(t, other, "/foreign"))
		})
	}
}

// TestLayoutConflict: a contender of the other layout is an error in both directions, and
// leaves nothing; with tolerance it is waited for.
func TestLayoutConflict(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for ours, theirs := range map[recipes.Layout]recipes.Layout{recipes.Curator: recipes.Kazoo, recipes.Kazoo: recipes.Curator} {
		dir := "/conflict/" + ours.String()
		m := lock.NewMutex(cl, dir, lock.WithLayout(ours))
		before := leftoversOf(t, e.Servers()[0], other, dir)
		requireConflict := func(t *testing.T, err error, theirNode string) {
			t.Helper()
			require.ErrorIs(t, err, lock.ErrLayoutConflict)
			for _, said := range []string{dir, path.Base(theirNode), ours.String(), theirs.String()} {
				require.ErrorContains(t, err, said)
			}
			before.requireNone(t, func() []string { return []string{path.Base(theirNode)} })
		}

		t.Run(theirs.String()+" holds", func(t *testing.T) {
			node := byHand(t, other, dir, map[recipes.Layout]string{
				recipes.Curator: "_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-", recipes.Kazoo: "3b1ecdd01f374e4a8a0b0f1a4f0b5a11__lock__",
			}[theirs], "", client.EphemeralSequential)
			_, err := m.Lock(ctx)
			requireConflict(t, err, node)
			_, err = m.TryLock(ctx)
			requireConflict(t, err, node)
			_, err = m.Contenders(ctx)
			requireConflict(t, err, node)

			tolerant := lock.NewMutex(cl, dir, lock.WithLayout(ours), lock.WithTolerance())
			_, err = tolerant.TryLock(ctx)
			require.ErrorIs(t, err, lock.ErrBusy)
			next := later(ctx, tolerant)
			requireWatches(t, e, 1)
			require.Empty(t, next)
			line, err := tolerant.Contenders(ctx)
			require.NoError(t, err)
			require.Len(t, line, 2)
			require.Equal(t, node, line[0].Path)
			remove(t, other, node)
			require.NoError(t, granted(t, next).Unlock(ctx))
			before.requireNone(t, nil)
		})
		t.Run(theirs.String()+" comes while we wait", func(t *testing.T) {
			first, err := lock.NewMutex(other, dir, lock.WithLayout(ours)).Lock(ctx)
			require.NoError(t, err)
			leaving, leave := context.WithCancel(ctx)
			defer leave()
			second := later(leaving, m)
			requireWatches(t, e, 1)
			next := later(ctx, m)
			requireWatches(t, e, 2)
			stranger, err := lock.NewMutex(other, dir, lock.WithLayout(theirs), lock.WithTolerance()).TryLock(ctx)
			require.ErrorIs(t, err, lock.ErrBusy, "theirs, were it zookit, would see ours")
			require.Nil(t, stranger)
			node := byHand(t, other, dir, map[recipes.Layout]string{recipes.Curator: "x-lock-0000000009", recipes.Kazoo: "x__lock__0000000009"}[theirs], "", client.Ephemeral)
			require.NoError(t, first.Err())
			leave() // so that the one behind has to look at the line
			require.ErrorIs(t, (<-second).err, context.Canceled)
			conflict := (<-next).err
			require.NoError(t, first.Unlock(ctx))
			requireConflict(t, conflict, node)
			remove(t, other, node)
		})
	}
}

// TestNodesDeletedUnderTheHolder: somebody deletes the holder's node, or with it the
// whole directory. Its context ends, at the latest when the next confirmation is due, and
// its Unlock leaves the next holder alone.
func TestNodesDeletedUnderTheHolder(t *testing.T) {
	e := ensemble.Start(t, 1)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	const timeout = 5 * time.Second
	for _, what := range []string{"node", "directory"} {
		for _, age := range []string{"fresh", "settled", "fenced"} {
			t.Run(what+" "+age, func(t *testing.T) {
				ctx := trial.Within(t, time.Minute)
				dir := "/deleted/" + what + age
				m := lock.NewMutex(trial.Connect(t, e.Connect(), client.WithSessionTimeout(timeout)), dir)
				held, err := m.Lock(ctx)
				require.NoError(t, err)
				late := timeout/5 + time.Second
				if age == "settled" {
					requireWatches(t, e, 1) // on its own node
					late = timeout / 10     // which is before the next confirmation
				}
				began := time.Now()
				if what == "node" {
					remove(t, other, held.Path())
				} else {
					remove(t, other, held.Path(), dir)
				}
				next, err := lock.NewMutex(other, dir).Lock(ctx)
				require.NoError(t, err)
				require.Greater(t, next.Token(), held.Token(), "tokens grow, though the numbers may begin again")
				write := held.Txn().Set(dir, []byte("stale"), client.AnyVersion)
				if age == "fenced" { // it is refused though the loss is not known yet, and makes it known
					_, err = write.Commit(ctx)
					require.ErrorIs(t, err, lock.ErrLost)
					require.Error(t, held.Err())
				}
				<-held.Context().Done()
				require.Less(t, time.Since(began), late)
				_, err = write.Commit(ctx)
				require.ErrorIs(t, err, lock.ErrLost)
				cause := context.Cause(held.Context())
				require.ErrorIs(t, cause, lock.ErrLost)
				require.ErrorIs(t, cause, client.ErrHoldDeleted)
				require.NoError(t, held.Unlock(ctx))
				require.Equal(t, []string{path.Base(next.Path())}, childrenOf(t, other, dir))
				require.NoError(t, next.Err())
				require.NoError(t, next.Unlock(ctx))
			})
		}
	}
}

// TestDirectoryDeletedUnderWaiters: somebody deletes the directory with all contenders in
// it. Those that were waiting come in again, and hold one after the other.
func TestDirectoryDeletedUnderWaiters(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	const dir = "/deleted/line"
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	first, err := lock.NewMutex(other, dir).Lock(ctx)
	require.NoError(t, err)
	turns := make(chan *holding, 3)
	var group sync.WaitGroup
	for range 3 {
		contend(ctx, &group, lock.NewMutex(trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute)), dir), turns)
	}
	requireWatches(t, e, 3)
	var all []string
	for _, name := range childrenOf(t, other, dir) {
		all = append(all, path.Join(dir, name))
	}
	remove(t, other, append(all, dir)...)

	order := &order{token: first.Token()}
	for waiting := 2; waiting >= 0; waiting-- {
		turn := nextTurn(t, ctx, turns)
		order.add(t, turn.held)
		requireWatches(t, e, waiting)
		require.Empty(t, turns, "two hold at once")
		require.Len(t, childrenOf(t, other, dir), waiting+1)
		close(turn.over)
		require.NoError(t, <-turn.left)
	}
	group.Wait()
	require.NoError(t, first.Unlock(ctx), "the first one's node has gone long since")
	require.Empty(t, childrenOf(t, other, dir))
}

// TestOwnNodeDeletedInLine: somebody deletes a waiter's node. The one behind it does not
// get the lock too early; the waiter itself comes in again, at the end.
func TestOwnNodeDeletedInLine(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	const dir = "/own/lock"
	var line []*lock.Mutex
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for range 3 {
		line = append(line, lock.NewMutex(trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute)), dir))
	}
	first, err := line[0].Lock(ctx)
	require.NoError(t, err)
	second := later(ctx, line[1])
	requireWatches(t, e, 1)
	third := later(ctx, line[2])
	requireWatches(t, e, 2)
	all, err := line[0].Contenders(ctx)
	require.NoError(t, err)
	remove(t, other, all[1].Path)
	requireWatches(t, e, 2) // the third one watches the first now
	require.Empty(t, third)

	require.NoError(t, first.Unlock(ctx))
	held := granted(t, third)
	require.Equal(t, all[2].Path, held.Path(), "it kept its place")
	require.Empty(t, second)
	require.NoError(t, held.Unlock(ctx))
	last := granted(t, second)
	require.NotEqual(t, all[1].Path, last.Path())
	require.Greater(t, last.Token(), held.Token())
	require.NoError(t, last.Unlock(ctx))
	require.Empty(t, childrenOf(t, other, dir))
}

// TestGoZookeeperContends: go-zookeeper's own Lock and zookit's exclude each other on one
// path, whoever comes first.
func TestGoZookeeperContends(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	theirs := goZookeeper(t, e.Connect(), time.Minute)
	newTheirs := func(dir string) *zk.Lock { return zk.NewLock(theirs, dir, zk.WorldACL(zk.PermAll)) }

	t.Run("it holds", func(t *testing.T) {
		first, m := newTheirs("/gozk/first"), lock.NewMutex(cl, "/gozk/first")
		require.NoError(t, first.Lock())
		_, err := m.TryLock(ctx)
		require.ErrorIs(t, err, lock.ErrBusy)
		next := later(ctx, m)
		requireWatches(t, e, 1)
		require.Empty(t, next)
		require.NoError(t, first.Unlock())
		require.NoError(t, granted(t, next).Unlock(ctx))
	})
	t.Run("it waits", func(t *testing.T) {
		held, err := lock.NewMutex(cl, "/gozk/second").Lock(ctx)
		require.NoError(t, err)
		next, second := make(chan error, 1), newTheirs("/gozk/second")
		go func() { next <- second.Lock() }()
		requireWatches(t, e, 1)
		require.Empty(t, next)
		require.NoError(t, held.Unlock(ctx))
		require.NoError(t, <-next)
		require.NoError(t, second.Unlock())
	})
	t.Run("both", func(t *testing.T) {
		const each, times = 4, 10
		dir := makeDir(t, cl, "/gozk/both")
		var inside, turns atomic.Int64
		work := func() {
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d hold at once", n)
			}
			turns.Add(1)
			inside.Add(-1)
		}
		var group sync.WaitGroup
		for range each {
			group.Go(func() {
				for range times {
					err := lock.NewMutex(cl, dir).Do(ctx, func(context.Context, *lock.Held) error { work(); return nil })
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
			group.Go(func() {
				l := newTheirs(dir)
				for range times {
					if err := l.Lock(); err != nil {
						t.Error(err)
						return
					}
					work()
					if err := l.Unlock(); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 2*each*times, turns.Load())
	})
}
