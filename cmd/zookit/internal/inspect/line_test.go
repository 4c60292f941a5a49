package inspect

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

func TestMutex(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for layout, mayBe := range map[recipes.Layout][]string{
		recipes.Curator: {kindElection}, recipes.Kazoo: {kindElection, kindRWLock},
	} {
		path := "/mutex/" + layout.String()
		m := func(id string) *lock.Mutex {
			return lock.NewMutex(st.connect(), path, lock.WithLayout(layout), lock.WithIdentifier(id))
		}
		h, err := m("one").Lock(t.Context())
		require.NoError(t, err)
		for i, id := range []string{"two", "three"} {
			next := m(id)
			st.later(func(ctx context.Context) { _, _ = next.Lock(ctx) })
			st.standing(path, 1, i+1)
		}
		r := st.look(path)
		requireKind(t, r, kindMutex, layout.String(), mayBe...)
		require.Equal(t, []string{"one"}, identifiers(r.Holders))
		require.Equal(t, []string{"two", "three"}, identifiers(r.Waiting))
		n, ok := st.srv.Node(h.Path())
		require.True(t, ok)
		require.Equal(t, party{
			Path: h.Path(), Identifier: "one", Session: hex(n.Stat.EphemeralOwner), Token: h.Token(),
			Since: r.Holders[0].Since, session: n.Stat.EphemeralOwner,
		}, r.Holders[0])
		require.WithinDuration(t, time.Now(), r.Holders[0].Since, limit)
		require.Equal(t, path, st.look(h.Path()).Path, "a contender's node stands for its line")
	}
}

// What Curator's and Kazoo's other recipes, and go-zookeeper's, name their nodes.
func TestLinesOfOthers(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	const uuid, hex32 = "3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11", "3b1ecdd01f374e4a8a0b0f1a4f0b5a11"
	for name, want := range map[string]struct {
		prefixes []string
		kind     string
		layout   string
		mayBe    []string
		holders  int
	}{
		"go-zookeeper": {[]string{"_c_" + hex32 + "-lock-"}, kindMutex, "curator", []string{kindElection}, 1},
		"latch":        {[]string{"_c_" + uuid + "-latch-", "_c_" + uuid + "-latch-"}, kindElection, "curator", nil, 1},
		"kazoo rw":     {[]string{hex32 + "__rlock__", hex32 + "__rlock__", hex32 + "__lock__", hex32 + "__rlock__"}, kindRWLock, "kazoo", nil, 2},
		"curator rw":   {[]string{"_c_" + uuid + "-__WRIT__", "_c_" + uuid + "-__READ__"}, kindRWLock, "curator", nil, 1},
		"mixed":        {[]string{hex32 + "__lock__", "_c_" + uuid + "-lock-"}, kindMutex, "mixed", []string{kindElection, kindRWLock}, 1},
	} {
		path := "/others/" + name
		for _, prefix := range want.prefixes {
			_, err := st.cl.Create(t.Context(), path+"/"+prefix, []byte("10.1.2.3"), client.WithMode(client.EphemeralSequential), client.WithParents())
			require.NoError(t, err)
		}
		r := st.look(path)
		requireKind(t, r, want.kind, want.layout, want.mayBe...)
		require.Len(t, r.Holders, want.holders, name)
		require.Len(t, r.Waiting, len(want.prefixes)-want.holders, name)
		require.Equal(t, "10.1.2.3", r.Holders[0].Host, "Curator's default data is its address")
	}
}

func TestReadersAndWriters(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	rw := func(id string) *lock.RWMutex {
		return lock.NewRWMutex(st.connect(), "/rw", lock.WithIdentifier(id))
	}
	for _, id := range []string{"r1", "r2"} {
		_, err := rw(id).RLock(t.Context())
		require.NoError(t, err)
	}
	writer, reader := rw("w"), rw("r3")
	st.later(func(ctx context.Context) { _, _ = writer.Lock(ctx) })
	st.standing("/rw", 2, 1)
	st.later(func(ctx context.Context) { _, _ = reader.RLock(ctx) })
	r := st.standing("/rw", 2, 2)
	requireKind(t, r, kindRWLock, "curator")
	require.Equal(t, []string{"r1", "r2"}, identifiers(r.Holders))
	require.Equal(t, []string{"w", "r3"}, identifiers(r.Waiting))
	require.Equal(t, []string{"write", "read"}, []string{r.Waiting[0].Role, r.Waiting[1].Role})
}

