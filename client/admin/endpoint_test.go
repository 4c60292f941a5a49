package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// endpoint is an admin endpoint that gives the answers of a real server.
func endpoint(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	for command, file := range map[string]string{
		"ruok": "ruok-leader", "server_stats": "server_stats-leader", "monitor": "monitor-leader", "connections": "connections-leader",
		"watch_summary": "watch_summary-leader", "configuration": "configuration-leader", "is_read_only": "is_read_only-leader",
	} {
		body := sample(t, "3.8/"+file+".json")
		mux.HandleFunc("GET /commands/"+command, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		})
	}
	mux.HandleFunc("GET /commands/{other}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"command":"`+r.PathValue("other")+`","error":"Unknown command: `+r.PathValue("other")+`"}`)
	})
	return mux
}

func serveHTTP(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// says is an endpoint with the same answer for everything.
func says(t *testing.T, status int, body string) *Server {
	t.Helper()
	return newServer(t, "zk1", WithAdminURL(serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))))
}

func TestEndpoint(t *testing.T) {
	url := serveHTTP(t, endpoint(t))
	s := newServer(t, "zk1", WithAdminURL(url))
	require.Equal(t, "zk1:2181 ("+url+")", s.String())
	ctx := t.Context()

	require.NoError(t, s.Ruok(ctx))
	stats, err := s.Srvr(ctx)
	require.NoError(t, err)
	require.Equal(t, Leader, stats.Mode)
	m, err := s.Mntr(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 2, m.Leading.SyncedFollowers)
	connections, err := s.Cons(ctx)
	require.NoError(t, err)
	require.Len(t, connections, 1)
	watches, err := s.Wchs(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, watches.Watches)
	settings, err := s.Conf(ctx)
	require.NoError(t, err)
	require.Equal(t, 500*ms, settings.TickTime)
	readOnly, err := s.Isro(ctx)
	require.NoError(t, err)
	require.False(t, readOnly)
	text, err := s.Command(ctx, "watch_summary")
	require.NoError(t, err)
	require.Equal(t, sample(t, "3.8/watch_summary-leader.json"), text)

	_, err = s.Command(ctx, "nonsense")
	require.ErrorContains(t, err, "nonsense of "+s.String())
	require.ErrorContains(t, err, "Unknown command: nonsense")
	for _, word := range []string{"", "../admin", "a/b", "a?b", "Srvr"} {
		_, err = s.Command(ctx, word)
		require.ErrorIs(t, err, ErrBadArgument, word)
	}
}

func TestEndpointBelowPath(t *testing.T) {
	url := serveHTTP(t, http.StripPrefix("/zk/1", endpoint(t)))
	for _, slash := range []string{"", "/"} {
		_, err := newServer(t, "zk1", WithAdminURL(url+"/zk/1"+slash)).Srvr(t.Context())
		require.NoError(t, err)
	}
}

func TestEndpointRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
		says   string
	}{
		"not serving":            {200, `{"command":"x","error":"This ZooKeeper instance is not currently serving requests"}`, ErrNotServing, ""},
		"not serving, by status": {503, `{"command":"x","error":"This ZooKeeper instance is not currently serving requests"}`, ErrNotServing, ""},
		"unauthorized":           {401, `{"command":"x","error":"User is not authorized"}`, ErrNotAllowed, "401"},
		"forbidden":              {403, `forbidden`, ErrNotAllowed, "403"},
		"not JSON":               {200, `<html>welcome</html>`, ErrMalformed, "<html>"},
		"cut short":              {200, `{"version":"3.8.0`, ErrMalformed, ""},
		"empty":                  {200, ``, ErrMalformed, ""},
		"not an endpoint":        {404, `<html>not found</html>`, nil, "not that of an admin endpoint"},
		"failing":                {500, `<html>NullPointerException</html>`, nil, "500 Internal Server Error"},
		"failing in JSON":        {500, `{"command":"x"}`, nil, "500 Internal Server Error"},
		"another error":          {200, `{"command":"x","error":"too busy"}`, nil, `"too busy"`},
		"moved":                  {301, `{"command":"x"}`, nil, "301"},
	} {
		t.Run(name, func(t *testing.T) {
			s := says(t, c.status, c.body)
			for command, err := range everything(t.Context(), s) {
				require.ErrorContains(t, err, command+" of "+s.String(), command)
				require.ErrorContains(t, err, c.says, command)
				if c.want != nil {
					require.ErrorIs(t, err, c.want, command)
				}
			}
		})
	}
}

