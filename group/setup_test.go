package group_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
	"github.com/zookit/zookit/zktest"
)

const dir = "/workers"

// patience bounds every wait for an event that has to come.
const patience = time.Minute

// inMemory is for tests in a bubble of testing/synctest.
var inMemory = zktest.WithInMemoryNetwork()

// quick is for clients that have to connect again: the pauses before that go by the timeout.
var quick = client.WithSessionTimeout(4 * time.Second)

// connect opens a client whose session is so long that it need not confirm itself during a test,
// unless the test wants it shorter.
func connect(t testing.TB, srv *zktest.Server, opts ...client.Option) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), srv.Addr(), append([]client.Option{client.WithDialer(srv.Dial), client.WithSessionTimeout(time.Minute)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	return cl
}

func sessionOf(t testing.TB, cl *client.Client) int64 {
	t.Helper()
	s, err := cl.Session(bounded(t))
	require.NoError(t, err)
	return s.ID()
}

func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// wait receives an event that has to come.
func wait[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		require.FailNow(t, "waited in vain for "+what)
		panic("unreachable")
	}
}

func join(t testing.TB, cl *client.Client, id, data string, opts ...group.Option) *group.Member {
	t.Helper()
	m, err := group.Join(bounded(t), cl, dir, id, []byte(data), opts...)
	require.NoError(t, err)
	return m
}

func leave(t testing.TB, m *group.Member) {
	t.Helper()
	require.NoError(t, m.Leave(bounded(t)))
}

// told is what members tell: "id=data" for each.
func told(members []group.Info) (out []string) {
	for _, m := range members {
		out = append(out, m.ID+"="+string(m.Data))
	}
	return out
}

func listed(t testing.TB, cl *client.Client, opts ...group.Option) []string {
	t.Helper()
	members, err := group.Members(bounded(t), cl, dir, opts...)
	require.NoError(t, err)
	return told(members)
}

// sighting is what a watcher sees.
type sighting struct {
	members []string
	err     error
}

// watch ranges over a group's members in the background.
func watch(ctx context.Context, cl *client.Client, opts ...group.Option) <-chan sighting {
	out := make(chan sighting, 1000)
	go func() {
		defer close(out)
		for members, err := range group.Watch(ctx, cl, dir, opts...) {
			out <- sighting{told(members), err}
		}
	}()
	return out
}

// sees waits until a watcher sees exactly these members.
func sees(t testing.TB, from <-chan sighting, members ...string) {
	t.Helper()
	for {
		s := wait(t, "these members", from)
		require.NoError(t, s.err)
		if len(members) == len(s.members) && assert.ObjectsAreEqual(append([]string{}, members...), append([]string{}, s.members...)) {
			return
		}
	}
}

// requireNothingLeft waits until there are no ephemeral nodes and no watches.
func requireNothingLeft(t testing.TB, srv *zktest.Server) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for path, n := range srv.Dump() {
			assert.Zero(c, n.Stat.EphemeralOwner, "%s is left", path)
		}
		assert.Empty(c, srv.WatchList())
	}, patience, 10*time.Millisecond)
}

// hush cuts a session's connection, and lets it have no other one, though the servers hear of each try: the
// client takes the session for lost before the servers do.
func hush(srv *zktest.Server, session int64) {
	for range 100 {
		srv.HoldReply(zktest.Match{Ops: []zktest.Op{zktest.OpConnect}, Session: session})
	}
	srv.DropConnection(session)
}
