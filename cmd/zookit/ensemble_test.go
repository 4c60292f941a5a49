package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// holding has a session that owns nodes.
func holding(t *testing.T, s *zktest.Server, paths ...string) *client.Client {
	t.Helper()
	cl, err := client.Connect(t.Context(), s.ConnectString())
	require.NoError(t, err)
	t.Cleanup(func() { _ = cl.Close() })
	for _, path := range paths {
		_, err := cl.Create(t.Context(), path, nil, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
	}
	return cl
}

func TestEphemerals(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	a := holding(t, s, "/app/one", "/two")
	holding(t, s, "/app/a/three")
	env := environment(t, s.ConnectString())
	prints(t, env, "/app/a/three\n/app/one\n/two\n", "ephemerals", "-o", "raw")
	prints(t, env, "/app/a/three\n/app/one\n", "ephemerals", "/app/", "-o", "raw")
	id := fmt.Sprintf("%#x", uint64(a.State().SessionID))
	prints(t, env, "/app/one\n/two\n", "ephemerals", "--session", id, "-o", "raw")
	out, code := runs(t, env, "ephemerals", "/two")
	require.Zero(t, code)
	require.Regexp(t, `^SESSION +MADE +PATH\n`+id+` +\S+Z +/two\n$`, out)
	exits(t, env, 64, "ephemerals", "--session", "mine")
	exits(t, env, 1, "ephemerals", "/nowhere")
}

func TestSessions(t *testing.T) {
	s := server(t, zktest.WithServers(2))
	a, b := holding(t, s), holding(t, s)
	env := environment(t, s.ConnectString())
	out, code := runs(t, env, "sessions", "-o", "json")
	require.Zero(t, code)
	var all []struct {
		Session, Client, Server string
		TimeoutMS               int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	require.Len(t, all, 2, "it takes no session to ask")
	for i, cl := range []*client.Client{a, b} {
		require.Contains(t, out, fmt.Sprintf(`"session": "%#x"`, uint64(cl.State().SessionID)))
		require.Positive(t, all[i].TimeoutMS)
		require.Contains(t, s.ConnectString(), all[i].Server)
	}
	out, code = runs(t, env, "sessions")
	require.Zero(t, code)
	require.Regexp(t, `^SESSION +CLIENT +SERVER +TIMEOUT +CONNECTED +LAST\n(0x.*\n){2}$`, out)

	// Of two servers one is dead: there is what the other one says, and the failure shows.
	s.Doors()[1].Kill()
	c := start(t, env, "", "sessions", "-o", "raw")
	require.Equal(t, 1, c.code())
	require.Contains(t, c.err.String(), s.Doors()[1].Addr())
	exits(t, environment(t, "127.0.0.1:1"), 69, "sessions", "--timeout", "1s")
}

// wordServer is a server that answers four-letter words so; what is not there it does not allow.
func wordServer(t *testing.T, answers map[string]string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			word := make([]byte, 4)
			_, _ = io.ReadFull(c, word)
			answer, ok := answers[string(word)]
			if !ok {
				answer = string(word) + " is not executed because it is not in the whitelist.\n"
			}
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// A server that does not allow the word: what is to be done stands there.
func TestSessionsNotAllowed(t *testing.T) {
	for word, args := range map[string][]string{"cons": {"sessions"}, "dump": {"sessions", "--holds"}} {
		answers := map[string]string{"cons": " /127.0.0.1:1[0](queued=0,recved=1,sent=0)\n\n"}
		if word == "cons" {
			answers = nil
		}
		c := start(t, environment(t, wordServer(t, answers)), "", args...)
		require.Equal(t, 1, c.code())
		require.Contains(t, c.err.String(), "add "+word+" to 4lw.commands.whitelist")
		require.Contains(t, c.err.String(), "--admin-port 8080")
	}
}

// A session whose client is gone still holds what it has: as a real server of 3.8 answers then.
func TestSessionsHold(t *testing.T) {
	const (
		cons = " /127.0.0.1:36562[1](queued=0,recved=3,sent=3,sid=0x1000048a6870002,lop=CREA,est=1795302625073,to=10000,lcxid=0x2,lzxid=0x5,lresp=5011433,llat=1,minlat=0,avglat=1,maxlat=3)\n\n"
		dump = "SessionTracker dump:\nSession Sets (4)/(1):\n1 expire at Sun Nov 29 15:44:52 UTC 2026:\n\t0x1000048a6870001\nephemeral nodes dump:\nSessions with Ephemerals (2):\n" +
			"0x1000048a6870001:\n\t/gone\n0x1000048a6870002:\n\t/mine2\n\t/mine\nConnections dump:\nConnections Sets (1)/(1):\n1 expire at Sun Nov 29 15:45:00 UTC 2026:\n\tip: /127.0.0.1:36612 sessionId: 0x0\n"
	)
	env := environment(t, wordServer(t, map[string]string{"cons": cons, "dump": dump}))
	out, code := runs(t, env, "sessions", "--holds")
	require.Zero(t, code)
	require.Regexp(t, `^SESSION +CLIENT .* HOLDS\n0x1000048a6870001( +-){5} +/gone\n`, out)
	require.Regexp(t, `\n0x1000048a6870002  127\.0\.0\.1:36562 .* 10s .* CREA +/mine /mine2\n$`, out)
	out, code = runs(t, env, "sessions", "--holds", "-o", "json")
	require.Zero(t, code)
	var all []map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	require.Len(t, all, 2)
	require.NotContains(t, all[0], "client")
	require.NotContains(t, all[0], "since")
	require.Equal(t, []any{"/gone"}, all[0]["holds"])
	out, code = runs(t, env, "sessions", "-o", "raw")
	require.Zero(t, code)
	require.Equal(t, "0x1000048a6870002\n", out)

	for _, broken := range []string{"", "something else\n", "Sessions with Ephemerals (1):\n0xyz:\n\t/a\n"} {
		env := environment(t, wordServer(t, map[string]string{"cons": cons, "dump": broken}))
		out, code := runs(t, env, "sessions", "--holds", "-o", "raw")
		require.Equal(t, 1, code)
		require.Equal(t, "0x1000048a6870002\n", out, "what is known is there")
	}
}

// Whoever may not use the words asks the admin endpoint.
func TestSessionsByAdminEndpoint(t *testing.T) {
	answer, err := os.ReadFile("../../client/admin/testdata/3.9/connections.json")
	require.NoError(t, err)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/commands/connections" {
			_, _ = w.Write(answer)
		}
	}))
	defer endpoint.Close()
	_, port, err := net.SplitHostPort(endpoint.Listener.Addr().String())
	require.NoError(t, err)
	prints(t, environment(t, "127.0.0.1:1"), "0x2000a1b2c3d0004\n0xff00000000000001\n", "sessions", "--admin-port", port, "-o", "raw")
}

