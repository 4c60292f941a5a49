package admin

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"time"
)

const (
	defaultTimeout = 5 * time.Second
	defaultMax     = 64 << 20
)

type settings struct {
	timeout time.Duration
	tls     *tls.Config
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	url     *url.URL
	max     int64
}

// Option is a setting of [NewServer].
type Option func(*settings) error

func newSettings(opts []Option) (settings, error) {
	s := settings{timeout: defaultTimeout, dial: (&net.Dialer{}).DialContext, max: defaultMax}
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return settings{}, err
		}
	}
	if s.tls != nil && s.url != nil && s.url.Scheme != "https" {
		return settings{}, badArgument("WithTLS", "the admin endpoint %v is asked without TLS: give an https URL", s.url)
	}
	return s, nil
}

// WithTimeout bounds each question, from the opening of the connection to the end of the
// answer. The default is 5 s. The context bounds it as well.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return badArgument("WithTimeout", "%v is not positive", d)
		}
		s.timeout = d
		return nil
	}
}

// WithTLS speaks TLS: with the client port, which then is the server's secureClientPort,
// or with an admin endpoint whose URL begins with https. If cfg names no server,
// certificates are checked against the host that is asked. cfg is cloned. Without it, a
// port that wants TLS keeps silent until the time is up.
func WithTLS(cfg *tls.Config) Option {
	return func(s *settings) error {
		if cfg == nil {
			return badArgument("WithTLS", "the configuration is nil")
		}
		s.tls = cfg.Clone()
		return nil
	}
}

// WithDialer replaces the opening of TCP connections. dial gets network "tcp" and
// host:port, and has to end with its context.
func WithDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(s *settings) error {
		if dial == nil {
			return badArgument("WithDialer", "the function is nil")
		}
		s.dial = dial
		return nil
	}
}

// WithAdminURL asks the server's admin endpoint (from 3.5 on) instead of its client port,
// for example "http://zk1:8080" or, with [WithTLS] or a certificate that the system trusts,
// "https://zk1:8443". A path in the URL goes before /commands. Proxies of the environment
// are not used, redirects not followed.
func WithAdminURL(rawURL string) Option {
	return func(s *settings) error {
		u, err := url.Parse(rawURL)
		switch {
		case err != nil:
			// The error would repeat the URL, and with it a password.
			return badArgument("WithAdminURL", "it is no URL; the form is http://host:8080")
		case u.User != nil:
			return badArgument("WithAdminURL", "user and password in the URL are not supported")
		case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.RawQuery != "", u.Fragment != "":
			return badArgument("WithAdminURL", "%s: the form is http://host:8080", quote(rawURL))
		}
		s.url = u
		return nil
	}
}
