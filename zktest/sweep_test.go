package zktest_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func (w *wire) createTTL(path string, ttl time.Duration) {
	w.t.Helper()
	h := w.call(jute.OpCreateTTL, &jute.CreateTTLRequest{
		CreateRequest: jute.CreateRequest{Path: path, ACL: anyone(31), Flags: jute.FlagPersistentTTL}, TTLMillis: ttl.Milliseconds(),
	}, &jute.Create2Reply{})
	require.Equal(w.t, jute.OK, h.Err)
}

func (w *wire) createContainer(path string) {
	w.t.Helper()
	h := w.call(jute.OpCreateContainer, &jute.CreateRequest{Path: path, ACL: anyone(31), Flags: jute.FlagContainer}, &jute.Create2Reply{})
	require.Equal(w.t, jute.OK, h.Err)
}

func nodes(s *zktest.Server) []string { return slices.Sorted(maps.Keys(s.Dump())) }

// A node with a TTL goes when it has not been changed for longer than that, and has no
// children. The clock of the test's choice decides, and all is done when it has moved.
func TestTTL(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.createTTL("/day", 24*time.Hour)
	w.createTTL("/hour", time.Hour)
	w.createTTL("/changed", time.Hour)
	w.createTTL("/parent", time.Hour)
	w.mustCreate("/parent/child", 0)
	require.NoError(t, s.Create("/plain", nil))
	w.addWatch("/", jute.AddWatchPersistentRecursive)

	s.AdvanceClock(59 * time.Minute)
	require.NoError(t, s.Set("/changed", nil))
	require.NoError(t, s.Set("/parent/child", nil))
	w.hears(watchEvent(changed, "/changed"), watchEvent(changed, "/parent/child"))
	s.AdvanceClock(2 * time.Minute)
	require.Equal(t, []string{"/changed", "/day", "/parent", "/parent/child", "/plain"}, nodes(s))
	w.hears(watchEvent(deleted, "/hour"))
	// A child's end is no change of the parent.
	require.NoError(t, s.Delete("/parent/child"))
	require.Equal(t, watchEvent(deleted, "/parent/child"), w.event())
	require.Equal(t, watchEvent(deleted, "/parent"), w.event())
	s.AdvanceClock(100 * time.Hour)
	w.hears(watchEvent(deleted, "/changed"), watchEvent(deleted, "/day")) // the earliest first
	require.Equal(t, []string{"/plain"}, nodes(s))
	require.Len(t, s.Sessions(), 1, "sessions do not depend on the wall clock")
}

// The server's clock runs by itself too, and what it gives to nodes is what it shows.
func TestTTLWithoutHelp(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.addWatch("/soon", jute.AddWatchPersistent)
	w.send(jute.OpCreateTTL, &jute.CreateTTLRequest{
		CreateRequest: jute.CreateRequest{Path: "/soon", ACL: anyone(31), Flags: jute.FlagPersistentTTL}, TTLMillis: 1,
	})
	require.Equal(t, watchEvent(created, "/soon"), w.event())
	require.Equal(t, jute.OK, w.recv(&jute.Create2Reply{}).Err)
	require.Equal(t, watchEvent(deleted, "/soon"), w.event())

	before := time.Now().Add(time.Hour).UnixMilli()
	s.AdvanceClock(time.Hour)
	w.mustCreate("/later", 0)
	n, _ := s.Node("/later")
	require.GreaterOrEqual(t, n.Stat.Ctime, before)
	s.AdvanceClock(-2 * time.Hour)
	w.mustCreate("/earlier", 0)
	n, _ = s.Node("/earlier")
	require.Less(t, n.Stat.Ctime, before)
}

// A failed transaction leaves a node's time to live as it was.
func TestTTLAfterRollback(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.createTTL("/a", time.Hour)
	_, res := w.multi(
		step(jute.OpDelete, &jute.PathVersionRequest{Path: "/a", Version: -1}),
		step(jute.OpCreateContainer, &jute.CreateRequest{Path: "/c", ACL: anyone(31), Flags: jute.FlagContainer}),
		step(jute.OpCheck, &jute.PathVersionRequest{Path: "/none", Version: -1}),
	)
	require.Equal(t, jute.NoNode, res[2].Err)
	s.AdvanceClock(2 * time.Hour)
	require.Empty(t, nodes(s))
}

// With an interval the server looks only so often, and once: a parent that has lost its
// last child goes the next time.
func TestContainerInterval(t *testing.T) {
	s := zktest.Start(t, zktest.WithContainerInterval(time.Hour))
	w := open(t, s.Addr())
	w.createContainer("/new")
	w.createContainer("/c")
	w.createContainer("/c/d")
	w.mustCreate("/c/d/e", 0)
	w.createTTL("/ttl", time.Minute)
	require.NoError(t, s.Delete("/c/d/e"))
	s.AdvanceClock(59 * time.Minute)
	require.Equal(t, []string{"/c", "/c/d", "/new", "/ttl"}, nodes(s))
	s.AdvanceClock(time.Minute)
	require.Equal(t, []string{"/c", "/new"}, nodes(s))
	s.AdvanceClock(59 * time.Minute)
	require.Equal(t, []string{"/c", "/new"}, nodes(s))
	s.AdvanceClock(time.Minute)
	require.Equal(t, []string{"/new"}, nodes(s), "a container that was never used stays")
	_, err := zktest.NewServer(zktest.WithContainerInterval(0))
	require.Error(t, err)
}
