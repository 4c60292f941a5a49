package ensemble

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestExternalServers(t *testing.T) {
	followers := map[string]string{"srvr": roleAnswer("follower")}
	leader := answering(t, map[string]string{"srvr": roleAnswer("leader"), "mntr": "mntr is not executed because it is not in the whitelist.\n"})
	first, second := answering(t, followers), answering(t, followers)
	t.Setenv(serversVariable, first+", "+leader+","+second)
	t.Setenv(providerVariable, "")

	e := Start(t, 3)
	require.Equal(t, "external", e.Provider())
	require.False(t, e.Controllable())
	require.Equal(t, first+","+leader+","+second, e.Connect())
	version, err := e.Version(bounded(t))
	require.NoError(t, err)
	require.Equal(t, "3.9.3", version)
	leads, err := e.Leader(bounded(t))
	require.NoError(t, err)
	require.Equal(t, leader, leads.Addr())
	require.Len(t, e.Servers(), 3)

	ctx := bounded(t)
	s := e.Servers()[0]
	for what, err := range map[string]error{
		"Kill":      s.Kill(ctx),
		"Restart":   s.Restart(ctx),
		"Stop":      s.Stop(ctx),
		"Continue":  s.Continue(ctx),
		"CutPeers":  s.CutPeers(ctx),
		"HealPeers": s.HealPeers(ctx),
		"Wipe":      e.Wipe(ctx),
	} {
		require.ErrorIs(t, err, ErrNotControllable, what)
	}
	require.Contains(t, s.Logs(), s.Addr())
}

func TestExternalServersRefused(t *testing.T) {
	t.Setenv(providerVariable, "")
	one := answering(t, map[string]string{"srvr": standaloneAnswer})
	for name, test := range map[string]struct {
		list    string
		servers int
		opts    []Option
		want    string
	}{
		"too few":   {list: one, servers: 3, want: "names 1 servers (" + one + ") and 3 are asked for"},
		"no port":   {list: "localhost", servers: 1, want: `"localhost" is no host:port`},
		"no host":   {list: ":2181", servers: 1, want: `":2181" is no host:port`},
		"empty one": {list: one + ",", servers: 1, want: `"" is no host:port`},
		"settings":  {list: one, servers: 1, opts: []Option{WithTickTime(time.Second), WithPeerCuts()}, want: "tickTime, peer cuts asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(serversVariable, test.list)
			_, err := Open(bounded(t), test.servers, test.opts...)
			require.ErrorContains(t, err, test.want)
			if test.opts != nil {
				require.ErrorIs(t, err, ErrNotControllable)
			}
		})
	}
}
