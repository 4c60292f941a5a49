package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// TestConformanceOfDoors: what becomes of a session that moves between the doors of zktest is
// what becomes of one that moves between the followers of an ensemble.
func TestConformanceOfDoors(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 3)
	leader, err := e.Leader(trial.Within(t, time.Minute))
	require.NoError(t, err)
	var followers []string
	for _, s := range e.Servers() {
		if s != leader {
			followers = append(followers, s.Addr())
		}
	}
	z := zktest.Start(t, zktest.WithServers(2))
	doors := []string{z.Doors()[0].Addr(), z.Doors()[1].Addr()}
	for name, say := range map[string]func(*talk, []string){
		"a write on the old connection": func(k *talk, servers []string) { k.moved(servers); k.set("old", "/m") },
		"a check on the old connection": func(k *talk, servers []string) {
			k.moved(servers)
			k.ask("old", jute.OpMulti, &jute.MultiRequest{Ops: []jute.MultiOp{{Op: jute.OpCheck, Body: &jute.PathVersionRequest{Path: "/m", Version: -1}}}})
		},
		"a bad write on the old connection": func(k *talk, servers []string) { k.moved(servers); k.delete("old", "/none") },
		"reads on the old connection": func(k *talk, servers []string) {
			k.moved(servers)
			k.addWatch("old", "/", jute.AddWatchPersistentRecursive)
			for _, op := range []jute.Op{jute.OpExists, jute.OpGetData, jute.OpGetChildren2} {
				k.read("old", op, "/m")
			}
			k.set("other", "/m")
			k.create("other", "/m/n")
			k.ask("old", jute.OpSync, &jute.PathRequest{Path: "/m"})
			k.ask("old", jute.OpGetEphemerals, &jute.PathRequest{Path: "/"})
			k.ask("old", jute.OpWhoAmI, nil)
			k.ask("old", jute.OpPing, nil)
			k.delete("other", "/m/n")
		},
		"an end on the old connection": func(k *talk, servers []string) { k.moved(servers); k.ask("old", jute.OpCloseSession, nil) },
		"an end on the new connection": func(k *talk, servers []string) { k.moved(servers); k.ask("new", jute.OpCloseSession, nil) },
		"there and back": func(k *talk, servers []string) {
			k.moved(servers)
			k.moveTo(servers[0], "again", "old")
			k.set("again", "/m")
			k.set("new", "/m")
		},
	} {
		t.Run(name, func(t *testing.T) {
			converse := func(servers []string) string {
				return converse(t, servers[0], func(k *talk) {
					k.several = true
					say(k, servers)
					// What is left, for the next conversation.
					k.ask("other", jute.OpGetChildren2, &jute.PathWatchRequest{Path: "/m"})
					k.delete("other", "/m/e")
					k.delete("other", "/m")
				})
			}
			require.Equal(t, converse(followers), converse(doors), "real server above, zktest below")
		})
	}
}

// moved opens a session that owns a node, and moves it to the second server while its first
// connection stands. Another client is at the first server, and watches. The old connection
// does not: whether it hears of the session's end before it is cut is chance.
func (k *talk) moved(servers []string) {
	k.t.Helper()
	k.create("other", "/m")
	k.createAs("old", "/m/e", jute.FlagEphemeral)
	k.addWatch("other", "/", jute.AddWatchPersistentRecursive)
	k.moveTo(servers[1], "new", "old")
	k.set("new", "/m")
}

// moveTo takes the session of whose up at a server.
func (k *talk) moveTo(server, who, whose string) {
	k.t.Helper()
	first := k.addr
	defer func() { k.addr = first }()
	k.addr = server
	had := k.had[whose]
	k.greet(who, &jute.ConnectRequest{TimeoutMillis: 30_000, SessionID: had.SessionID, Password: had.Password, LastZxidSeen: k.base})
	k.settle()
}
