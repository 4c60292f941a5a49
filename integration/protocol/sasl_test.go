package protocol

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

// users are the options of servers that know these users.
func users(more ...ensemble.Option) []ensemble.Option {
	const jaas = `Server {
  org.apache.zookeeper.server.auth.DigestLoginModule required
  user_alice="alice-s3cret"
  user_bob="bob-s3cret"
  user_jürgen="pässwörd-s3cret"
  user_ivan="пароль-s3cret";
};
`
	return append([]ensemble.Option{
		ensemble.WithFile("jaas.conf", []byte(jaas)),
		ensemble.WithJVMFlags("-Djava.security.auth.login.config=" + ensemble.FilesDir + "/jaas.conf"),
		ensemble.WithConfig("authProvider.1", "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"),
	}, more...)
}

// TestSASL: ACLs of scheme sasl hold, for every client that logs in and on every
// connection that it makes.
func TestSASL(t *testing.T) {
	t.Parallel()
	// The setting that many guides name beside the provider does nothing: who does not
	// log in is served.
	e := ensemble.Start(t, 3, users(ensemble.WithConfig("requireClientAuthScheme", "sasl"))...)
	ctx := trial.Within(t, 2*time.Minute)
	log := &book{}
	alice := trial.Connect(t, e.Connect(), client.WithSASLDigest("alice", "alice-s3cret"), client.WithLogger(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	bob := trial.Connect(t, e.Connect(), client.WithSASLDigest("bob", "bob-s3cret"), client.WithAuth("digest", "bob:other"))
	nobody := trial.Connect(t, e.Connect())

	_, err := alice.Create(ctx, "/alice", []byte("hers"), client.WithACL(client.SASLACL(client.PermAll, "alice"), client.SASLACL(client.PermRead, "jürgen")))
	require.NoError(t, err)
	t.Run("others", func(t *testing.T) {
		for name, cl := range map[string]*client.Client{"bob": bob, "nobody": nobody} {
			require.NoError(t, cl.Sync(ctx, "/alice"))
			_, _, err := cl.Get(ctx, "/alice")
			require.ErrorIs(t, err, client.ErrNoAuth, name)
			_, err = cl.Set(ctx, "/alice", nil, client.AnyVersion)
			require.ErrorIs(t, err, client.ErrNoAuth, name)
		}
	})
	t.Run("beyond ASCII", func(t *testing.T) {
		jürgen := trial.Connect(t, e.Connect(), client.WithSASLDigest("jürgen", "pässwörd-s3cret"))
		require.NoError(t, jürgen.Sync(ctx, "/alice"))
		data, _, err := jürgen.Get(ctx, "/alice")
		require.NoError(t, err)
		require.Equal(t, "hers", string(data))
		require.NoError(t, trial.Connect(t, e.Connect(), client.WithSASLDigest("ivan", "пароль-s3cret")).Close())
	})
	t.Run("whoever creates", func(t *testing.T) {
		_, err := bob.Create(ctx, "/bob", nil, client.WithACL(client.AuthACL(client.PermAll)))
		require.NoError(t, err)
		acls, _, err := bob.GetACL(ctx, "/bob")
		require.NoError(t, err)
		require.ElementsMatch(t, []client.ACL{
			client.SASLACL(client.PermAll, "bob"), client.DigestACL(client.PermAll, "bob", "other"),
		}, acls)
	})
	t.Run("lock", func(t *testing.T) {
		cl := trial.Connect(t, e.Connect(), client.WithSASLDigest("alice", "alice-s3cret"), client.WithDefaultACL(client.SASLACL(client.PermAll, "alice")))
		held, err := lock.NewMutex(cl, "/locked").Lock(ctx)
		require.NoError(t, err)
		require.NoError(t, bob.Sync(ctx, "/locked"))
		_, err = lock.NewMutex(bob, "/locked").TryLock(ctx)
		require.ErrorIs(t, err, client.ErrNoAuth)
		require.NoError(t, held.Unlock(ctx))
	})
	t.Run("next server", func(t *testing.T) { saslFailOver(t, e, alice) })
	require.NotContains(t, log.String(), "s3cret")
	require.Contains(t, log.String(), "session")
}

// saslFailOver kills the server under a client that reads what only it may read:
// reads wait for the next server, and are never refused by it.
func saslFailOver(t *testing.T, e *ensemble.Ensemble, alice *client.Client) {
	t.Helper()
	ctx := trial.Within(t, time.Minute)
	before, err := alice.Session(ctx)
	require.NoError(t, err)
	old := trial.ServerOf(alice)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for again := true; again; {
				again = trial.ServerOf(alice) == old || trial.ServerOf(alice) == "" // and once more on the next
				if _, _, err := alice.Get(ctx, "/alice"); err != nil {
					t.Errorf("read: %v", err)
					return
				}
			}
		})
	}
	for _, s := range e.Servers() {
		if s.Addr() == old {
			require.NoError(t, s.Kill(ctx))
		}
	}
	readers.Wait()
	require.NotEqual(t, old, trial.ServerOf(alice))
	after, err := alice.Session(ctx)
	require.NoError(t, err)
	require.Same(t, before, after)
}