func TestElection(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	term, err := election.New(st.connect(), "/leader", "worker-7").Campaign(t.Context())
	require.NoError(t, err)
	r := st.look("/leader")
	requireKind(t, r, kindElection, "curator")
	require.Equal(t, term.Token(), r.Holders[0].Token)
	require.Contains(t, r.Summary, "led by worker-7")
}

// A lock that no session ends, and one that was asked for.
func TestPersistentAndRevoked(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	m := lock.NewMutex(st.connect(), "/p", lock.WithIdentifier("me"))
	_, err := m.LockPersistent(t.Context())
	require.NoError(t, err)
	r := st.look("/p")
	require.Empty(t, r.Holders[0].Session)
	require.Contains(t, r.Summary, "me, which belongs to no session")
	all, err := m.Contenders(t.Context())
	require.NoError(t, err)
	require.NoError(t, m.Revoke(t.Context(), all[0]))
	require.True(t, st.look("/p").Holders[0].Revoked)
}

func TestSemaphore(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for _, layout := range []recipes.Layout{recipes.Curator, recipes.Kazoo} {
		path := "/sem/" + layout.String()
		sem := func(id string) *lock.Semaphore {
			return lock.NewSemaphore(st.connect(), path, 3, lock.WithLayout(layout), lock.WithIdentifier(id))
		}
		two, err := sem("two").Acquire(t.Context(), 2)
		require.NoError(t, err)
		next := sem("waits")
		st.later(func(ctx context.Context) { _, _ = next.Acquire(ctx, 3) })
		r := st.until(path, func(r *report) bool { // who holds may be in line for a moment more
			return len(r.Waiting) == 1 && r.Waiting[0].Identifier == "waits"
		})
		requireKind(t, r, kindSemaphore, layout.String())
		require.Equal(t, 3, *r.Limit)
		require.Equal(t, 2, r.Holders[0].Permits)
		require.Equal(t, two.Token(), r.Holders[0].Token)
		require.Contains(t, r.Summary, "2 of 3 permits taken, 1 waits")
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	taken, err := lock.NewLease(st.connect(), "/lease", time.Hour, lock.WithHolder("web-3")).TryTake(t.Context())
	require.NoError(t, err)
	r := st.look("/lease")
	requireKind(t, r, kindLease, "kazoo")
	require.Equal(t, "web-3", r.Holders[0].Identifier)
	require.Equal(t, taken.Token(), r.Holders[0].Token)
	require.WithinDuration(t, time.Now().Add(time.Hour), r.Holders[0].Until, limit)
}

func TestDoubleBarrier(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	for layout, name := range map[recipes.Layout]string{recipes.Curator: "curator", recipes.Kazoo: "kazoo"} {
		path := "/double/" + name
		enter := func(id string) {
			d := barrier.NewDouble(st.connect(), path, 2, barrier.WithLayout(layout), barrier.WithIdentifier(id))
			st.later(func(ctx context.Context) { _, _ = d.Enter(ctx) })
		}
		enter("a")
		r := st.until(path, func(r *report) bool { return len(r.Waiting) == 1 })
		requireKind(t, r, kindDouble, name, kindGroup)
		require.Equal(t, []string{"a"}, identifiers(r.Waiting))
		enter("b")
		r = st.until(path, func(r *report) bool { return len(r.Members) == 2 })
		requireKind(t, r, kindDouble, name)
		require.ElementsMatch(t, []string{"a", "b"}, identifiers(r.Members))
	}
}
