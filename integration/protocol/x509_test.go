package protocol

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// TestX509: on the servers' own port for TLS everything works as elsewhere, ACLs of
// scheme x509 hold, and both outlive the death of a server.
func TestX509(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	e := ensemble.Start(t, 3, ca.servers(t))
	ctx := trial.Within(t, 2*time.Minute)
	log := &book{}
	alice := trial.Connect(t, e.ConnectTLS(), client.WithTLS(ca.config(t, "alice")), client.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
	bob := trial.Connect(t, e.ConnectTLS(), client.WithTLS(ca.config(t, "bob")))
	nobody := trial.Connect(t, e.Connect()) // by the plain port

	_, err := alice.Create(ctx, "/alice", []byte("hers"), client.WithACL(client.ACL{Perms: client.PermAll, Scheme: "x509", ID: "CN=alice"}))
	require.NoError(t, err)
	t.Run("others", func(t *testing.T) {
		for name, cl := range map[string]*client.Client{"bob": bob, "nobody": nobody} {
			require.NoError(t, cl.Sync(ctx, "/alice"))
			_, _, err := cl.Get(ctx, "/alice")
			require.ErrorIs(t, err, client.ErrNoAuth, name)
			_, err = cl.Create(ctx, "/alice/x", nil)
			require.ErrorIs(t, err, client.ErrNoAuth, name)
		}
	})
	t.Run("whoever creates", func(t *testing.T) {
		_, err := bob.Create(ctx, "/bob", nil, client.WithACL(client.AuthACL(client.PermAll)))
		require.NoError(t, err)
		acls, _, err := bob.GetACL(ctx, "/bob")
		require.NoError(t, err)
		require.Equal(t, []client.ACL{{Perms: client.PermAll, Scheme: "x509", ID: "CN=bob"}}, acls)
	})
	t.Run("next server", func(t *testing.T) {
		held, err := lock.NewMutex(alice, "/locked").Lock(ctx)
		require.NoError(t, err)
		_, _, watch, err := alice.GetW(ctx, "/alice")
		require.NoError(t, err)
		old := trial.ServerOf(alice)
		for _, s := range e.Servers() {
			if s.TLSAddr() == old {
				require.NoError(t, s.Kill(ctx))
			}
		}
		require.Equal(t, client.EventConnectionLost, (<-watch.C).Type)
		_, _, watch, err = alice.GetW(ctx, "/alice")
		require.NoError(t, err)
		require.NotEqual(t, old, trial.ServerOf(alice))
		require.NoError(t, held.Err())
		_, err = alice.Set(ctx, "/alice", []byte("still hers"), 0)
		require.NoError(t, err)
		require.Equal(t, client.EventNodeDataChanged, (<-watch.C).Type)
		require.NoError(t, held.Unlock(ctx))
		require.EqualValues(t, 1, alice.State().Epoch)
	})
	require.NoError(t, alice.Close())
	require.NotContains(t, log.String(), "not usable by TLS")
}

// TestX509Refused: whatever is wrong with certificates ends Connect when all servers
// have been asked once, and the error says what it is.
func TestX509Refused(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	e := ensemble.Start(t, 3, ca.servers(t))
	for _, s := range e.Servers() { // they open that port last, and their first handshake takes long
		require.NoError(t, trial.Connect(t, s.TLSAddr(), client.WithTLS(ca.config(t, "client"))).Close())
	}
	past := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	presenting := func(c tls.Certificate) *tls.Config { // though the server does not ask for one of that authority
		cfg := ca.config(t, "client")
		cfg.Certificates = nil
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
		return cfg
	}
	distrusting, elsewhere, silent, old := ca.config(t, "client"), ca.config(t, "client"), ca.config(t, "client"), ca.config(t, "client")
	distrusting.RootCAs = other.pool
	elsewhere.ServerName = "zk1.example"
	silent.Certificates = nil
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for name, c := range map[string]struct {
		cfg  *tls.Config
		says string
	}{
		"servers of an unknown authority":  {distrusting, "unknown authority"},
		"servers of another name":          {elsewhere, "not zk1.example"},
		"no client certificate":            {silent, "may demand a client certificate: none is set"},
		"client of an unknown authority":   {presenting(other.issue(t, "client")), "refused by the server: remote error: tls: unknown certificate"},
		"client with expired certificate":  {presenting(ca.issue(t, "client", past)), "refused by the server: remote error: tls: "},
		"versions that the servers refuse": {old, "protocol version not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			var dials atomic.Int32
			_, err := client.Connect(trial.Within(t, 30*time.Second), e.ConnectTLS(), client.WithTLS(c.cfg), client.WithDialer(counting(&dials)))
			require.ErrorIs(t, err, client.ErrTLS)
			require.ErrorContains(t, err, c.says)
			for _, s := range e.Servers() {
				require.ErrorContains(t, err, s.TLSAddr()+": TLS: ")
			}
			require.EqualValues(t, 3, dials.Load(), "one connection to each")
		})
	}
	t.Run("the other port", func(t *testing.T) {
		for says, c := range map[string]struct {
			servers string
			opts    []client.Option
		}{
			"speaking only TLS at this port": {e.ConnectTLS(), nil},
			"does it speak TLS at this port": {e.Connect(), []client.Option{client.WithTLS(ca.config(t, "client"))}},
		} {
			_, err := client.Connect(trial.Within(t, 30*time.Second), c.servers, append(c.opts, client.WithConnectTimeout(2*time.Second))...)
			require.ErrorIs(t, err, client.ErrNotConnected)
			require.ErrorContains(t, err, says)
		}
	})
	// And who is right gets in, also by the name in the server list.
	_, port, err := net.SplitHostPort(e.Servers()[0].TLSAddr())
	require.NoError(t, err)
	named := ca.config(t, "client")
	named.ServerName = ""
	require.NoError(t, trial.Connect(t, "localhost:"+port, client.WithTLS(named)).Close())
}
