package client

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseServers(t *testing.T) {
	for _, tc := range []struct {
		list string
		want string // the servers, joined by spaces
		root chroot
	}{
		{"zk1", "zk1:2181", ""},
		{"zk1:2182", "zk1:2182", ""},
		{"zk1:2181,zk2:2182,zk3", "zk1:2181 zk2:2182 zk3:2181", ""},
		{" zk1:1 , zk2:2 ", "zk1:1 zk2:2", ""},
		{"zk1:1,zk1:1,zk1:2", "zk1:1 zk1:2", ""},
		{"zk1:65535", "zk1:65535", ""},
		{"10.0.0.1", "10.0.0.1:2181", ""},
		{"10.0.0.1:1,10.0.0.2:1", "10.0.0.1:1 10.0.0.2:1", ""},
		{"::1", "[::1]:2181", ""},
		{"[::1]", "[::1]:2181", ""},
		{"[::1]:2182", "[::1]:2182", ""},
		{"2001:db8::1,[2001:db8::2]:3", "[2001:db8::1]:2181 [2001:db8::2]:3", ""},
		{"[fe80::1%eth0]:2181", "[fe80::1%eth0]:2181", ""},
		{"zk1/app", "zk1:2181", "/app"},
		{"zk1:1,zk2:2/a/b", "zk1:1 zk2:2", "/a/b"},
		{"[::1]:2181/app", "[::1]:2181", "/app"},
		{"zk1:1/", "zk1:1", ""},
		{"zk1:1/köln", "zk1:1", "/köln"},
	} {
		t.Run(tc.list, func(t *testing.T) {
			servers, root, err := parseServers(tc.list)
			require.NoError(t, err)
			require.Equal(t, tc.want, join(servers))
			require.Equal(t, tc.root, root)
		})
	}
}

func join(servers []server) string {
	var names []string
	for _, s := range servers {
		names = append(names, s.String())
	}
	return strings.Join(names, " ")
}

func TestParseServersRefuses(t *testing.T) {
	for _, tc := range []struct{ list, names, rule string }{
		{"", `""`, "names no server"},
		{"  ", `"  "`, "names no server"},
		{"/app", `"/app"`, "names no server"},
		{",", `","`, "it is empty"},
		{"zk1,,zk2", `entry ""`, "it is empty"},
		{"zk1,", `entry ""`, "it is empty"},
		{"zk1:", `entry "zk1:"`, "1 to 65535"},
		{":2181", `entry ":2181"`, "not a name or an address"},
		{"zk1:0", `entry "zk1:0"`, "1 to 65535"},
		{"zk1:65536", `entry "zk1:65536"`, "1 to 65535"},
		{"zk1:-1", `entry "zk1:-1"`, "1 to 65535"},
		{"zk1:+1", `entry "zk1:+1"`, "1 to 65535"},
		{"zk1:http", `entry "zk1:http"`, "1 to 65535"},
		{"zk1:1:2", `entry "zk1:1:2"`, "IPv6 addresses stand in brackets"},
		{"[::1", `entry "[::1"`, "IPv6 addresses stand in brackets"},
		{"[zz::1]:1", `entry "[zz::1]:1"`, "not an IPv6 address"},
		{"[]", `entry "[]"`, "not a name or an address"},
		{"[]:1", `entry "[]:1"`, "not a name or an address"},
		{"zk 1:2181", `entry "zk 1:2181"`, "not a name or an address"},
		{"zk1;zk2:1", `entry "zk1;zk2:1"`, "not a name or an address"},
		{"user@zk1:1", `entry "user@zk1:1"`, "not a name or an address"},
		{"zk1\x00:1", `entry "zk1\x00:1"`, "not a name or an address"},
		{"zk://zk1:2181", `"zk://zk1:2181"`, "chroot"},
		{"zk1:1/a,zk2:1/a", `"/a,zk2:1/a"`, "comes once, behind the last server"},
		{"zk1:1/a/", `"/a/"`, "must not end with /"},
		{"zk1:1/a//b", `"/a//b"`, "empty element"},
		{"zk1:1/../b", `"/../b"`, "relative elements"},
		{"zk1:1/a\x01", `"/a\x01"`, "not allowed"},
	} {
		t.Run(tc.list, func(t *testing.T) {
			servers, root, err := parseServers(tc.list)
			require.ErrorIs(t, err, ErrBadArgument)
			require.ErrorContains(t, err, tc.names, "the value")
			require.ErrorContains(t, err, tc.rule)
			require.Empty(t, servers)
			require.Empty(t, root)
		})
	}
}

func TestParseServersLongList(t *testing.T) {
	_, _, err := parseServers(strings.Repeat("x", 1<<20) + ":")
	require.ErrorIs(t, err, ErrBadArgument)
	require.Less(t, len(err.Error()), 1000, "an error is not longer than what one can read")
}

func FuzzParseServers(f *testing.F) {
	for _, s := range []string{"a", "a:1,b:2/c", "[::1]:1", "::1", "a:1/", "a,,b", "[fe80::1%lo]:1/x", "/", "a:99999", "[", "]:1", "%:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		servers, root, err := parseServers(list)
		if err != nil {
			require.ErrorIs(t, err, ErrBadArgument)
			require.Empty(t, servers)
			return
		}
		require.NotEmpty(t, servers)
		for _, s := range servers {
			host, port, err := net.SplitHostPort(s.String())
			require.NoError(t, err, "what a dialer is given can be taken apart")
			require.Equal(t, server{host: host, port: port}, s)
		}
		if root != "" {
			require.NoError(t, checkPath(string(root), false))
			require.NotEqual(t, chroot("/"), root)
		}
		again, sameRoot, err := parseServers(strings.ReplaceAll(join(servers), " ", ",") + string(root))
		require.NoError(t, err, "what was understood is understood again")
		require.Equal(t, servers, again)
		require.Equal(t, root, sameRoot)
	})
}
