package client

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/url"
	"time"

	"github.com/zookit/zookit/internal/wire"
)

// SessionHandle is what another process needs to take up a session: its id and
// password, what it has seen, and which claim marks its holder. Get it from
// [Session.Handle] or [Client.Detach] and give it to [WithSession].
//
// It holds a secret: whoever has it can take the session, with all its ephemeral
// nodes. Printing and logging show the id only; MarshalText shows everything, so write it
// to files that only their owner may read (mode 0600). A handle is good for one taking
// over; who has taken the session gets a new handle of its own. The zero value is
// no handle. A plain value, safe for concurrent use.
type SessionHandle struct {
	id       int64
	password *hidden
	timeout  time.Duration
	zxid     int64
	claim    string // the servers' path; empty if there is none
	version  int32
	detached bool
}

// hidden is behind two pointers, which printing a struct with a handle in it does not
// follow: with a verb that does not fit it follows one.
type hidden struct{ bytes *[passwordLen]byte }

func hide(password []byte) *hidden {
	return &hidden{(*[passwordLen]byte)(append([]byte(nil), password...))}
}

const (
	passwordLen = 16
	handleKind  = "zookit-session-1"
	noClaim     = "-"
	maxHandle   = 4 << 20
)

// NewSessionHandle makes a handle of a session that another library has opened and can
// tell the id and the 16 bytes of password of (Kazoo's client_id). Such a session has no
// claim: its former holder must have ended, since it does not learn that the session has
// been taken, and two holders of which only one is a zookit take it from each other. [ErrBadArgument]
// says what cannot be.
func NewSessionHandle(id int64, password []byte) (SessionHandle, error) {
	if id == 0 || len(password) != passwordLen {
		return SessionHandle{}, fmt.Errorf("%w: session handle: id %s and a password of %d bytes; the id must not be 0, and passwords have %d bytes",
			ErrBadArgument, sessionName(id), len(password), passwordLen)
	}
	return SessionHandle{id: id, password: hide(password)}, nil
}

// ID returns the session's id; 0 for the zero value.
func (h SessionHandle) ID() int64 { return h.id }

// Timeout returns the session's timeout: so long after its holder was last heard of the
// servers keep it, and so long a new holder waits before it relies on grants,
// unless Detached. 0 if it is not known.
func (h SessionHandle) Timeout() time.Duration { return h.timeout }

// Detached tells whether the process that gave the handle had ended everything that it did
// in the session before. If not, it may have been alive.
func (h SessionHandle) Detached() bool { return h.detached }

// String returns the session's id. The password is not shown.
func (h SessionHandle) String() string {
	if h.id == 0 {
		return "no session"
	}
	return "session " + sessionName(h.id)
}

// GoString is String, for %#v.
func (h SessionHandle) GoString() string { return "client.SessionHandle(" + h.String() + ")" }

// Format prints String, whatever the verb.
func (h SessionHandle) Format(f fmt.State, _ rune) {
	if f.Flag('#') {
		_, _ = fmt.Fprint(f, h.GoString())
		return
	}
	_, _ = fmt.Fprint(f, h.String())
}

// LogValue implements slog.LogValuer.
func (h SessionHandle) LogValue() slog.Value { return slog.StringValue(h.String()) }

// MarshalText writes the handle, its password included, as one line of text without an end
// of line. The error, for the zero value, is [ErrBadArgument].
func (h SessionHandle) MarshalText() ([]byte, error) {
	if h.id == 0 || h.password == nil {
		return nil, fmt.Errorf("%w: the session handle is the zero value", ErrBadArgument)
	}
	claim := noClaim
	if h.claim != "" {
		claim = url.PathEscape(h.claim)
	}
	line := fmt.Appendf(nil, handleKind+" %x %x %d %x %s %d %t",
		uint64(h.id), h.password.bytes[:], h.timeout.Milliseconds(), h.zxid, claim, h.version, h.detached)
	return fmt.Appendf(line, " %08x", crc32.ChecksumIEEE(line)), nil
}

// UnmarshalText reads what MarshalText has written; white space around it is ignored.
// Anything else is [ErrBadArgument], and leaves the handle as it was.
func (h *SessionHandle) UnmarshalText(text []byte) error {
	text = bytes.TrimSpace(text)
	var (
		id       uint64
		password []byte
		millis   int32
		claim    string
		sum      uint32
		read     SessionHandle
	)
	_, err := fmt.Sscanf(string(text[:min(len(text), maxHandle)]), handleKind+" %x %x %d %x %s %d %t %x",
		&id, &password, &millis, &read.zxid, &claim, &read.version, &read.detached, &sum)
	if err == nil && claim != noClaim {
		if read.claim, err = url.PathUnescape(claim); err == nil {
			err = CheckPath(read.claim)
		}
	}
	if err == nil && len(password) == passwordLen && millis >= 0 && read.zxid >= 0 {
		read.id, read.password, read.timeout = int64(id), hide(password), time.Duration(millis)*time.Millisecond
		if again, err := read.MarshalText(); err == nil && bytes.Equal(again, text) {
			*h = read
			return nil
		}
	}
	// Without what was found: it may be most of a password.
	return fmt.Errorf("%w: the text is no session handle, or not a whole one (one line that begins with %s)", ErrBadArgument, handleKind)
}

