package protocol

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// TestTLS: the client speaks TLS to a terminator in front of a real server, checks the
// certificate against the host name in the server list, and presents its own.
func TestTLS(t *testing.T) {
	t.Parallel()
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
		cl := trial.Connect(t, "localhost:"+port, client.WithTLS(&tls.Config{RootCAs: ca.pool, Certificates: own, MinVersion: tls.VersionTLS12}))
		held, err := lock.NewMutex(cl, "/tls").Lock(trial.Within(t, 20*time.Second))
		require.NoError(t, err)
		require.NoError(t, held.Unlock(t.Context()))
		require.NoError(t, cl.Close())
	})
	refused := map[string]struct {
		servers string
		opts    []client.Option
		says    string
		want    error
	}{
		"wrong host name":    {addr, []client.Option{client.WithTLS(&tls.Config{RootCAs: ca.pool, Certificates: own, MinVersion: tls.VersionTLS12})}, "127.0.0.1", client.ErrTLS},
		"unknown authority":  {"localhost:" + port, []client.Option{client.WithTLS(&tls.Config{Certificates: own, MinVersion: tls.VersionTLS12})}, "unknown authority", client.ErrTLS},
		"no TLS":             {"localhost:" + port, nil, "handshake", client.ErrNotConnected},
		"TLS to a plain one": {e.Connect(), []client.Option{client.WithTLS(&tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS12})}, "TLS", client.ErrNotConnected},
	}
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err := client.Connect(ctx, c.servers, c.opts...)
			require.ErrorIs(t, err, c.want)
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

// issue makes a certificate for a host or a client; more may change it.
func (a *authority) issue(t *testing.T, name string, more ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, change := range more {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// pem is the authority's certificate as servers want it.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// servers gives servers a port for TLS, a certificate for localhost, and trust in the
// authority's clients.
func (a *authority) servers(t *testing.T) ensemble.Option {
	t.Helper()
	own := a.issue(t, "localhost", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	require.NoError(t, err)
	return ensemble.WithTLS(append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]})...), a.pem())
}

// config is that of a client that trusts the authority and has a certificate of it.
func (a *authority) config(t *testing.T, name string) *tls.Config {
	t.Helper()
	return &tls.Config{RootCAs: a.pool, Certificates: []tls.Certificate{a.issue(t, name)}, ServerName: "localhost", MinVersion: tls.VersionTLS12}
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
