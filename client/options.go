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
	aclProvider    func(path string) []ACL
	tracking       bool
	tls            *tls.Config
	dial           func(ctx context.Context, network, address string) (net.Conn, error)
	log            *slog.Logger
	makeChroot     bool
	hooks          hookLists
	retry          RetryPolicy
	readOnly       bool
	session        SessionHandle
	claims         string
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
		claims:         "/zookit/sessions",
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

// WithDefaultACL sets the ACL of nodes that are created without [WithACL] and of which
// [WithACLProvider] says nothing. The default is WorldACL(PermAll).
func WithDefaultACL(acls ...ACL) Option {
	return func(s *settings) error {
		if _, err := aclRecords(acls); err != nil {
			return fmt.Errorf("WithDefaultACL: %w", err)
		}
		s.acl = slices.Clone(acls)
		return nil
	}
}

// WithACLProvider sets the ACLs of nodes that are created without [WithACL] by their
// path: provide gets the path of the node to be created as the caller names it, inside
// the chroot and without the number of a sequential node, and returns its ACL, or nil
// for the default one ([WithDefaultACL]). It is asked for parents that are made as well,
// and by the path "/" for the nodes of the chroot itself ([WithCreateChroot]). The
// recipes create their nodes in the same way, so what they create can be such that only
// their owner may touch it. An ACL that cannot work fails the create with
// [ErrBadArgument]. provide runs on the goroutine of the create and must be safe for concurrent use.
func WithACLProvider(provide func(path string) []ACL) Option {
	return func(s *settings) error {
		if provide == nil {
			return badOption("WithACLProvider", "the function is nil")
		}
		s.aclProvider = provide
		return nil
	}
}

// WithTLS connects through TLS, to the servers' secureClientPort. If cfg names no
// server, certificates are checked against the host name in the server list; with
// cfg.Certificates or cfg.GetClientCertificate the client presents its own. cfg is
// cloned. What happens if TLS fails for good is told at [ErrTLS].
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
// epoch, state, server, path, op, attempt and err; never data or credentials. State
// changes are at level Info, and so are the servers found by [WithEnsembleTracking]; losses,
// and what fails in the background for good or is not confirmed, at Warn; everything else at
// Debug.
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

// WithReadOnly lets the client be served by a server that has lost its quorum and goes
// on in read-only mode, in which it answers reads with what it knew last. By default
// such a server is as good as none. The client's state then is [ReadOnly]; it goes on
// asking the other servers (by the word isro), and moves when one has a quorum.
//
// The servers need the Java system property readonlymode.enabled=true and in zoo.cfg
// localSessionsEnabled=true (and localSessionsUpgradingEnabled=true for ephemeral
// nodes). In read-only mode they take no session that a quorum has made (seen on 3.8): a
// client that has one goes on looking for a read-write server until that session is over,
// and only then reads in a new one, which is over as soon as there is a quorum again.
func WithReadOnly() Option {
	return func(s *settings) error {
		s.readOnly = true
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