func TestWhoAmI(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString(), "ZOOKIT_AUTH=digest:me:secret")
	prints(t, env, "ip:127.0.0.1\ndigest:me\n", "whoami", "-o", "raw")
	prints(t, env, "SCHEME  USER\nip      127.0.0.1\ndigest  me\n", "whoami")
}

func TestReconfig(t *testing.T) {
	const super = "ZOOKIT_AUTH=digest:super:secret"
	s := server(t, zktest.WithSuperUser("super", "secret"),
		zktest.WithReconfig("server.1=zk1:2888:3888:participant;"+zktest.OwnAddr, "server.2=zk2:2888:3888:participant;zk2:2181", "server.3=zk3:2888:3888:participant;zk3:2181"))
	env := environment(t, s.ConnectString(), super)
	out, code := runs(t, env, "reconfig", "show")
	require.Zero(t, code)
	require.Regexp(t, `^ID +ROLE +PEERS +CLIENTS\n1 +participant +zk1:2888:3888 +127.0.0.1:\d+\n2 +.*\n3 +participant +zk3:2888:3888 +zk3:2181\n$`, out)
	out, code = runs(t, env, "reconfig", "remove", "3")
	require.Zero(t, code)
	require.NotContains(t, out, "zk3")
	out, code = runs(t, env, "reconfig", "add", "server.4=zk4:2888:3888:observer;2181", "-o", "raw")
	require.Zero(t, code)
	require.Contains(t, out, "server.4=zk4:2888:3888:observer;0.0.0.0:2181\n")
	version := strings.TrimSpace(out[strings.Index(out, "version=")+len("version="):])
	exits(t, env, 1, "reconfig", "remove", "4", "--from", "1")
	_, code = runs(t, env, "reconfig", "remove", "4", "--from", version)
	require.Zero(t, code)

	for _, wrong := range [][]string{{"reconfig", "ad"}, {"reconfig", "add"}, {"reconfig", "add", "zk4:2181"}, {"reconfig", "remove", "zk4"}, {"reconfig", "remove", "2", "--from", "x"}} {
		exits(t, env, 64, wrong...)
	}
	c := start(t, environment(t, s.ConnectString()), "", "reconfig", "add", "server.5=zk5:2888:3888;2181")
	require.Equal(t, 1, c.code())
	require.Contains(t, c.err.String(), "super user")
	disabled := start(t, environment(t, server(t).ConnectString()), "", "reconfig", "remove", "2")
	require.Equal(t, 1, disabled.code())
	require.Contains(t, disabled.err.String(), "reconfigEnabled=true")
}

// Three servers with one tree, which they begin with.
func TestDevOfThree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixture.json")
	require.NoError(t, os.WriteFile(file, []byte(treeFixture), 0o600))
	dev := start(t, environment(t, ""), "", "dev", "--listen", "127.0.0.1:0", "--servers", "3", "--data", file)
	dev.says("\n")
	servers := strings.TrimSpace(dev.out.String())
	each := strings.Split(servers, ",")
	require.Len(t, each, 3)
	for i, one := range each {
		env := environment(t, one)
		prints(t, env, "two", "get", "/app/b")
		prints(t, env, fmt.Sprintf("/app/by%d\n", i), "create", fmt.Sprintf("/app/by%d", i))
	}
	prints(t, environment(t, servers), "a\nb\nby0\nby1\nby2\n", "ls", "/app")
	exits(t, environment(t, ""), 64, "dev", "--data", "/no/such/file")
	require.NoError(t, os.WriteFile(file, []byte(`{"app": 1}`), 0o600))
	exits(t, environment(t, ""), 1, "dev", "--listen", "", "--data", file)
}
