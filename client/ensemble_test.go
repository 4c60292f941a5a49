package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

func peer(host string, quorum, election int) []client.PeerAddr {
	return []client.PeerAddr{{Host: host, QuorumPort: quorum, ElectionPort: election}}
}

func TestParseEnsembleConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want client.EnsembleConfig
		back string // what String makes of it, if not text
	}{
		"empty": {"", client.EnsembleConfig{}, "version=0"},
		"as 3.8 writes it": {
			"server.1=zk1:2888:3888:participant;0.0.0.0:2181\nserver.2=10.0.0.2:2888:3888:observer;10.1.0.2:2182\nversion=100000003",
			client.EnsembleConfig{Version: 0x100000003, Servers: []client.EnsembleServer{
				{ID: 1, Addrs: peer("zk1", 2888, 3888), Role: client.Participant, ClientHost: "0.0.0.0", ClientPort: 2181},
				{ID: 2, Addrs: peer("10.0.0.2", 2888, 3888), Role: client.Observer, ClientHost: "10.1.0.2", ClientPort: 2182},
			}}, "",
		},
		"several addresses": {
			"server.1=a:1:2|b:3:4|[fd00::1]:5:6:participant;[::]:2181\nversion=0",
			client.EnsembleConfig{Servers: []client.EnsembleServer{{
				ID:    1,
				Addrs: []client.PeerAddr{{Host: "a", QuorumPort: 1, ElectionPort: 2}, {Host: "b", QuorumPort: 3, ElectionPort: 4}, {Host: "fd00::1", QuorumPort: 5, ElectionPort: 6}},
				Role:  client.Participant, ClientHost: "::", ClientPort: 2181,
			}}}, "",
		},
		"short forms": {
			"\n  server.2=b:3:4;2182 \r\nserver.1=a:1:2\n\n",
			client.EnsembleConfig{Servers: []client.EnsembleServer{
				{ID: 1, Addrs: peer("a", 1, 2), Role: client.Participant},
				{ID: 2, Addrs: peer("b", 3, 4), Role: client.Participant, ClientHost: "0.0.0.0", ClientPort: 2182},
			}},
			"server.1=a:1:2:participant\nserver.2=b:3:4:participant;0.0.0.0:2182\nversion=0",
		},
		"role in capitals": {
			"server.1=a:1:2:OBSERVER;3\nversion=0",
			client.EnsembleConfig{Servers: []client.EnsembleServer{{ID: 1, Addrs: peer("a", 1, 2), Role: client.Observer, ClientHost: "0.0.0.0", ClientPort: 3}}},
			"server.1=a:1:2:observer;0.0.0.0:3\nversion=0",
		},
		"groups": {
			"server.1=a:1:2:participant\ngroup.1=1:2\ngroup.2=3\nweight.1=1\nweight.2=0\nversion=ffffffffffffffff",
			client.EnsembleConfig{
				Version: -1,
				Servers: []client.EnsembleServer{{ID: 1, Addrs: peer("a", 1, 2), Role: client.Participant}},
				Groups:  map[int64][]int64{1: {1, 2}, 2: {3}}, Weights: map[int64]int64{1: 1, 2: 0},
			}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := client.ParseEnsembleConfig(tc.text)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			back := tc.back
			if back == "" {
				back = tc.text
			}
			require.Equal(t, back, got.String())
		})
	}
}

func TestParseEnsembleConfigRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"server.1":                          "not key=value",
		"server.1=":                         "host:port:port",
		"server.1=a":                        "host:port:port",
		"server.1=a:1":                      "host:port:port",
		"server.1=:1:2":                     "host:port:port",
		"server.1=a:1:2:leader":             "role",
		"server.1=a:1:2:participant:x":      "host:port:port",
		"server.1=a:1:2:participant|b:3:4":  "host:port:port",
		"server.1=a:1:2|":                   "host:port:port",
		"server.1=a:0:2":                    "port",
		"server.1=a:1:65536":                "port",
		"server.1=a:+1:2":                   "port",
		"server.1=a:1:2;":                   "client port",
		"server.1=a:1:2;x":                  "client port",
		"server.1=a:1:2;h:70000":            "client port",
		"server.1=a:1:2;h:1:2":              "semicolon",
		"server.1=a:1:2;1;2":                "client port",
		"server.1=[::1:1:2":                 "host:port:port",
		"server.1=[::1]1:2":                 "host:port:port",
		"server.1=[a]:1:2":                  "host:port:port",
		"server.1=[x:y]:1:2":                "host:port:port",
		"server.1=a b:1:2":                  "host:port:port",
		"server.x=a:1:2":                    "the key is not",
		"server.-1=a:1:2":                   "the key is not",
		"server.=a:1:2":                     "the key is not",
		"server=a:1:2":                      "the key is not",
		"peer.1=a:1:2":                      "the key is not",
		"server.1=a:1:2\nserver.1=a:1:2":    "second time",
		"version=1\nversion=1":              "second time",
		"version=":                          "hexadecimal",
		"version=x":                         "hexadecimal",
		"version=10000000000000000":         "hexadecimal",
		"group.1=":                          "numbers",
		"group.1=1:x":                       "numbers",
		"group.1=1\ngroup.1=2":              "second time",
		"weight.1=x":                        "number",
		"weight.1=1\nweight.1=1":            "second time",
		"{\"servers\":[]}":                  "not key=value",
		"server.99999999999999999999=a:1:2": "the key is not",
		"server.1=a:1:2\nserver.2=b:1:2\nserver.3=c\x00": "host:port:port",
	} {
		cfg, err := client.ParseEnsembleConfig(text)
		require.ErrorIs(t, err, client.ErrBadConfig, "%q", text)
		require.ErrorContains(t, err, says, "%q", text)
		require.ErrorContains(t, err, "line ", "%q", text)
		require.Empty(t, cfg)
	}
}

func TestParseEnsembleServer(t *testing.T) {
	got, err := client.ParseEnsembleServer("server.4=zk4:2888:3888:observer;2181")
	require.NoError(t, err)
	require.Equal(t, client.EnsembleServer{ID: 4, Addrs: peer("zk4", 2888, 3888), Role: client.Observer, ClientHost: "0.0.0.0", ClientPort: 2181}, got)
	for _, bad := range []string{"", "version=1", "server.1=a:1:2\nserver.2=b:1:2", "server.1=a:1:2\nversion=1", "zk4:2888:3888"} {
		_, err := client.ParseEnsembleServer(bad)
		require.ErrorIs(t, err, client.ErrBadConfig, bad)
	}
}

func TestEnsembleServer(t *testing.T) {
	cfg, err := client.ParseEnsembleConfig("server.1=a:1:2|b:1:2|a:3:4;2181\nserver.2=a:1:2;10.0.0.1:2182\nserver.3=c:1:2\nserver.4=fd00::1:1:2;[::]:1")
	require.ErrorIs(t, err, client.ErrBadConfig, "IPv6 stands in brackets")
	require.Empty(t, cfg)
	cfg, err = client.ParseEnsembleConfig("server.1=a:1:2|b:1:2|a:3:4;2181\nserver.2=a:1:2;10.0.0.1:2182\nserver.3=c:1:2\nserver.4=[fd00::1]:1:2;[::]:1\nserver.5=e:1:2;[fd00::5]:6")
	require.NoError(t, err)
	var addrs [][]string
	for _, s := range cfg.Servers {
		addrs = append(addrs, s.ClientAddrs())
	}
	require.Equal(t, [][]string{{"a:2181", "b:2181"}, {"10.0.0.1:2182"}, nil, {"[fd00::1]:1"}, {"[fd00::5]:6"}}, addrs)
	s, ok := cfg.Server(3)
	require.True(t, ok)
	require.Equal(t, "server.3=c:1:2:participant", s.String())
	_, ok = cfg.Server(9)
	require.False(t, ok)
	require.Equal(t, "server.7=h:1:2:participant;0.0.0.0:3", client.EnsembleServer{ID: 7, Addrs: peer("h", 1, 2), ClientPort: 3}.String())
}

// Whatever is parsed is written so that it is parsed to the same.
func FuzzParseEnsembleConfig(f *testing.F) {
	for _, text := range []string{
		"", "server.1=zk1:2888:3888:participant;0.0.0.0:2181\nversion=100000003",
		"server.1=a:1:2|[fd00::1%eth0]:3:4:observer;[::]:5\ngroup.1=1\nweight.1=2\nversion=ff", "server.1=[", "server.1=a:1:2;", "version=\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := client.ParseEnsembleConfig(text)
		if err != nil {
			require.ErrorIs(t, err, client.ErrBadConfig)
			return
		}
		back, err := client.ParseEnsembleConfig(c.String())
		require.NoError(t, err, "%q", c.String())
		require.Equal(t, c, back)
		for _, s := range c.Servers {
			_ = s.ClientAddrs()
		}
	})
}
