package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// certificate makes a certificate for 127.0.0.1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "zookit test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// secure stands before a server and speaks TLS.
func secure(t *testing.T, srv *zktest.Server, cert tls.Certificate) string {
	return secureBy(t, srv, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
}

func secureBy(t *testing.T, srv *zktest.Server, cfg *tls.Config) string {
	return listener(t, func(conn net.Conn) {
		front := tls.Server(conn, cfg)
		back, err := net.Dial("tcp", srv.Addr())
		if err != nil {
			return
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = io.Copy(back, front)
			_ = back.Close()
		})
		_, _ = io.Copy(front, back)
		_ = conn.Close()
		wg.Wait()
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cert, pool := certificate(t)
	addr := secure(t, srv, cert)
	cl := connectTo(t, addr, client.WithTLS(&tls.Config{RootCAs: pool}))
	st := follow(t, cl)
	_, _, err := cl.Get(t.Context(), "/n")
	require.NoError(t, err)
	cut(t, srv, st)
	_, err = cl.Set(t.Context(), "/n", large(1<<19), 0)
	require.NoError(t, err)
	data, _, err := cl.Get(t.Context(), "/n")
	require.NoError(t, err)
	require.Len(t, data, 1<<19)
	require.NoError(t, cl.Close())
	require.Empty(t, srv.Sessions())
}

func TestTLSErrors(t *testing.T) {
	t.Parallel()
	srv := newTree(t)
	cert, pool := certificate(t)
	_, stranger := certificate(t)
	addr := secure(t, srv, cert)
	plain := srv.Addr()
	for name, tc := range map[string]struct {
		addr string
		opts []client.Option
		says string
		want error
	}{
		"nobody trusts it":  {addr, []client.Option{client.WithTLS(&tls.Config{RootCAs: stranger})}, "TLS: tls: failed to verify certificate", client.ErrTLS},
		"another name":      {addr, []client.Option{client.WithTLS(&tls.Config{RootCAs: pool, ServerName: "zk1.example"})}, "zk1.example", client.ErrTLS},
		"server speaks not": {plain, []client.Option{client.WithTLS(&tls.Config{RootCAs: pool})}, "TLS: ", client.ErrNotConnected},
		"client speaks not": {addr, nil, "handshake: ", client.ErrNotConnected},
		"silent":            {listener(t, mute), []client.Option{client.WithTLS(&tls.Config{RootCAs: pool}), client.WithDialTimeout(100 * time.Millisecond)}, "no connection within 100ms", client.ErrNotConnected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// As soon as the first attempt has failed there is nothing to wait for.
			log := newLog()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var wg sync.WaitGroup
			defer wg.Wait()
			defer log.close()
			wg.Go(func() {
				for r := range log.records {
					if r["server"] == tc.addr && errors.Is(tc.want, client.ErrNotConnected) {
						cancel()
					}
				}
			})
			_, err := client.Connect(ctx, tc.addr, append(tc.opts, client.WithLogger(log.Logger))...)
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.addr+": ")
			require.ErrorContains(t, err, tc.says)
		})
	}
}
