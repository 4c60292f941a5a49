package client_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

const (
	configOfTwo   = "server.1=zk1:1:2:participant;0.0.0.0:2181\nserver.2=zk2:1:2:participant;0.0.0.0:2181\nversion=1"
	configOfThree = "server.1=zk1:1:2:participant;0.0.0.0:2181\nserver.2=zk2:1:2:participant;0.0.0.0:2181\nserver.3=zk3:1:2:observer;0.0.0.0:2181\nversion=2"
)

// registry is the ensemble's configuration behind scripted servers.
type registry struct {
	mu       sync.Mutex
	config   string
	reconfig func(*registry, jute.ReconfigRequest) reaction
	asked    []jute.ReconfigRequest
}

// register makes the servers answer for a configuration.
func register(p *pipes, config string, reconfig func(*registry, jute.ReconfigRequest) reaction) *registry {
	reg := &registry{config: config, reconfig: reconfig}
	p.set(func(p *pipes) { p.answer = reg.answer })
	return reg
}

func (reg *registry) answer(f frame) reaction {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	switch f.op {
	case jute.OpGetData:
		var r jute.PathWatchRequest
		r.Decode(jute.NewDecoder(f.body))
		if r.Path != "/zookeeper/config" {
			return reaction{code: jute.NoNode}
		}
		return reaction{body: &jute.DataReply{Data: []byte(reg.config)}}
	case jute.OpReconfig:
		var r jute.ReconfigRequest
		r.Decode(jute.NewDecoder(f.body))
		reg.asked = append(reg.asked, r)
		return reg.reconfig(reg, r)
	}
	return reaction{}
}

func (reg *registry) set(config string) {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.config = config
}

// third is the server that joins in these tests.
var third = client.EnsembleServer{ID: 3, Addrs: []client.PeerAddr{{Host: "zk3", QuorumPort: 1, ElectionPort: 2}}, Role: client.Observer, ClientPort: 2181}

func TestReconfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		reg := register(p, configOfTwo, func(reg *registry, _ jute.ReconfigRequest) reaction {
			reg.config = configOfThree
			return reaction{body: &jute.DataReply{Data: []byte(configOfThree)}}
		})
		cl := p.connect(t, "10.0.0.1:1")
		got, err := cl.Reconfig(t.Context(), client.Reconfiguration{Joining: []client.EnsembleServer{third}, Leaving: []int64{7, 8}}, 1)
		require.NoError(t, err)
		require.Equal(t, configOfThree, got.String())
		now, err := cl.EnsembleConfig(t.Context())
		require.NoError(t, err)
		require.Equal(t, got, now)
		_, err = cl.Reconfig(t.Context(), client.Reconfiguration{Members: got.Servers}, client.AnyConfig)
		require.NoError(t, err)
		require.Equal(t, []jute.ReconfigRequest{
			{Joining: "server.3=zk3:1:2:observer;0.0.0.0:2181", Leaving: "7,8", Config: 1},
			{NewMembers: "server.1=zk1:1:2:participant;0.0.0.0:2181,server.2=zk2:1:2:participant;0.0.0.0:2181,server.3=zk3:1:2:observer;0.0.0.0:2181", Config: -1},
		}, reg.asked)
	})
}

// The change of the leader takes the reply with it. What became of the change is found
// out, and it is never made twice.
func TestReconfigWithoutAReply(t *testing.T) {
	done := func(reg *registry, config string) reaction {
		reg.config = config
		return reaction{body: &jute.DataReply{Data: []byte(config)}}
	}
	lose := func(config string) func(*registry) reaction {
		return func(reg *registry) reaction {
			reg.config = config
			return reaction{hangUp: true}
		}
	}
	for name, tc := range map[string]struct {
		first   func(*registry) reaction
		asked   int
		unknown bool
	}{
		"it was made":                  {lose(configOfThree), 1, false},
		"it was not made":              {lose(configOfTwo), 2, false},
		"another one was made":         {lose("server.1=zk1:1:2:participant;0.0.0.0:2181\nversion=3"), 1, true},
		"another server 3 was added":   {lose("server.1=zk1:1:2:participant;0.0.0.0:2181\nserver.3=zk4:1:2:observer;0.0.0.0:2181\nversion=3"), 1, true},
		"the configuration is garbage": {lose("garbage"), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				reg := register(p, configOfTwo, func(reg *registry, _ jute.ReconfigRequest) reaction {
					if len(reg.asked) == 1 {
						return tc.first(reg)
					}
					return done(reg, configOfThree)
				})
				cl := p.connect(t, "10.0.0.1:1")
				got, err := cl.Reconfig(t.Context(), client.Reconfiguration{Joining: []client.EnsembleServer{third}, Leaving: []int64{9}}, client.AnyConfig)
				require.Len(t, reg.asked, tc.asked)
				require.NotEmpty(t, p.seen(jute.OpMulti), "looked up behind a commit of the quorum")
				if tc.unknown {
					require.Equal(t, client.Unknown, client.Outcome(err))
					require.ErrorIs(t, err, client.ErrConnectionLost)
					return
				}
				require.NoError(t, err)
				require.Equal(t, configOfThree, got.String())
			})
		})
	}
}

func TestReconfigErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		var code jute.Code
		reg := register(p, configOfTwo, func(*registry, jute.ReconfigRequest) reaction { return reaction{code: code} })
		cl := p.connect(t, "10.0.0.1:1")
		for c, want := range map[jute.Code]error{
			jute.ReconfigDisabled: client.ErrReconfigDisabled, jute.ReconfigInProgress: client.ErrReconfigInProgress,
			jute.NewConfigNoQuorum: client.ErrNewConfigNoQuorum, jute.NoAuth: client.ErrNoAuth, jute.BadVersion: client.ErrBadVersion,
			jute.BadArguments: client.ErrBadArgument, jute.Unimplemented: client.ErrUnimplemented,
		} {
			code = c
			_, err := cl.Reconfig(t.Context(), client.Reconfiguration{Leaving: []int64{2}}, client.AnyConfig)
			require.ErrorIs(t, err, want)
			require.Equal(t, client.Definite, client.Outcome(err))
			require.ErrorContains(t, err, "reconfig /zookeeper/config: ")
		}
		reg.set("garbage")
		_, err := cl.EnsembleConfig(t.Context())
		require.ErrorIs(t, err, client.ErrBadConfig)
		require.Equal(t, client.Definite, client.Outcome(err))
	})
}

// What cannot work is refused, before any change is asked for.
func TestReconfigRefuses(t *testing.T) {
	with := func(change func(*client.EnsembleServer)) client.Reconfiguration {
		s := third
		change(&s)
		return client.Reconfiguration{Joining: []client.EnsembleServer{s}}
	}
	at := func(host string, quorum, election int) client.Reconfiguration {
		return with(func(s *client.EnsembleServer) { s.Addrs = peer(host, quorum, election) })
	}
	for name, tc := range map[string]struct {
		change client.Reconfiguration
		says   string
	}{
		"nothing":            {client.Reconfiguration{}, "without any change"},
		"both kinds":         {client.Reconfiguration{Members: []client.EnsembleServer{third}, Leaving: []int64{1}}, "either Members"},
		"twice":              {client.Reconfiguration{Joining: []client.EnsembleServer{third, third}}, "server 3 comes twice"},
		"leaving twice":      {client.Reconfiguration{Leaving: []int64{1, 1}}, "server 1 comes twice"},
		"joining, leaving":   {client.Reconfiguration{Joining: []client.EnsembleServer{third}, Leaving: []int64{3}}, "server 3 comes twice"},
		"id":                 {with(func(s *client.EnsembleServer) { s.ID = -1 }), "negative"},
		"no address":         {with(func(s *client.EnsembleServer) { s.Addrs = nil }), "no address"},
		"role":               {with(func(s *client.EnsembleServer) { s.Role = "leader" }), `"leader"`},
		"no client port":     {with(func(s *client.EnsembleServer) { s.ClientPort = 0 }), "client port"},
		"client port":        {with(func(s *client.EnsembleServer) { s.ClientPort = 70000 }), "client port"},
		"client host":        {with(func(s *client.EnsembleServer) { s.ClientHost = "a;b" }), "client host"},
		"host":               {at("a,server.9=x", 1, 2), "host"},
		"no host":            {at("", 1, 2), "host"},
		"port":               {at("a", 0, 2), "port"},
		"an address of 1":    {at("zk1", 2, 3), "servers 1 and 3 would share the address zk1:2"},
		"a client's address": {at("zk2", 2181, 3), "servers 2 and 3 would share the address zk2:2181"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				reg := register(p, configOfTwo, func(*registry, jute.ReconfigRequest) reaction { return reaction{} })
				_, err := p.connect(t, "10.0.0.1:1").Reconfig(t.Context(), tc.change, client.AnyConfig)
				require.ErrorIs(t, err, client.ErrBadArgument)
				require.ErrorContains(t, err, tc.says)
				require.Equal(t, client.NotSent, client.Outcome(err))
				require.Empty(t, reg.asked)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		register(p, configOfTwo, func(*registry, jute.ReconfigRequest) reaction { return reaction{} })
		_, err := p.connect(t, "10.0.0.1:1").Reconfig(t.Context(), client.Reconfiguration{Leaving: []int64{1}}, -2)
		require.ErrorIs(t, err, client.ErrBadArgument)
	})
}
