package admin

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadOptions(t *testing.T) {
	const form = "the form is http://host:8080"
	for name, c := range map[string]struct {
		opt  Option
		says string
	}{
		"no timeout":       {WithTimeout(0), "WithTimeout: 0s is not positive"},
		"negative timeout": {WithTimeout(-1), "WithTimeout"},
		"no TLS":           {WithTLS(nil), "WithTLS"},
		"no dialer":        {WithDialer(nil), "WithDialer"},
		"no URL":           {WithAdminURL(""), form},
		"no scheme":        {WithAdminURL("zk1:8080"), form},
		"another scheme":   {WithAdminURL("ftp://zk1:8080"), form},
		"no host":          {WithAdminURL("http://:8080"), form},
		"query":            {WithAdminURL("http://zk1:8080?a=b"), form},
		"bad port":         {WithAdminURL("http://u:hunter2@zk1:port"), form},
		"password":         {WithAdminURL("http://u:hunter2@zk1:8080"), "not supported"},
	} {
		_, err := NewServer("zk1", c.opt)
		require.ErrorIs(t, err, ErrBadArgument, name)
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), "hunter2")
		_, err = NewServers("zk1,zk2", c.opt)
		require.ErrorIs(t, err, ErrBadArgument, name)
	}
	_, err := NewServer("zk1", WithAdminURL("http://zk1:8080"), WithTLS(&tls.Config{MinVersion: tls.VersionTLS12}))
	require.ErrorIs(t, err, ErrBadArgument)
	require.ErrorContains(t, err, "https")
}

func TestAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		"zk1": "zk1:2181", "zk1:2281": "zk1:2281", "10.0.0.1": "10.0.0.1:2181", "::1": "[::1]:2181",
		"[::1]": "[::1]:2181", "[::1]:9": "[::1]:9", "[fe80::1%eth0]:9": "[fe80::1%eth0]:9",
	} {
		require.Equal(t, want, newServer(t, addr).Addr())
	}
	for _, addr := range []string{"", ":2181", "zk1:", "zk1:0", "zk1:65536", "zk1:http", "zk1,zk2", "zk1:2181/app", "a b", "zk1:1:2", "[::1", "x\n:1"} {
		_, err := NewServer(addr)
		require.ErrorIs(t, err, ErrBadArgument, addr)
	}

	servers, err := NewServers("zk1, zk2:2182,[::1]/app/x")
	require.NoError(t, err)
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, s.Addr())
	}
	require.Equal(t, []string{"zk1:2181", "zk2:2182", "[::1]:2181"}, addrs)
	for _, list := range []string{"", "/app", "zk1,,zk2", "zk1,zk2:x"} {
		_, err := NewServers(list)
		require.ErrorIs(t, err, ErrBadArgument, list)
	}
	_, err = NewServers("zk1,zk2", WithAdminURL("http://zk1:8080"))
	require.ErrorIs(t, err, ErrBadArgument)
	require.ErrorContains(t, err, "2 servers")
	servers, err = NewServers("zk1", WithAdminURL("http://zk1:8080"))
	require.NoError(t, err)
	require.Len(t, servers, 1)
}