// TestSASLRefused: whatever is wrong with a login is told at once and by name, and
// the servers are not asked again.
func TestSASLRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		servers []ensemble.Option
		refused map[[2]string]string // user and password, what the error says
	}{
		"servers with users": {users(), map[[2]string]string{
			{"alice", "wrong-s3cret"}:  "unknown user or wrong password (code -115)",
			{"nobody", "wrong-s3cret"}: "unknown user or wrong password (code -115)",
			{"алиса", "wrong-s3cret"}:  "unknown user or wrong password (code -115)",
		}},
		"servers that demand a login": {users(ensemble.WithConfig("sessionRequireClientSASLAuth", "true")), map[[2]string]string{
			{"alice", "wrong-s3cret"}: "unknown user or wrong password (code -124)",
		}},
		"servers that let failed logins in": {users(ensemble.WithConfig("allowSaslFailedClients", "true")), map[[2]string]string{
			{"alice", "wrong-s3cret"}: "lets such clients in as nobody",
		}},
		"servers without users": {nil, map[[2]string]string{
			{"alice", "alice-s3cret"}: "no users configured",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := ensemble.Start(t, 1, c.servers...)
			for who, says := range c.refused {
				var dials atomic.Int32
				ctx := trial.Within(t, 30*time.Second)
				_, err := client.Connect(ctx, e.Connect(), client.WithSASLDigest(who[0], who[1]), client.WithDialer(counting(&dials)))
				require.ErrorIs(t, err, client.ErrAuthFailed)
				require.ErrorContains(t, err, says)
				require.ErrorContains(t, err, who[0])
				require.NotContains(t, err.Error(), "s3cret")
				require.EqualValues(t, 1, dials.Load(), "connections made")
			}
			if c.servers != nil { // and who is right gets in
				cl := trial.Connect(t, e.Connect(), client.WithSASLDigest("alice", "alice-s3cret"))
				_, err := cl.Create(t.Context(), "/a", nil, client.WithACL(client.SASLACL(client.PermAll, "alice")))
				require.NoError(t, err)
				require.NoError(t, cl.Close())
			}
		})
	}
}