// ZooKeeper 3.8 without a quorum answers monitor with a stack trace in HTML. What it means
// is asked of ruok.
func TestEndpointMonitorWithoutQuorum(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/commands/monitor", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>java.lang.NullPointerException</html>", http.StatusInternalServerError)
	})
	mux.HandleFunc("/commands/ruok", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"command":"ruok","error":"This ZooKeeper instance is not currently serving requests"}`)
	})
	_, err := newServer(t, "zk1", WithAdminURL(serveHTTP(t, mux))).Mntr(t.Context())
	require.ErrorIs(t, err, ErrNotServing)
	require.ErrorContains(t, err, "monitor of zk1")
}

// An answer without a length ends with the connection, or with the last chunk.
func TestEndpointTransfers(t *testing.T) {
	body := sample(t, "3.8/monitor-leader.json")
	for name, c := range map[string]struct {
		reply string
		says  string
	}{
		"to the end of the connection": {"HTTP/1.0 200 OK\r\n\r\n" + body, ""},
		"length":                       {"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n" + sample(t, "3.8/ruok-leader.json") + "beyond", ""},
		"cut short":                    {"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + body, "connection lost after"},
		"chunks cut short":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{    \r\n", "connection lost after"},
		"no HTTP":                      {"imok", "no HTTP answer"},
		"nothing":                      {"", "no HTTP answer"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := serve(t, listen(t), func(conn net.Conn, _ string) {
				request := make([]byte, 0, 1<<10)
				for !bytes.Contains(request, []byte("\r\n\r\n")) {
					n, err := conn.Read(request[len(request):cap(request)])
					if err != nil {
						return
					}
					request = request[:len(request)+n]
				}
				_, _ = io.WriteString(conn, c.reply)
			})
			err := newServer(t, "zk1", WithAdminURL("http://"+addr)).Ruok(t.Context())
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.says)
			}
		})
	}
}

func TestEndpointBounded(t *testing.T) {
	s := says(t, 200, `{"command":"ruok"}`+strings.Repeat(" ", 100))
	s.max = 118
	require.NoError(t, s.Ruok(t.Context()))
	s.max = 117
	require.ErrorIs(t, s.Ruok(t.Context()), ErrTooLong)
}

func TestEndpointCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hungUp := make(chan struct{})
	s := newServer(t, "zk1", WithAdminURL(serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		close(hungUp)
	}))))
	require.ErrorIs(t, s.Ruok(ctx), context.Canceled)
	<-hungUp
}

func TestEndpointTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(endpoint(t))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
	server.StartTLS()                                   // its certificate is for 127.0.0.1 and example.com
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	trusting := WithTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})

	require.NoError(t, newServer(t, "zk1", WithAdminURL(server.URL), trusting).Ruok(t.Context()))
	err := newServer(t, "zk1", WithAdminURL(server.URL)).Ruok(t.Context())
	require.ErrorContains(t, err, "unknown authority")

	// Without a port, http means 80 and https 443.
	for url, want := range map[string]string{"http://example.com": "example.com:80", "https://example.com/x": "example.com:443"} {
		var asked string
		s := newServer(t, "zk1", WithAdminURL(url), WithDialer(func(_ context.Context, _, address string) (net.Conn, error) {
			asked = address
			return nil, io.EOF
		}))
		require.ErrorIs(t, s.Ruok(t.Context()), io.EOF)
		require.Equal(t, want, asked)
	}
}
