package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/zktest"
)

// healthy is what it prints as JSON, as it is documented.
type healthy struct {
	Healthy         bool
	Problems, Notes []string
	Servers         []struct {
		Address, Role, Version, Zxid, Problem string
		OK, InStep                            bool
		Behind                                int64
		Sessions, Watches, Connections        *int64
	}
}

// healthOf runs the tool and reads its JSON.
func healthOf(t *testing.T, servers string, code int, args ...string) (h healthy) {
	t.Helper()
	out, got := runs(t, environment(t, servers), append([]string{"health", "-o", "json"}, args...)...)
	require.Equal(t, code, got)
	require.NoError(t, json.Unmarshal([]byte(out), &h), out)
	require.Equal(t, code == 0, h.Healthy)
	return h
}

func TestHealth(t *testing.T) {
	alone := server(t)
	h := healthOf(t, alone.ConnectString(), 0)
	require.Equal(t, "standalone", h.Servers[0].Role)
	require.NotNil(t, h.Servers[0].Watches)
	out, code := runs(t, environment(t, alone.ConnectString()), "health")
	require.Zero(t, code)
	require.Regexp(t, `^SERVER  +STATE +ROLE .*\n127\.0\.0\.1:\d+ +ok +standalone +3\.8\.0 .*\n$`, out)

	three := server(t, zktest.WithServers(3))
	h = healthOf(t, three.ConnectString(), 0)
	require.Len(t, h.Servers, 3)
	require.True(t, h.Servers[2].InStep)

	h = healthOf(t, three.ConnectString()+",127.0.0.1:1", 70)
	require.Len(t, h.Problems, 1)
	require.Contains(t, h.Problems[0], "127.0.0.1:1: not reached")
	h = healthOf(t, three.ConnectString()+","+alone.ConnectString(), 70)
	require.Contains(t, strings.Join(h.Problems, "\n"), "standalone")
	healthOf(t, "127.0.0.1:1", 69)
	healthOf(t, alone.ConnectString(), 70, "--max-latency", "1ns")
	exits(t, environment(t, alone.ConnectString()), 64, "health", "--timeout", "0s")
	exits(t, environment(t, alone.ConnectString()), 64, "health", "--admin-port", "70000")
}

// A server that lags behind is not in step, until it has caught up.
func TestHealthOfOneThatLags(t *testing.T) {
	s := server(t, zktest.WithServers(2))
	lags := s.Doors()[1]
	lags.Lag()
	for _, path := range []string{"/a", "/b", "/c"} {
		require.NoError(t, s.Create(path, nil))
	}
	h := healthOf(t, s.ConnectString(), 70, "--patience", "10ms")
	require.False(t, h.Servers[1].InStep)
	require.Equal(t, int64(3), h.Servers[1].Behind)
	require.Contains(t, h.Problems[0], "not in step")
	lags.CatchUp()
	h = healthOf(t, s.ConnectString(), 0)
	require.True(t, h.Servers[1].InStep)
}

func TestHealthOfReadOnly(t *testing.T) {
	s := server(t)
	s.SetReadOnly(true)
	h := healthOf(t, s.ConnectString(), 70)
	require.Contains(t, h.Problems[0], "read-only")
}

// What to do is said where servers do not answer the words.
func TestHealthWithoutWords(t *testing.T) {
	s := server(t)
	h := healthOf(t, shy(t, s.ConnectString(), "srvr"), 0)
	require.Nil(t, h.Servers[0].Watches)
	require.Contains(t, h.Notes[0], "4lw.commands.whitelist=srvr,mntr,wchs,cons")
	require.Contains(t, h.Notes[0], "--admin-port")
	h = healthOf(t, shy(t, s.ConnectString()), 70)
	require.Contains(t, h.Problems[0], "4lw.commands.whitelist=srvr,mntr,wchs,cons")
}

// The admin endpoint is asked at the same host, and the client port not at all.
func TestHealthByAdminEndpoint(t *testing.T) {
	answers := map[string]string{
		"/commands/server_stats": `{"version": "3.8.0-x, built on 2022", "read_only": false, "node_count": 5, "error": null, "server_stats":
			{"packets_sent": 1, "packets_received": 2, "last_processed_zxid": 7, "server_state": "standalone", "avg_latency": 0.5,
			"max_latency": 3, "min_latency": 0, "outstanding_requests": 4, "num_alive_client_connections": 6}}`,
		"/commands/monitor": `{"version": "3.8.0-x", "server_state": "standalone", "watch_count": 9, "global_sessions": 8, "command": "monitor", "error": null}`,
	}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, answers[r.URL.Path]) }))
	defer endpoint.Close()
	_, port, err := net.SplitHostPort(endpoint.Listener.Addr().String())
	require.NoError(t, err)
	h := healthOf(t, "127.0.0.1:1", 0, "--admin-port", port)
	require.Equal(t, "0x7", h.Servers[0].Zxid)
	require.Equal(t, int64(9), *h.Servers[0].Watches)
	require.Equal(t, int64(8), *h.Servers[0].Sessions)
	require.Equal(t, int64(6), *h.Servers[0].Connections)
	healthOf(t, "127.0.0.1:1", 70, "--admin-port", port, "--max-outstanding", "3")
}

// shy passes everything on to a server but four-letter words: of these it answers only some, as a server with a whitelist does.
func shy(t *testing.T, behind string, allowed ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { pass(c, behind, allowed) })
		}
	})
	return l.Addr().String()
}

func pass(c net.Conn, behind string, allowed []string) {
	defer func() { _ = c.Close() }()
	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return
	}
	word := string(head)
	isWord := strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == ""
	if isWord && !strings.Contains(strings.Join(allowed, " "), word) {
		_, _ = io.WriteString(c, word+" is not executed because it is not in the whitelist.\n")
		return
	}
	d := net.Dialer{Timeout: time.Minute}
	up, err := d.Dial("tcp", behind)
	if err != nil {
		return
	}
	defer func() { _ = up.Close() }()
	_, _ = up.Write(head)
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(up, c)
		_ = up.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(c, up)
	_ = c.Close()
	there.Wait()
}
