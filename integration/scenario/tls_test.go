package scenario

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/lock"
)

// TestTLS: the client speaks TLS to a terminator in front of a real server, checks the
// certificate against the host name in the server list, and presents its own.
func TestTLS(t *testing.T) {
	e := ensemble.Start(t, 1)
	ca := newAuthority(t)
	addr := terminate(t, e.Servers()[0].Addr(), &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, "localhost")},
		ClientCAs:    ca.pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	})
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	own := []tls.Certificate{ca.issue(t, "client")}

	t.Run("works", func(t *testing.T) {
		cl := connect(t, "localhost:"+port, client.WithTLS(&tls.Config{RootCAs: ca.pool, Certificates: own, MinVersion: tls.VersionTLS12}))
		held, err := lock.NewMutex(cl, "/tls").Lock(within(t, 20*time.Second))
		require.NoError(t, err)
		require.NoError(t, held.Unlock(t.Context()))
		require.NoError(t, cl.Close())
	})
	refused := map[string]struct {
		servers string
		opts    []client.Option
		says    string
	}{
		"wrong host name":    {addr, []client.Option{client.WithTLS(&tls.Config{RootCAs: ca.pool, Certificates: own, MinVersion: tls.VersionTLS12})}, "127.0.0.1"},
		"unknown authority":  {"localhost:" + port, []client.Option{client.WithTLS(&tls.Config{Certificates: own, MinVersion: tls.VersionTLS12})}, "unknown authority"},
		"no TLS":             {"localhost:" + port, nil, "handshake"},
		"TLS to a plain one": {e.Connect(), []client.Option{client.WithTLS(&tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS12})}, "TLS"},
	}
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := client.Connect(ctx, c.servers, c.opts...)
			require.ErrorIs(t, err, client.ErrNotConnected)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// authority issues certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{cert: cert, key: key, pool: pool}
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// terminate speaks TLS towards the client and passes on to upstream; it ends with the test.
func terminate(t *testing.T, upstream string, cfg *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	group.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { splice(ctx, in, upstream) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		group.Wait()
	})
	return l.Addr().String()
}

func splice(ctx context.Context, in net.Conn, upstream string) {
	defer func() { _ = in.Close() }()
	var d net.Dialer
	out, err := d.DialContext(ctx, "tcp", upstream)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = in.Close() })
	defer stop()
	var group sync.WaitGroup
	group.Go(func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	})
	_, _ = io.Copy(in, out)
	_ = in.Close()
	group.Wait()
}
