package groups

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

func latchElection(t *testing.T, p *place) {
	elections(t, p, p.curator, "latch", [][]election.Option{
		{election.WithLeaderSelector()}, {election.WithLayout(recipes.Kazoo)},
	})
}

func selectorElection(t *testing.T, p *place) {
	elections(t, p, p.curator, "selector", [][]election.Option{
		nil, {election.WithLayout(recipes.Kazoo)},
	}, election.WithLeaderSelector())
}

func kazooElection(t *testing.T, p *place) {
	elections(t, p, p.kazoo, "election", [][]election.Option{
		nil, {election.WithLeaderSelector()},
	}, election.WithLayout(recipes.Kazoo))
}

// step is something that is to happen once, at a term of a certain leader, which it ends.
type step struct {
	what string
	by   string                       // the leader at whose term
	do   func(t *testing.T) (ok bool) // false: it could not be done at this term
}

const (
	leastTerms = 100 // that are handed around
	mostTerms  = 300 // in which all steps must have come about
)

// elections is an election in which three candidates of zookit's and four of a library's stand. They
// lead in turns, by and by all steps happen, and at the end all who are left have led often.
//
// Curator's candidates take another place in line when a read of theirs comes just after the one ahead
// has left; so nobody relies on a certain order.
func elections(t *testing.T, p *place, steadyPeer *process, kind string, conflicts [][]election.Option, opts ...election.Option) {
	t.Helper()
	ctx := trial.Within(t, 2*patience)
	c := newContest(t, p, opts...)
	victim := p.launch(t, steadyPeer.kind)
	proxy := faultproxy.Start(t, p.e.Connect())
	prefix := kind + "-" // the processes are shared
	peer := func(from *process, name string) *member {
		timeout := steady
		if from == victim {
			timeout = brief
		}
		return from.open(ctx, t, prefix+name, timeout)
	}
	c.add(t, join(p.client(t), "campaigner", recipes.Curator), false)
	c.addPeer(t, peer(steadyPeer, "one"), kind)
	c.addPeer(t, peer(victim, "victim"), kind)
	c.add(t, join(p.client(t), "runner", recipes.Curator), true)
	c.addPeer(t, peer(steadyPeer, "two"), kind)
	c.add(t, join(trial.Connect(t, proxy.Addr(), client.WithSessionTimeout(brief)), "expirer", recipes.Curator), true)
	c.addPeer(t, peer(victim, "beside"), kind)

	expire := func(t *testing.T) bool {
		t.Helper()
		c.expire(t, proxy)
		return true
	}
	handOver := func(zookits bool) func(*testing.T) bool {
		return func(t *testing.T) bool {
			t.Helper()
			return c.handOver(t, zookits)
		}
	}
	steps := []step{
		{"what cannot share the path is refused", "campaigner", func(t *testing.T) bool {
			t.Helper()
			for _, other := range conflicts {
				_, err := election.New(c.look, c.path, "stranger", other...).Campaign(ctx)
				require.ErrorIs(t, err, election.ErrLayoutConflict)
			}
			c.whole(t)
			c.all["campaigner"].tell("yield")
			return true
		}},
		{"Campaign's term is handed to zookit's", "campaigner", handOver(true)},
		{"Run's term is handed to the library's", "runner", handOver(false)},
		{"a process is killed", prefix + "victim", func(t *testing.T) bool {
			t.Helper()
			c.kill(t, victim, prefix+"victim", prefix+"beside")
			return true
		}},
		{"Run's term is handed to zookit's", "runner", handOver(true)},
		{"a session expires", "expirer", expire},
		{"Campaign's term is handed to the library's", "campaigner", handOver(false)},
	}
	for len(steps) > 0 || len(c.owed) > 0 || c.next != "" || c.total < leastTerms {
		leader := c.await(t)
		if c.total > mostTerms {
			require.FailNow(t, "not everything has come about", "left: %v, owed: %v, terms: %v", steps, c.owed, c.terms)
		}
		// The first two rounds, and whoever it is not the turn of: as it comes.
		if c.total <= 14 || len(steps) == 0 || steps[0].by != leader.name {
			leader.tell("yield")
		} else if steps[0].do(t) {
			t.Logf("term %d, %s: %s", c.total, leader.name, steps[0].what)
			steps = steps[1:]
		}
	}
	t.Logf("%d terms: %v", c.total, c.terms)
	for name := range c.all {
		require.Greater(t, c.terms[name], 3, name)
	}
}

// handOver has the leader hand its term to the last candidate in line that is zookit's, or else the library's,
// past one of the library's. If there is none in between it mixes the line by handing over otherwise.
func (c *contest) handOver(t *testing.T, zookits bool) (ok bool) {
	t.Helper()
	line := c.whole(t)
	to := c.last(line, zookits)
	if !slices.ContainsFunc(line[1:to], c.isPeer) {
		to = c.last(line, false)
	} else {
		ok = true
	}
	for _, name := range line[1:to] {
		c.owed[name] = true
	}
	c.next = line[to]
	c.all[line[0]].tell("handover", c.next)
	return ok
}

// last returns the place of the last candidate that is zookit's, or else the library's.
func (c *contest) last(line []string, zookits bool) int {
	for i, name := range slices.Backward(line) {
		if i > 0 && zookits != c.isPeer(name) {
			return i
		}
	}
	return 1 // those tests have more than one of each
}

func (c *contest) isPeer(name string) bool { return c.ours[name] == nil }

// kill kills a process, one of whose candidates leads.
func (c *contest) kill(t *testing.T, victim *process, candidates ...string) {
	t.Helper()
	victim.kill(t)
	maps.DeleteFunc(c.all, func(name string, _ *member) bool { return slices.Contains(candidates, name) })
	for _, name := range candidates {
		delete(c.owed, name)
	}
}

// expire keeps the leader away from the server until somebody else leads, and sees to it that it leads again later.
func (c *contest) expire(t *testing.T, proxy *faultproxy.Proxy) {
	t.Helper()
	c.owed["expirer"] = true
	proxy.Refuse()
	proxy.Cut()
	next := c.await(t) // which checks that the term is over
	require.ErrorIs(t, c.ours["expirer"].term.Load().Err(), election.ErrLost)
	require.NoError(t, proxy.Accept())
	next.tell("yield")
}
