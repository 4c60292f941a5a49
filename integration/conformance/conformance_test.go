package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/zktest"
)

// conversations are what is said to a real server and to zktest, by their subjects. Every
// frame that comes back has to be the same.
var conversations = map[string]func(*talk){}

// TestConformance: zktest answers as a real server does.
func TestConformance(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1,
		ensemble.WithConfig("extendedTypesEnabled", "true"), // for nodes with a TTL
		ensemble.WithJVMFlags("-Dznode.container.checkIntervalMs=3600000"))
	truth := e.Servers()[0].Addr()
	for name, say := range conversations {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, converse(t, truth, say), converse(t, zktest.Start(t).Addr(), say), "real server above, zktest below")
		})
	}
}

// TestConformanceOfTime: containers and nodes with a TTL end as on a real server.
func TestConformanceOfTime(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1,
		ensemble.WithConfig("extendedTypesEnabled", "true"),
		ensemble.WithJVMFlags("-Dznode.container.checkIntervalMs=300"))
	for _, say := range []func(*talk){words, dies} {
		require.Equal(t, converse(t, e.Servers()[0].Addr(), say),
			converse(t, zktest.Start(t, zktest.WithContainerInterval(300*time.Millisecond)).Addr(), say))
	}
}

// converse returns all that a server says in a conversation, a line each.
func converse(t *testing.T, addr string, say func(*talk)) string {
	t.Helper()
	k := newTalk(t, addr)
	defer k.close()
	say(k)
	t.Logf("%s:\n%s", addr, strings.Join(k.lines, "\n"))
	return strings.Join(k.lines, "\n")
}
