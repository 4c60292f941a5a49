package ensemble

import (
	"maps"
	"slices"
	"strings"
)

const (
	identityFile = "tls-identity.pem"
	trustedFile  = "tls-trusted.pem"
)

// WithTLS gives every server a second client port that speaks TLS, at
// [Server.TLSAddr]. identity is the servers' key (PKCS #8) and behind it their
// certificate, trusted the authorities whose clients they accept, all in PEM. A client
// has to present a certificate, and is then the ACL identity x509 of its subject,
// such as "CN=client"; WithConfig("ssl.clientAuth", "none") behind it does without.
// Servers open this port last: for a moment after Start it may be closed as yet.
func WithTLS(identity, trusted []byte) Option {
	return func(o *options) {
		o.spec.tls = true
		WithFile(identityFile, identity)(o)
		WithFile(trustedFile, trusted)(o)
		lines := map[string]string{
			"serverCnxnFactory":       "org.apache.zookeeper.server.NettyServerCnxnFactory",
			"ssl.keyStore.location":   FilesDir + "/" + identityFile,
			"ssl.keyStore.type":       "PEM",
			"ssl.trustStore.location": FilesDir + "/" + trustedFile,
			"ssl.trustStore.type":     "PEM",
			"ssl.clientAuth":          "need",
			"authProvider.x509":       "org.apache.zookeeper.server.auth.X509AuthenticationProvider",
		}
		for _, key := range slices.Sorted(maps.Keys(lines)) {
			WithConfig(key, lines[key])(o)
		}
	}
}

// secured is a node with a port for TLS.
type secured interface {
	// secureAddr is where that is, or "" without WithTLS.
	secureAddr() string
}

// TLSAddr is where clients reach the server by TLS, as host:port; "" without [WithTLS].
func (s *Server) TLSAddr() string {
	if n, ok := s.node.(secured); ok {
		return n.secureAddr()
	}
	return ""
}

// ConnectTLS is the servers' ports for TLS as a list, host:port,host:port; "" without [WithTLS].
func (e *Ensemble) ConnectTLS() string {
	var addrs []string
	for _, s := range e.servers {
		if addr := s.TLSAddr(); addr != "" {
			addrs = append(addrs, addr)
		}
	}
	return strings.Join(addrs, ",")
}