// Handle returns what another process needs to take up this session should this one
// end, by crashing for example; a process that ends in good order uses [Client.Detach]. The
// first call makes the claim, see [WithClaimPath]; from then on the session
// confirms itself every fifth of its timeout. A handle stays good until the session has
// been taken over or is over: write it down once, before anything that is worth
// taking over is acquired.
//
// Who takes the session over while this process is alive has it: this client's session ends with
// [ErrSessionTaken], at the latest when its bound is over ([Session.ConfirmedUntil]).
//
// Errors: [ErrBadArgument] with [WithoutConfirmation], under which that bound would not
// keep two holders apart; [ErrNoAuth] and the like if the claim cannot be made; [ErrSessionLost],
// [ErrClosed]; ctx's.
func (s *Session) Handle(ctx context.Context) (SessionHandle, error) {
	if s.c.set.unconfirmed {
		return SessionHandle{}, fmt.Errorf("session handle: %w: with WithoutConfirmation only Detach can leave a session to another process", ErrBadArgument)
	}
	return s.handle(ctx)
}

func (s *Session) handle(ctx context.Context) (SessionHandle, error) {
	if err := s.claim.ensure(ctx, SessionHandle{}); err != nil {
		return SessionHandle{}, fmt.Errorf("session handle: %w", err)
	}
	c := s.claim
	c.mu.Lock()
	defer c.mu.Unlock()
	return SessionHandle{
		id: s.id, password: hide(s.password), timeout: c.lifetime,
		zxid: s.link.LastZxid(), claim: c.path, version: c.version,
	}, nil
}

// Exclusive returns nil when no former holder of this session can rely on anything in
// it any more: at once for a session that this client opened or that was detached
// ([SessionHandle.Detached]), and otherwise when the session's timeout has passed since it was
// taken up. Errors: [ErrSessionLost], [ErrClosed]; ctx's.
func (s *Session) Exclusive(ctx context.Context) error {
	s.claim.mu.Lock()
	timer := time.NewTimer(time.Until(s.claim.exclusive))
	s.claim.mu.Unlock()
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	case <-ctx.Done():
		return ctxError(ctx)
	}
	return context.Cause(s.ctx)
}

// WithSession makes [Connect] take up the session of the handle instead of opening a
// new one: its ephemeral nodes stay, and what is written down about grants in it
// can be resumed. It asks for the timeout that the session had; [WithSessionTimeout] is for
// those that follow.
//
// If the session is over, or the password wrong (servers do not tell which), Connect goes
// on with a new session: compare [Session.ID] with [SessionHandle.ID]. If another process has taken the
// session up with this handle, or has a newer one, Connect fails with [ErrSessionTaken] and leaves
// the session to the other. When Connect fails otherwise the session is left as it is;
// the handle can be tried again if the error came before the session was taken over.
//
// The client must have the credentials that the claim's ACL asks for, and use
// the same chroot if paths that were written down are to mean the same.
func WithSession(h SessionHandle) Option {
	return func(s *settings) error {
		if h.id == 0 || h.password == nil {
			return badOption("WithSession", "the handle is the zero value")
		}
		s.session = h
		return nil
	}
}

// WithClaimPath sets the directory, within the chroot, of the nodes that mark who holds a
// session. The default is /zookit/sessions. They are ephemeral, named after the session's
// id, and made only for sessions whose handle is asked for; missing parents are made with the
// default ACL, the direct one as a container. Who takes such a session over finds the node
// through the handle.
func WithClaimPath(dir string) Option {
	return func(s *settings) error {
		if err := CheckPath(dir); err != nil {
			return fmt.Errorf("WithClaimPath: %w", err)
		}
		s.claims = dir
		return nil
	}
}

// resume is the session to take up, if any, and the timeout to ask for.
func (c *Client) resume(epoch uint64) (*wire.Resume, time.Duration) {
	h := c.set.session
	timeout := c.set.sessionTimeout
	if epoch > 1 || h.id == 0 {
		return nil, timeout
	}
	if h.timeout > 0 {
		timeout = h.timeout
	}
	return &wire.Resume{ID: h.id, Password: h.password.bytes[:], Zxid: h.zxid, Timeout: timeout}, timeout
}
