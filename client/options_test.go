package client_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// Whatever cannot work is refused before anybody is called, with an error that names
// the value and the rule.
func TestConnectRefusesBadInput(t *testing.T) {
	type opts = []client.Option
	for name, tc := range map[string]struct {
		servers string
		opts    opts
		says    []string
	}{
		"no servers":               {"", nil, []string{"server list", `""`}},
		"bad port":                 {"zk1:2181,zk2:0", nil, []string{`"zk2:0"`, "1 to 65535"}},
		"bad chroot":               {"zk1:2181/a//b", nil, []string{`"/a//b"`, "empty element"}},
		"session too short":        {"", opts{client.WithSessionTimeout(999 * time.Millisecond)}, []string{"WithSessionTimeout", "999ms", "between 1s and"}},
		"session zero":             {"", opts{client.WithSessionTimeout(0)}, []string{"WithSessionTimeout", "0s", "between 1s and"}},
		"session negative":         {"", opts{client.WithSessionTimeout(-time.Second)}, []string{"WithSessionTimeout", "-1s", "between"}},
		"session too long":         {"", opts{client.WithSessionTimeout(25 * 24 * time.Hour)}, []string{"WithSessionTimeout", "600h0m0s", "between"}},
		"session overflow":         {"", opts{client.WithSessionTimeout(math.MaxInt64)}, []string{"WithSessionTimeout", "between"}},
		"connect timeout":          {"", opts{client.WithConnectTimeout(-1)}, []string{"WithConnectTimeout", "-1ns", "negative"}},
		"dial timeout":             {"", opts{client.WithDialTimeout(0)}, []string{"WithDialTimeout", "0s", "not positive"}},
		"dial timeout negative":    {"", opts{client.WithDialTimeout(-time.Second)}, []string{"WithDialTimeout", "-1s", "not positive"}},
		"tick":                     {"", opts{client.WithTick(0)}, []string{"WithTick", "0s", "not positive"}},
		"tick negative":            {"", opts{client.WithTick(-time.Second)}, []string{"WithTick", "-1s", "not positive"}},
		"auth without scheme":      {"", opts{client.WithAuth("", "u:p")}, []string{"WithAuth", "scheme is empty"}},
		"digest without colon":     {"", opts{client.WithAuth("digest", "user")}, []string{"WithAuth", "user:password"}},
		"digest without password":  {"", opts{client.WithAuth("digest", "user:")}, []string{"WithAuth", "user:password"}},
		"digest without user":      {"", opts{client.WithAuth("digest", ":password")}, []string{"WithAuth", "user:password"}},
		"default ACL empty":        {"", opts{client.WithDefaultACL()}, []string{"WithDefaultACL", "empty ACL list"}},
		"default ACL no perms":     {"", opts{client.WithDefaultACL(client.WorldACL(0))}, []string{"WithDefaultACL", "0x0", "PermRead to PermAdmin"}},
		"default ACL bad perms":    {"", opts{client.WithDefaultACL(client.WorldACL(32))}, []string{"WithDefaultACL", "0x20", "PermRead to PermAdmin"}},
		"default ACL no scheme":    {"", opts{client.WithDefaultACL(client.ACL{Perms: 1})}, []string{"WithDefaultACL", "without a scheme"}},
		"default ACL plain digest": {"", opts{client.WithDefaultACL(client.ACL{Perms: 1, Scheme: "digest", ID: "u"})}, []string{"WithDefaultACL", "user:digest"}},
		"TLS nil":                  {"", opts{client.WithTLS(nil)}, []string{"WithTLS", "nil"}},
		"dialer nil":               {"", opts{client.WithDialer(nil)}, []string{"WithDialer", "nil"}},
		"logger nil":               {"", opts{client.WithLogger(nil)}, []string{"WithLogger", "nil"}},
		"max request":              {"", opts{client.WithMaxRequest(1023)}, []string{"WithMaxRequest", "1023 bytes", "1024"}},
		"max request negative":     {"", opts{client.WithMaxRequest(-1)}, []string{"WithMaxRequest", "-1 bytes", "1024"}},
		"max reply":                {"", opts{client.WithMaxReply(4095)}, []string{"WithMaxReply", "4095 bytes", "4096"}},
		"option nil":               {"", opts{client.WithCreateChroot(), nil}, []string{"option 2: it is nil"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := zktest.Start(t)
			servers := tc.servers
			if tc.opts != nil {
				servers = srv.Addr()
			}
			var d dials
			cl, err := client.Connect(t.Context(), servers, append([]client.Option{client.WithDialer(d.dial)}, tc.opts...)...)
			require.ErrorIs(t, err, client.ErrBadArgument)
			for _, s := range tc.says {
				require.ErrorContains(t, err, s)
			}
			require.Nil(t, cl)
			require.Zero(t, d.count(), "nobody was called")
		})
	}
}

func TestConnectOptionsDoNotLeakSecrets(t *testing.T) {
	_, err := client.Connect(t.Context(), "zk1", client.WithAuth("digest", "s3cret"))
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.NotContains(t, err.Error(), "s3cret")
}

func TestConnectOptionsAtTheirLimits(t *testing.T) {
	srv := zktest.Start(t, zktest.WithSessionTimeouts(time.Second, time.Duration(math.MaxInt32)*time.Millisecond))
	for _, timeout := range []time.Duration{time.Second, time.Duration(math.MaxInt32) * time.Millisecond} {
		cl := connect(t, srv, client.WithSessionTimeout(timeout), client.WithMaxRequest(1024), client.WithMaxReply(4096),
			client.WithDialTimeout(time.Nanosecond+time.Minute), client.WithConnectTimeout(0), client.WithTick(time.Nanosecond))
		require.Equal(t, timeout, session(t, cl).Timeout())
		require.NoError(t, cl.Close())
	}
}

// What the servers grant counts, not what was asked for.
func TestSessionTimeoutIsNegotiated(t *testing.T) {
	srv := zktest.Start(t, zktest.WithSessionTimeouts(3*time.Second, 4*time.Second))
	for asked, want := range map[time.Duration]time.Duration{
		time.Second:             3 * time.Second,
		3500 * time.Millisecond: 3500 * time.Millisecond,
		time.Minute:             4 * time.Second,
	} {
		s := session(t, connect(t, srv, client.WithSessionTimeout(asked)))
		require.Equal(t, want, s.Timeout())
		require.InDelta(t, want, time.Until(s.ValidUntil()), float64(time.Second))
	}
}

// An option takes a copy of what it is given.
func TestConnectOptionsAreCopies(t *testing.T) {
	srv := zktest.Start(t)
	acl := []client.ACL{client.WorldACL(client.PermRead | client.PermDelete)}
	cl := connect(t, srv, client.WithDefaultACL(acl...))
	acl[0].Perms = client.PermAll
	_, err := cl.Create(t.Context(), "/a", nil)
	require.NoError(t, err)
	got, _, err := cl.GetACL(t.Context(), "/a")
	require.NoError(t, err)
	require.Equal(t, []client.ACL{client.WorldACL(client.PermRead | client.PermDelete)}, got)
}

// The context that Connect is given bounds Connect alone.
func TestConnectContextDoesNotBoundClient(t *testing.T) {
	srv := zktest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cl, err := client.Connect(ctx, srv.Addr())
	require.NoError(t, err)
	cancel()
	_, ok, err := cl.Exists(t.Context(), "/")
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, cl.Close())
}
