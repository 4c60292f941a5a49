package ensemble

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTLSSettings(t *testing.T) {
	o, err := newOptions(3, []Option{WithTLS([]byte("key"), []byte("ca")), WithConfig("ssl.clientAuth", "none")})
	require.NoError(t, err)
	s := o.spec.inFolder("/files")
	require.Equal(t, map[string][]byte{"tls-identity.pem": []byte("key"), "tls-trusted.pem": []byte("ca")}, s.files)
	all := s.settings()
	require.Equal(t, "/files/tls-identity.pem", all["ssl.keyStore.location"])
	require.Equal(t, "/files/tls-trusted.pem", all["ssl.trustStore.location"])
	require.Equal(t, "none", all["ssl.clientAuth"], "what comes behind wins")
	require.Contains(t, o.spec.explicit, "ssl.clientAuth", "servers of somebody else cannot have it")

	lo, err := layLoopback(3)
	require.NoError(t, err)
	defer func() { _ = lo.close(t.Context()) }()
	used := map[int]bool{}
	for i := range 3 {
		p := lo.place(i)
		n := &jvmNode{id: i + 1, place: p, settings: all, tls: true}
		require.Contains(t, n.config(), "secureClientPortAddress=127.0.0.1\nsecureClientPort=")
		require.Equal(t, p.secureAddr(), n.secureAddr())
		for _, port := range []int{p.clientPort, p.securePort, p.quorumPort, p.electionPort} {
			require.False(t, used[port])
			used[port] = true
		}
		n.tls = false
		require.NotContains(t, n.config(), "secureClientPort")
		require.Empty(t, newServer(1, n, false).TLSAddr())
	}
	env, err := containerEnv(s, 0, &containerNetwork{subnet: netip.MustParsePrefix("172.30.0.0/16")})
	require.NoError(t, err)
	require.Contains(t, env["ZOO_CFG_EXTRA"], "secureClientPort=2281")
	require.Empty(t, newServer(1, outsider("a:1"), false).TLSAddr())
}
