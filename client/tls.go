package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
)

// ErrTLS is returned by [Connect] when every server was asked and TLS failed with each
// for a reason that no further try mends: its certificate could not be verified, or it
// refused the client's, or both sides have no version of TLS in common. The error
// names the servers and reasons. It is final: the client is closed. As long as one
// server fails otherwise, or not, the client goes on trying; and a client that has had
// a session once does so in any case, since certificates are renewed under running
// programs: it logs a warning.
var ErrTLS = errors.New("no server can be reached by TLS")

// tlsFor is the configuration for a server: with its name, unless another one is set.
func (d *dialer) tlsFor(t target) *tls.Config {
	cfg := d.set.tls
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		cfg = cfg.Clone()
		cfg.ServerName = t.server.host
	}
	return cfg
}

// tlsError says why TLS with a server has failed.
func (d *dialer) tlsError(err error) error {
	alert, ok := alertOf(err)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("TLS: the server closed the connection; does it speak TLS at this port? %w", err)
	case !ok:
		return fmt.Errorf("TLS: %w", err)
	case slices.Contains(missingCertificate, alert) && d.presentsNone():
		return fmt.Errorf("TLS: refused by the server, which may demand a client certificate: none is set: %w", err)
	}
	return fmt.Errorf("TLS: refused by the server: %w", err)
}

func (d *dialer) presentsNone() bool {
	return len(d.set.tls.Certificates) == 0 && d.set.tls.GetClientCertificate == nil
}

// missingCertificate are the alerts by which servers refuse a client without a certificate. Java's
// differ in which: handshake failure, bad certificate, and certificate required with TLS 1.3.
var missingCertificate = []uint64{40, 42, 116}

// The alerts (RFC 8446, section 6) by which a server refuses what it was offered.
var refusals = []uint64{
	40,                 // handshake failure
	42, 43, 44, 45, 46, // bad, unsupported, revoked, expired, unknown certificate
	48, 49, // unknown authority, access denied
	70, 71, // version, security
	112, 116, // unrecognized name, certificate required
}

// alertOf returns the alert that a server sent, in the handshake or, with TLS 1.3, upon
// the first request. crypto/tls does not export its type.
func alertOf(err error) (uint64, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" || op.Err == nil {
		return 0, false
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return v.Uint(), true
}

// refusesTLS tells whether an error says that TLS with this server cannot work.
func refusesTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	alert, ok := alertOf(err)
	return ok && slices.Contains(refusals, alert)
}

// tlsVerdict is called when a server has been rejected. It returns the servers'
// reasons when a whole round of them has failed for good, once until a server is had
// again; final tells that none ever was.
func (d *dialer) tlsVerdict() (why error, final bool) {
	d.mu.Lock()
	whole := len(d.round) == 0 && d.refused > 0 && d.refused == d.size && !d.warned
	if whole {
		d.warned = true
	}
	met := d.met
	d.mu.Unlock()
	if !whole {
		return nil, false
	}
	return d.report(), !met
}
