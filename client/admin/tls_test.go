package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTLS(t *testing.T) {
	donor := httptest.NewTLSServer(nil) // its certificate is for 127.0.0.1 and example.com
	donor.Close()
	pool := x509.NewCertPool()
	pool.AddCert(donor.Certificate())
	config := &tls.Config{Certificates: donor.TLS.Certificates, MinVersion: tls.VersionTLS12}
	answer := sample(t, "3.8/srvr-leader.txt")
	addr := serve(t, tls.NewListener(listen(t), config), func(conn net.Conn, _ string) { _, _ = io.WriteString(conn, answer) })
	plain := serve(t, listen(t), func(conn net.Conn, _ string) { _, _ = io.WriteString(conn, answer) })
	cut := serve(t, tls.NewListener(listen(t), config), func(conn net.Conn, _ string) {
		_, _ = io.WriteString(conn, answer[:len(answer)/2])
		_ = conn.(*tls.Conn).NetConn().Close() // without TLS's own end, which Go does not insist on
	})
	trusting := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}

	t.Run("works", func(t *testing.T) {
		stats, err := newServer(t, addr, WithTLS(trusting)).Srvr(t.Context())
		require.NoError(t, err)
		require.Equal(t, Leader, stats.Mode)
		require.Empty(t, trusting.ServerName, "the caller's configuration is left alone")
	})
	there := WithDialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	})
	t.Run("by the name in the address", func(t *testing.T) {
		_, err := newServer(t, "example.com", WithTLS(trusting), there).Srvr(t.Context())
		require.NoError(t, err)
	})
	t.Run("by the name in the configuration", func(t *testing.T) {
		named := trusting.Clone()
		named.ServerName = "example.com"
		_, err := newServer(t, "zk1", WithTLS(named), there).Srvr(t.Context())
		require.NoError(t, err)
	})
	for name, c := range map[string]struct {
		addr string
		opts []Option
		says string
	}{
		"wrong name":         {"zk1:2281", []Option{WithTLS(trusting), there}, "not zk1"},
		"unknown authority":  {addr, []Option{WithTLS(&tls.Config{MinVersion: tls.VersionTLS12})}, "unknown authority"},
		"TLS to a plain one": {plain, []Option{WithTLS(trusting)}, "TLS: "},
		"cut off":            {cut, []Option{WithTLS(trusting)}, "malformed answer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newServer(t, c.addr, c.opts...).Srvr(t.Context())
			require.ErrorContains(t, err, c.says)
		})
	}
}
