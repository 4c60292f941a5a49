package members

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

const (
	// steady is the session timeout of those whose session is not to end, on whatever machine.
	steady = 40 * time.Second
	// brief is that of those who are killed and expire.
	brief = 9 * time.Second
	// patience is how long anybody may have to wait for anything.
	patience = 120 * time.Second
)

// TestMain has the tests run side by side: they mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// place is the server, and how the libraries' programs are started.
type place struct {
	e              *ensemble.Ensemble
	kazoo, curator []string
}

// TestMembers: groups and partitioners of the three kinds, on one server.
func TestMembers(t *testing.T) {
	p := &place{kazoo: kazooCommand(t), curator: curatorCommand(t)}
	p.e = ensemble.Start(t, 1)
	for name, test := range map[string]func(*testing.T, *place){
		"Curator's GroupMember": func(t *testing.T, p *place) {
			together(t, p, p.curator, "member", "/group-member")
		},
		"Kazoo's Party": func(t *testing.T, p *place) {
			together(t, p, p.kazoo, "party", "/party", group.WithLayout(recipes.Kazoo))
		},
		"Kazoo's ShallowParty": func(t *testing.T, p *place) {
			together(t, p, p.kazoo, "shallow", "/shallow-party", group.WithShallowParty())
		},
		"Kazoo's SetPartitioner": divided,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

func (p *place) client(t *testing.T) *client.Client {
	t.Helper()
	return trial.Connect(t, p.e.Connect(), client.WithSessionTimeout(steady))
}

// watcher follows a group.
type watcher struct {
	seen chan []string
}

func watch(ctx context.Context, t *testing.T, cl *client.Client, dir string, data bool, opts ...group.Option) *watcher {
	t.Helper()
	w := &watcher{seen: make(chan []string, 1<<10)}
	go func() {
		for members, err := range group.Watch(ctx, cl, dir, opts...) {
			if err == nil {
				w.seen <- told(members, data)
			}
		}
	}()
	return w
}

func told(members []group.Info, data bool) []string {
	out := []string{}
	for _, m := range members {
		if data {
			out = append(out, m.ID+"="+string(m.Data))
		} else {
			out = append(out, m.ID)
		}
	}
	return out
}

func (w *watcher) sees(ctx context.Context, t *testing.T, members ...string) {
	t.Helper()
	for last := []string(nil); ; {
		select {
		case last = <-w.seen:
			if slices.Equal(last, members) {
				return
			}
		case <-ctx.Done():
			require.FailNow(t, "never seen", "%v; last seen %v", members, last)
		}
	}
}

// together: members of the library and of zookit see each other come, change and go; one of each is lost.
func together(t *testing.T, p *place, command []string, kind, dir string, opts ...group.Option) {
	ctx := trial.Within(t, 2*patience)
	program, victim := launch(t, command, p.e.Connect()), launch(t, command, p.e.Connect())
	peer := program.open(ctx, t, "peer", steady)
	cl := p.client(t)
	w := watch(ctx, t, p.client(t), dir, kind != "shallow", opts...)

	// What a member tells: the data, or the id where there is none.
	tells := func(id, data string) string {
		switch kind {
		case "member":
			return id + "=" + data
		case "party":
			return id + "=" + id
		}
		return id
	}
	given := func(data string) []byte {
		if kind == "member" {
			return []byte(data)
		}
		return nil
	}
	list := func() []string {
		listed := strings.Fields(peer.ask(ctx, t, "listed", "list", kind, dir))
		slices.Sort(listed)
		return listed
	}
	ours, err := group.Join(ctx, cl, dir, "a-zookit", given("one"), opts...)
	require.NoError(t, err)
	peer.ask(ctx, t, "joined", "join", kind, dir, "b-peer", "two")
	w.sees(ctx, t, tells("a-zookit", "one"), tells("b-peer", "two"))
	both := []string{tells("a-zookit", "one"), tells("b-peer", "two")}
	require.Eventually(t, func() bool { return slices.Equal(both, list()) }, patience, 50*time.Millisecond)
	members, err := group.Members(ctx, cl, dir, opts...)
	require.NoError(t, err)
	require.Equal(t, both, told(members, kind != "shallow"))

	if kind == "member" {
		require.NoError(t, ours.Set(ctx, []byte("changed")))
		w.sees(ctx, t, "a-zookit=changed", "b-peer=two")
		require.Eventually(t, func() bool { return slices.Contains(list(), "a-zookit=changed") }, patience, 50*time.Millisecond)
		both[0] = "a-zookit=changed"
	}

	// One is killed, and missed when its session is over.
	victim.open(ctx, t, "victim", brief).ask(ctx, t, "joined", "join", kind, dir, "c-victim", "three")
	all := append(slices.Clone(both), tells("c-victim", "three"))
	w.sees(ctx, t, all...)
	victim.kill(t)
	w.sees(ctx, t, both...)
	require.Eventually(t, func() bool { return slices.Equal(both, list()) }, patience, 50*time.Millisecond)

	// zookit's loses its session, and is there again.
	session, err := cl.Session(ctx)
	require.NoError(t, err)
	require.NoError(t, session.Delete(ctx, ours.Path(), client.AnyVersion))
	require.Eventually(t, func() bool { return slices.Equal(both, list()) }, patience, 50*time.Millisecond)

	peer.ask(ctx, t, "left", "leave")
	w.sees(ctx, t, both[0])
	require.NoError(t, ours.Leave(ctx))
	w.sees(ctx, t)
	require.Empty(t, list())
}
