package conformance

import (
	"crypto/sha1"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// TestConformanceReconfig: zktest answers to reconfig as an ensemble of the same servers.
func TestConformanceReconfig(t *testing.T) {
	t.Parallel()
	sum := sha1.Sum([]byte("super:secret"))
	e := ensemble.Start(t, 3, ensemble.WithConfig("reconfigEnabled", "true"),
		ensemble.WithJVMFlags("-Dzookeeper.DigestAuthenticationProvider.superDigest=super:"+base64.StdEncoding.EncodeToString(sum[:])))
	var servers []string
	truth := converse(t, e.Servers()[0].Addr(), func(k *talk) {
		k.ask("r", jute.OpGetData, &jute.PathWatchRequest{Path: "/zookeeper/config"})
		for line := range strings.Lines(k.config) {
			if strings.HasPrefix(line, "server.") {
				servers = append(servers, strings.TrimSpace(line))
			}
		}
		reconfigure(k)
	})
	z := zktest.Start(t, zktest.WithReconfig(servers...), zktest.WithSuperUser("super", "secret"))
	require.Equal(t, truth, converse(t, z.Addr(), func(k *talk) {
		k.ask("r", jute.OpGetData, &jute.PathWatchRequest{Path: "/zookeeper/config"})
		reconfigure(k)
	}), "real server above, zktest below")
}

func reconfigure(k *talk) {
	const node = "/zookeeper/config"
	k.ask("r", jute.OpGetACL, &jute.PathRequest{Path: node})
	k.addWatch("r", "/", jute.AddWatchPersistentRecursive)
	k.ask("super", jute.OpAuth, &jute.AuthRequest{Scheme: "digest", Auth: []byte("super:secret")})
	k.ask("super", jute.OpWhoAmI, nil)
	for _, who := range []string{"nobody", "super"} {
		k.read("one-shot", jute.OpGetData, node)
		for _, r := range []jute.ReconfigRequest{
			{},
			{Config: 77},
			{Leaving: "9"},
			{Leaving: "x"},
			{Leaving: "1,2"},
			{Leaving: "1,2,3"},
			{Joining: "nonsense"},
			{Joining: "server.4=127.0.0.1:1"},
			{Joining: "server.4=127.0.0.1:5001:5002"},
			{Joining: "server.x=127.0.0.1:5001:5002;5003"},
			{Joining: "server.4=127.0.0.1:5001:5002:nonsense;5003"},
			{Joining: "server.4=127.0.0.1:5001:5002;nonsense"},
			{Joining: "server.4=127.0.0.1:x:5002;5003"},
			{Joining: "server.4=127.0.0.1:5001:5002;5003,server.5=127.0.0.1:5001:5004;5005"},
			{Joining: "server.4=127.0.0.1:5001:5002;5003", NewMembers: "server.4=127.0.0.1:5001:5002;5003"},
			{NewMembers: "server.4=127.0.0.1:5001:5002;5003"},
			{NewMembers: "server.4=127.0.0.1:5001:5002;5003,server.5=127.0.0.1:5011:5012;5013"},
			{NewMembers: "nonsense"},
			{NewMembers: "server.x=127.0.0.1:5001:5002;5003"},
			{Joining: "server.4=127.0.0.1:5001:5002;5003,server.5=127.0.0.1:5011:5012;5013,server.6=127.0.0.1:5021:5022;5023"},
			{Joining: "server.4=127.0.0.1:5001:5002:observer;5003"},
			{Joining: "server.5=127.0.0.1:5011:5012:participant;127.0.0.1:5013", Leaving: "4"},
		} {
			if r.Config == 0 {
				r.Config = -1
			}
			k.ask(who, jute.OpReconfig, &r)
		}
	}
	k.ask("super", jute.OpReconfig, &jute.ReconfigRequest{Config: k.version, Leaving: "5"})
	k.ask("super", jute.OpReconfig, &jute.ReconfigRequest{Config: -1, NewMembers: strings.TrimSpace(k.config)})
	k.ask("super", jute.OpExists, &jute.PathWatchRequest{Path: node})
	k.set("super", node)
	k.ask("super", jute.OpReconfig, &jute.ReconfigRequest{Config: -1})
	k.ask("nobody", jute.OpSetData, &jute.SetDataRequest{Path: node, Version: -1})
	k.ask("r", jute.OpGetData, &jute.PathWatchRequest{Path: node})
}
