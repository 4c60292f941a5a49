package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/zookit/zookit/internal/sasl"
	"github.com/zookit/zookit/internal/wire"
)

const (
	defaultSessionTimeout = 10 * time.Second
	defaultConnectTimeout = 15 * time.Second
	minSessionTimeout     = time.Second
	maxSessionTimeout     = math.MaxInt32 * time.Millisecond // the protocol's field
	// defaultMaxRequest is jute.maxbuffer's default less room for what the leader adds to a transaction.
	defaultMaxRequest = 0xfffff - 64
	defaultMaxReply   = 64 << 20
)

type settings struct {
	sessionTimeout time.Duration
	connectTimeout time.Duration
	dialTimeout    time.Duration
	tick           time.Duration
	unconfirmed    bool
	maxRequest     int
	maxReply       int
	sasl           *sasl.Login
	credentials    []wire.Credential
	acl            []ACL
	tls            *tls.Config
	dial           func(ctx context.Context, network, address string) (net.Conn, error)
	log            *slog.Logger
	makeChroot     bool
}

// Option is a setting of [Connect].
type Option func(*settings) error

func defaults() settings {
	return settings{
		sessionTimeout: defaultSessionTimeout,
		connectTimeout: defaultConnectTimeout,
		maxRequest:     defaultMaxRequest,
		maxReply:       defaultMaxReply,
		acl:            []ACL{WorldACL(PermAll)},
		dial:           (&net.Dialer{}).DialContext,
		log:            slog.New(slog.DiscardHandler),
	}
}

func badOption(option, format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format, append([]any{ErrBadArgument, option}, args...)...)
}

// WithSessionTimeout asks for a session that the servers keep for d after they
// last heard of the client. The default is 10 s; between 1 s and about 24 days.
// The servers have limits of their own (by default 2 and 20 ticks) and may grant
// less or more: [Session.Timeout] tells.
func WithSessionTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < minSessionTimeout || d > maxSessionTimeout {
			return badOption("WithSessionTimeout", "%v is not between %v and %v", d, minSessionTimeout, maxSessionTimeout)
		}
		s.sessionTimeout = d
		return nil
	}
}

// WithConnectTimeout bounds how long [Connect] waits for the first session, beside
// its context. The default is 15 s; 0 leaves it to the context.
func WithConnectTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d < 0 {
			return badOption("WithConnectTimeout", "%v is negative", d)
		}
		s.connectTimeout = d
		return nil
	}
}

// WithDialTimeout bounds the opening of one connection, TLS included. By default
// it follows from the session timeout and the number of servers, so that several can
// be tried before a session is over.
func WithDialTimeout(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return badOption("WithDialTimeout", "%v is not positive", d)
		}
		s.dialTimeout = d
		return nil
	}
}

// WithTick tells the servers' tickTime. It makes the bound by which grants live
// longer: without it half a tick is taken to be a quarter of the session timeout,
// which holds for servers whose minimum session timeout is two ticks (the default) or more.
func WithTick(d time.Duration) Option {
	return func(s *settings) error {
		if d <= 0 {
			return badOption("WithTick", "%v is not positive", d)
		}
		s.tick = d
		return nil
	}
}

// WithoutConfirmation switches off the quorum writes by which a session that holds
// grants confirms itself, one every fifth of its timeout. Grants then live by what
// the connected server answers. A server that is cut off from its quorum goes on
// answering for up to syncLimit × tickTime while the quorum gives the grant to
// somebody else: what is no longer promised is that nobody else holds.
func WithoutConfirmation() Option {
	return func(s *settings) error {
		s.unconfirmed = true
		return nil
	}
}

// WithAuth presents a credential to every server, before anything else is sent.
// Several are presented in the order given. For scheme "digest" the credential is
// "user:password". A refused credential closes the client with [ErrAuthFailed]; a
// wrong digest password is not refused by ZooKeeper, it just matches no ACL.
func WithAuth(scheme, credential string) Option {
	return func(s *settings) error {
		user, password, ok := strings.Cut(credential, ":")
		switch {
		case scheme == "":
			return badOption("WithAuth", "the scheme is empty")
		case scheme == "digest" && (!ok || user == "" || password == ""):
			return badOption("WithAuth", "a credential of scheme digest has the form user:password")
		}
		s.credentials = append(s.credentials, wire.Credential{Scheme: scheme, Auth: []byte(credential)})
		return nil
	}
}

// WithDefaultACL sets the ACL of nodes that are created without [WithACL]. The default is WorldACL(PermAll).
func WithDefaultACL(acls ...ACL) Option {
	return func(s *settings) error {
		if _, err := aclRecords(acls); err != nil {
			return fmt.Errorf("WithDefaultACL: %w", err)
		}
		s.acl = slices.Clone(acls)
		return nil
	}
}

// WithTLS connects through TLS. If cfg names no server, certificates are checked
// against the host name in the server list. cfg is cloned.
func WithTLS(cfg *tls.Config) Option {
	return func(s *settings) error {
		if cfg == nil {
			return badOption("WithTLS", "the configuration is nil")
		}
		s.tls = cfg.Clone()
		return nil
	}
}

// WithDialer replaces the opening of TCP connections. dial gets network "tcp" and
// the resolved address of a server, and has to end with its context.
func WithDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(s *settings) error {
		if dial == nil {
			return badOption("WithDialer", "the function is nil")
		}
		s.dial = dial
		return nil
	}
}

// WithLogger sets where the client logs. The default is nowhere. Keys are session,
// epoch, state, server, path, op, attempt and err; never data or credentials.
func WithLogger(log *slog.Logger) Option {
	return func(s *settings) error {
		if log == nil {
			return badOption("WithLogger", "the logger is nil")
		}
		s.log = log
		return nil
	}
}

// WithMaxRequest sets the largest request in bytes. The default fits ZooKeeper's
// default jute.maxbuffer of just under 1 MiB; raise it only together with the
// servers'. Larger requests fail with [ErrTooLarge] before anything is sent.
func WithMaxRequest(bytes int) Option {
	return func(s *settings) error {
		if bytes < 1024 {
			return badOption("WithMaxRequest", "%d bytes are less than 1024", bytes)
		}
		s.maxRequest = bytes
		return nil
	}
}

// WithMaxReply sets the largest reply in bytes. The default is 64 MiB. A larger
// one fails its call with [ErrReplyTooLarge] and harms no other.
func WithMaxReply(bytes int) Option {
	return func(s *settings) error {
		if bytes < 4096 {
			return badOption("WithMaxReply", "%d bytes are less than 4096", bytes)
		}
		s.maxReply = bytes
		return nil
	}
}

// WithCreateChroot creates the chroot of the server list if it does not exist.
// Without it [Connect] then fails with [ErrNoNode].
func WithCreateChroot() Option {
	return func(s *settings) error {
		s.makeChroot = true
		return nil
	}
}
