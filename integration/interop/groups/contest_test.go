package groups

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/integration/trial"
)

// contest is an election under way, as the test looks at it and directs it. Whoever leads waits for
// an order.
type contest struct {
	path, witness string
	opts          []election.Option

	look *client.Client
	e    *election.Election // that only looks
	said chan event
	seen chan election.Leader // by Observe

	all    map[string]*member // who stand, by name
	ours   map[string]*zookit // those of them that are zookit's
	terms  map[string]int     // by name
	total  int
	newest int64           // token
	next   string          // who has to lead next, if anybody has to
	owed   map[string]bool // who have been passed over, and have not led since
}

// newContest starts an election in which nobody stands yet.
func newContest(t *testing.T, p *place, opts ...election.Option) *contest {
	t.Helper()
	name := "/" + trial.Sanitize(t.Name())
	c := &contest{
		path: name, witness: name + "-witness", opts: opts, look: p.client(t),
		said: make(chan event, backlog), seen: make(chan election.Leader, backlog),
		all: map[string]*member{}, ours: map[string]*zookit{}, terms: map[string]int{}, owed: map[string]bool{},
	}
	trial.MakeDirectory(t, trial.Within(t, patience), c.look, c.path)
	c.e = election.New(c.look, c.path, "", opts...)
	work(t, func(ctx context.Context) {
		var newest int64
		for l, err := range c.e.Observe(ctx) {
			switch {
			case err != nil:
				if ctx.Err() == nil {
					t.Errorf("Observe: %v", err)
				}
				return
			case l.None():
				continue
			case l.Token <= newest:
				t.Errorf("Observe has gone back from %d to %d, %q", newest, l.Token, l.ID)
			}
			newest = l.Token
			c.seen <- l
		}
	})
	return c
}

// add has a zookit candidate stand, by Run or by Campaign.
func (c *contest) add(t *testing.T, z *zookit, run bool) {
	t.Helper()
	c.enlist(z.member)
	c.ours[z.name] = z
	z.stand(t, run, c.path, c.witness, c.opts...)
	c.whole(t)
}

// addPeer has another one stand.
func (c *contest) addPeer(t *testing.T, m *member, kind string) {
	t.Helper()
	c.enlist(m)
	m.tell("stand", kind, c.path, c.witness)
	c.whole(t)
}

func (c *contest) enlist(m *member) {
	m.divert(c.said)
	c.all[m.name] = m
}

// whole waits until everybody stands in line, and returns their names in its order.
func (c *contest) whole(t *testing.T) []string {
	t.Helper()
	ctx := trial.Within(t, patience)
	want := slices.Sorted(maps.Keys(c.all))
	for {
		_, _, watch, err := c.look.ChildrenW(ctx, c.path)
		require.NoError(t, err)
		line, err := c.e.Candidates(ctx)
		require.NoError(t, err)
		var names []string
		for _, l := range line {
			names = append(names, l.ID)
		}
		if slices.Equal(want, slices.Sorted(slices.Values(names))) {
			watch.Remove()
			return names
		}
		select {
		case <-watch.C:
		case <-ctx.Done():
			require.FailNow(t, "not everybody has come back", "there are %v of %v", names, want)
		}
	}
}

// await waits for the next leader.
func (c *contest) await(t *testing.T) *member {
	t.Helper()
	ctx := trial.Within(t, patience)
	for {
		select {
		case ev := <-c.said:
			if c.all[ev.member.name] == nil {
				continue // of one that has been killed
			}
			switch ev.what {
			case "leads":
				c.judge(ctx, t, ev.member.name)
				return ev.member
			case "lost":
				t.Logf("%s has lost its term", ev.member.name)
			case "clash":
				data, _, err := c.look.Get(ctx, c.witness)
				require.FailNow(t, "two leaders at once", "%s and %s (%v)", ev.member.name, data, err)
			default:
				require.FailNow(t, ev.what, "%s: %s", ev.member.name, ev.rest)
			}
		case <-ctx.Done():
			line, err := c.e.Candidates(t.Context())
			require.FailNow(t, "nobody is to wait for ever", "after %d terms, of %v; in line: %v (%v)", c.total, c.terms, line, err)
		}
	}
}

// judge checks that the one who says so leads, alone, and that everybody is told so.
func (c *contest) judge(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	for other, z := range c.ours {
		if term := z.term.Load(); other != name && term != nil {
			require.Error(t, term.Err(), "%s leads, and %s still believes that it does", name, other)
		}
	}
	l, err := c.e.Leader(ctx)
	require.NoError(t, err)
	require.Equal(t, name, l.ID)
	require.Greater(t, l.Token, c.newest, "tokens grow")
	if z := c.ours[name]; z != nil {
		require.Equal(t, z.term.Load().Token(), l.Token)
	}
	if c.next != "" {
		require.Equal(t, c.next, name, "to whom it was handed over")
	}
	for seen := int64(0); seen != l.Token; {
		select {
		case o := <-c.seen:
			if seen = o.Token; seen == l.Token {
				require.Equal(t, name, o.ID, "as Observe tells")
			}
		case <-ctx.Done():
			require.FailNow(t, "Observe does not tell of a leader", name)
		}
	}
	c.newest, c.next = l.Token, ""
	c.terms[name]++
	c.total++
	delete(c.owed, name)
}