// TestSASLRefusedInMidLife: a login that was good is refused at a reconnect, as after a
// change of the password: the client ends, by name and without asking again.
func TestSASLRefusedInMidLife(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1, users()...)
	changed := ensemble.Start(t, 1, users(ensemble.WithFile("jaas.conf", []byte(`Server {
  org.apache.zookeeper.server.auth.DigestLoginModule required
  user_alice="another-s3cret";
};
`)))...)
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	cl := trial.Connect(t, p.Addr(), client.WithSASLDigest("alice", "alice-s3cret"))
	s, err := cl.Session(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.SetUpstream(changed.Servers()[0].Addr()))
	p.Reset()
	ctx := trial.Within(t, 30*time.Second)
	select {
	case <-s.Context().Done():
	case <-ctx.Done():
	}
	for change := range cl.States(ctx) { // until it is closed
		if change.State == client.Closed {
			require.ErrorIs(t, change.Err, client.ErrAuthFailed)
			require.ErrorContains(t, change.Err, "unknown user or wrong password")
			require.NotContains(t, change.Err.Error(), "s3cret")
		}
	}
	require.Equal(t, client.Closed, cl.State().State)
	_, err = cl.Create(ctx, "/x", nil)
	require.ErrorIs(t, err, client.ErrAuthFailed)
	require.Equal(t, client.NotSent, client.Outcome(err))
	require.LessOrEqual(t, p.Accepted(), 3, "the old session and one new one were tried, each once")
}

// TestLoginDemanded: who does not log in where servers demand it learns so from the
// first request, or else from the first ping; the client ends.
func TestLoginDemanded(t *testing.T) {
	t.Parallel()
	e := ensemble.Start(t, 1, users(ensemble.WithConfig("sessionRequireClientSASLAuth", "true"))...)
	for name, opts := range map[string][]client.Option{
		"nobody":        nil,
		"by other ways": {client.WithAuth("digest", "alice:alice-s3cret")},
	} {
		t.Run(name, func(t *testing.T) {
			var dials atomic.Int32
			cl := trial.Connect(t, e.Connect(), append(opts, client.WithDialer(counting(&dials)))...)
			_, err := cl.Create(trial.Within(t, 30*time.Second), "/x", nil)
			require.ErrorIs(t, err, client.ErrAuthFailed)
			require.Equal(t, client.Definite, client.Outcome(err))
			demanded(t, cl)
			require.EqualValues(t, 1, dials.Load(), "connections made")
		})
	}
	t.Run("idle", func(t *testing.T) {
		demanded(t, trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Second)))
	})
	t.Run("in a chroot", func(t *testing.T) {
		_, err := client.Connect(trial.Within(t, 30*time.Second), e.Connect()+"/app")
		require.ErrorIs(t, err, client.ErrAuthFailed)
	})
}

// demanded waits for a client's end.
func demanded(t *testing.T, cl *client.Client) {
	t.Helper()
	ctx := trial.Within(t, 30*time.Second)
	var err error
	for err == nil { // until the session is over
		var s *client.Session
		if s, err = cl.Session(ctx); err == nil {
			<-s.Context().Done()
		}
	}
	require.ErrorIs(t, err, client.ErrAuthFailed)
	require.ErrorContains(t, err, "serves only clients that log in")
}

// TestSASLOption: what cannot be a login is refused before anybody is called.
func TestSASLOption(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ user, password, says string }{
		"no user":        {"", "s3cret", "user name: it is empty"},
		"no password":    {"alice", "", "password: it is empty"},
		"not UTF-8":      {"alice", "s3cret\xff", "password: it is not UTF-8"},
		"end of line":    {"alice", "s3cret\n", "password: it has a control character at byte 6"},
		"longer than 1K": {"alice", strings.Repeat("s3cret", 200), "password: it has 1200 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var dials atomic.Int32
			_, err := client.Connect(t.Context(), "127.0.0.1:1", client.WithSASLDigest(c.user, c.password), client.WithDialer(counting(&dials)))
			require.ErrorIs(t, err, client.ErrBadArgument)
			require.ErrorContains(t, err, "WithSASLDigest: "+c.says)
			require.NotContains(t, err.Error(), "s3cret")
			require.Zero(t, dials.Load())
		})
	}
}

// counting is a dialer that counts.
func counting(dials *atomic.Int32) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}

// book keeps what is written to it.
type book struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns it.
func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
