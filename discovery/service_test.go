package discovery_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/zktest"
)

func TestUpdates(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	ctx, cancel := context.WithCancel(bounded(t))
	cl := connect(t, srv)
	a := register(t, cl, instance("a", 80))
	s := watch(t, connect(t, srv))
	require.Equal(t, "svc", s.Name())
	next, stop := iter.Pull2(s.Updates(ctx))
	defer stop()
	expect := func(want ...string) []discovery.Instance {
		t.Helper()
		for {
			got, err, ok := next()
			require.True(t, ok)
			require.NoError(t, err)
			if len(ids(got)) == len(want) {
				require.Equal(t, want, ids(got))
				return got
			}
		}
	}
	expect("a")
	register(t, cl, instance("b", 81))
	expect("a", "b")
	off := a.Instance()
	off.Disabled = true
	require.NoError(t, a.Update(ctx, off))
	require.True(t, expect("a", "b")[0].Disabled)

	// What is no instance is left out, and does not disturb the others.
	require.NoError(t, srv.Create(base+"/svc/bad", []byte("10.0.0.1")))
	require.NoError(t, a.Unregister(ctx))
	expect("b")
	require.Eventually(t, func() bool { return len(s.Rejected()) == 1 }, patience, time.Millisecond)
	require.ErrorIs(t, s.Rejected()[base+"/svc/bad"], discovery.ErrBadInstance)
	found, err := discovery.New(cl, base).Instances(ctx, "svc")
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, ids(found))

	cancel()
	for {
		_, err, ok := next()
		if !ok {
			break
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	s.Close()
	s.Close()
	require.Equal(t, []string{"b"}, ids(s.Instances()), "it shows on what it had")
	for got, err := range s.Updates(bounded(t)) { // and ends
		require.NoError(t, err)
		require.Equal(t, []string{"b"}, ids(got))
	}
	require.Eventually(t, func() bool { return srv.Watches() <= 1 }, patience, time.Millisecond, "the registration's is left")
}

// An instance that comes or goes costs each watcher one read at most.
func TestServiceCost(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl, other := connect(t, srv), connect(t, srv)
	register(t, other, instance("a", 80))
	s := watch(t, cl)
	requireIDs(t, s, "a")
	srv.ResetRequests()
	b := register(t, other, instance("b", 80))
	requireIDs(t, s, "a", "b")
	require.NoError(t, b.Unregister(bounded(t)))
	requireIDs(t, s, "a")
	require.Len(t, srv.Requests(zktest.Match{Session: sessionOf(t, cl)}), 1)
}

func provider(t testing.TB, s *discovery.Service, strategy discovery.Strategy, opts ...discovery.ProviderOption) *discovery.Provider {
	t.Helper()
	p, err := s.Provider(strategy, opts...)
	require.NoError(t, err)
	return p
}

func pick(t testing.TB, p *discovery.Provider) *discovery.Pick {
	t.Helper()
	k, err := p.Pick()
	require.NoError(t, err)
	return k
}

func TestStrategies(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	cl := connect(t, srv)
	s := watch(t, connect(t, srv))
	_, err := provider(t, s, discovery.RoundRobin()).Pick()
	require.ErrorIs(t, err, discovery.ErrNoInstance)
	regs := map[string]*discovery.Registration{}
	for _, id := range []string{"a", "b", "c"} {
		regs[id] = register(t, cl, instance(id, 80))
	}
	off := instance("off", 80)
	off.Disabled = true
	register(t, cl, off)
	requireIDs(t, s, "a", "b", "c", "off")

	var zero discovery.Strategy
	for _, robin := range []*discovery.Provider{provider(t, s, discovery.RoundRobin()), provider(t, s, zero)} {
		for _, want := range []string{"a", "b", "c", "a", "b"} {
			require.Equal(t, want, pick(t, robin).ID)
		}
	}
	random, seen := provider(t, s, discovery.Random()), map[string]int{}
	for range 300 {
		seen[pick(t, random).ID]++
	}
	require.Len(t, seen, 3)
	for id, n := range seen {
		require.Greater(t, n, 30, id)
	}
	least := provider(t, s, discovery.LeastUsed())
	picks := map[string]*discovery.Pick{}
	for range 3 {
		k := pick(t, least)
		picks[k.ID] = k
	}
	require.Len(t, picks, 3, "each is used once")
	picks["b"].Done(nil)
	picks["b"].Done(nil) // which does not count
	require.Equal(t, "b", pick(t, least).ID)

	sticky := provider(t, s, discovery.Sticky(discovery.Random()))
	chosen := pick(t, sticky).ID
	for range 20 {
		require.Equal(t, chosen, pick(t, sticky).ID)
	}
	only := provider(t, s, discovery.RoundRobin(), discovery.WithFilter(func(i discovery.Instance) bool { return i.ID == "c" }))
	require.Equal(t, "c", pick(t, only).ID)
	require.Equal(t, "c", pick(t, only).ID)

	require.NoError(t, regs[chosen].Unregister(bounded(t)))
	require.Eventually(t, func() bool { return len(s.Instances()) == 3 }, patience, time.Millisecond)
	next := pick(t, sticky).ID
	require.NotEqual(t, chosen, next)
	require.Equal(t, next, pick(t, sticky).ID)
}

// An instance is taken out after errors, and comes back; a success in between clears it.
func TestDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, zktest.WithInMemoryNetwork())
		cl := connect(t, srv)
		a, _ := register(t, cl, instance("a", 80)), register(t, cl, instance("b", 80))
		s := watch(t, connect(t, srv))
		requireIDs(t, s, "a", "b")
		p := provider(t, s, discovery.RoundRobin())
		use := func(id string, err error) {
			t.Helper()
			for range 2 {
				k := pick(t, p)
				if k.ID == id {
					k.Done(err)
					return
				}
				k.Done(nil)
			}
			require.FailNow(t, "not picked", id)
		}
		fault := errors.New("refused")
		use("a", fault)
		use("a", nil)
		use("a", fault)
		time.Sleep(31 * time.Second)
		use("a", fault) // the one before is too long ago
		use("a", fault)
		for range 4 {
			require.Equal(t, "b", pick(t, p).ID)
		}
		time.Sleep(29 * time.Second)
		require.Equal(t, "b", pick(t, p).ID)
		use("b", fault)
		use("b", fault)
		_, err := p.Pick()
		require.ErrorIs(t, err, discovery.ErrNoInstance)
		require.ErrorContains(t, err, "2 taken out after errors")
		time.Sleep(2 * time.Second)
		require.Equal(t, "a", pick(t, p).ID, "it comes back")
		time.Sleep(30 * time.Second)
		use("b", nil)

		// One that is registered again is another one.
		use("a", fault)
		use("a", fault)
		require.NoError(t, a.Unregister(bounded(t)))
		register(t, cl, instance("a", 80))
		time.Sleep(time.Second)
		use("a", nil)
	})
}

func TestProviderRefuses(t *testing.T) {
	t.Parallel()
	s := watch(t, connect(t, zktest.Start(t)))
	for _, opt := range []discovery.ProviderOption{nil, discovery.WithDownPolicy(0, time.Second), discovery.WithDownPolicy(1, 0), discovery.WithFilter(nil)} {
		_, err := s.Provider(discovery.Random(), opt)
		require.ErrorIs(t, err, client.ErrBadArgument)
	}
}
