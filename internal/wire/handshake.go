package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/zookit/zookit/internal/jute"
)

var (
	// ErrExpired means that the servers do not know the session any more, or that
	// its password is wrong.
	ErrExpired = errors.New("session expired")
	// ErrAuthFailed means that the server refused a credential or a SASL login, or demands one.
	ErrAuthFailed = errors.New("authentication failed")
	errReadOnly   = errors.New("the server is in read-only mode")
	// ErrNotZooKeeper means that whatever listens at the address does not speak ZooKeeper's protocol.
	ErrNotZooKeeper = errors.New("not a ZooKeeper server")
)

const (
	// maxHandshake bounds what is read before a session stands: a connect response
	// has 37 bytes, the reply to a credential 16, and a message of a SASL login less than 2100.
	maxHandshake = 4096
	passwordLen  = 16
)

// greeting is what a completed handshake yields.
type greeting struct {
	sentAt   time.Time
	response jute.ConnectResponse
	fresh    bool // the session was made by this handshake
}

// greet opens or takes up the session over raw and presents the credentials. It
// ends with ctx, and when the handshake's time is over.
func (l *Link) greet(ctx context.Context, raw net.Conn) (*greeting, error) {
	request := l.connectRequest()
	fresh := request.SessionID == 0
	if err := raw.SetDeadline(time.Now().Add(l.cfg.HandshakeTimeout(!fresh))); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { closeSocket(raw) })
	defer stop()

	g := &greeting{sentAt: time.Now(), fresh: fresh}
	if _, err := raw.Write(frameOf(request)); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	frame, err := readFrame(raw, maxHandshake)
	switch {
	case errors.Is(err, errFrame):
		return nil, fmt.Errorf("handshake: %w: %w", ErrNotZooKeeper, err)
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("handshake: the server closed the connection (%s): %w", l.hangUpReasons(raw, !fresh), err)
	case err != nil:
		return nil, fmt.Errorf("handshake: %w", err)
	}
	d := jute.NewDecoder(frame)
	if refusedReadOnly(frame) {
		return nil, fmt.Errorf("handshake: %w: it makes sessions only with localSessionsEnabled=true in its zoo.cfg", errReadOnly)
	}
	g.response.Decode(d)
	if err := d.Err(); err != nil || d.Rest() > 0 || len(g.response.Password) != passwordLen {
		return nil, fmt.Errorf("handshake: %w: an answer of %d bytes is no connect response", ErrNotZooKeeper, len(frame))
	}
	if g.response.SessionID == 0 && fresh {
		return nil, fmt.Errorf("handshake: asked for a new session, was given none: %w", ErrNotZooKeeper)
	}
	if g.response.SessionID == 0 {
		return nil, fmt.Errorf("handshake: session 0x%x: %w", request.SessionID, ErrExpired)
	}
	if !fresh && g.response.SessionID != request.SessionID {
		return nil, fmt.Errorf("handshake: asked for session 0x%x, was given 0x%x: %w", request.SessionID, g.response.SessionID, ErrNotZooKeeper)
	}
	if g.response.ReadOnly && !l.cfg.ReadOnly {
		return nil, fmt.Errorf("handshake: %w, which was not asked for", errReadOnly)
	}
	if g.response.TimeoutMillis <= 0 {
		return nil, fmt.Errorf("handshake: negotiated session timeout of %d ms: %w", g.response.TimeoutMillis, ErrNotZooKeeper)
	}
	if l.cfg.SASL != nil {
		if err := logIn(raw, l.cfg.SASL); err != nil {
			return nil, err
		}
	}
	for _, c := range l.cfg.Credentials {
		if err := authenticate(raw, c); err != nil {
			return nil, err
		}
	}
	if !stop() {
		return nil, fmt.Errorf("handshake: %w", context.Cause(ctx))
	}
	return g, raw.SetDeadline(time.Time{})
}

// authenticate presents one credential and waits for the verdict. The credential
// itself is in no error.
func authenticate(raw net.Conn, c Credential) error {
	request := frameOf(&jute.RequestHeader{Xid: jute.XidAuth, Op: jute.OpAuth}, &jute.AuthRequest{Scheme: c.Scheme, Auth: c.Auth})
	if _, err := raw.Write(request); err != nil {
		return fmt.Errorf("authentication with scheme %q: %w", c.Scheme, err)
	}
	frame, err := readFrame(raw, maxHandshake)
	if err != nil {
		return fmt.Errorf("authentication with scheme %q: %w", c.Scheme, err)
	}
	var h jute.ReplyHeader
	d := jute.NewDecoder(frame)
	h.Decode(d)
	switch {
	case d.Err() != nil || h.Xid != jute.XidAuth:
		return fmt.Errorf("authentication with scheme %q: unexpected frame with xid %d: %w", c.Scheme, h.Xid, ErrNotZooKeeper)
	case h.Err != jute.OK:
		return fmt.Errorf("scheme %q: %w (code %d)", c.Scheme, ErrAuthFailed, h.Err)
	}
	return nil
}

func (l *Link) connectRequest() *jute.ConnectRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	password := l.password
	if password == nil {
		password = make([]byte, passwordLen)
	}
	return &jute.ConnectRequest{
		LastZxidSeen:  l.lastZxid.Load(),
		TimeoutMillis: int32(l.cfg.Timeout.Milliseconds()),
		SessionID:     l.id,
		Password:      password,
		ReadOnly:      l.cfg.ReadOnly,
	}
}

// hangUpReasons lists why a server may close the connection instead of answering.
func (l *Link) hangUpReasons(raw net.Conn, resuming bool) string {
	why := "not serving, "
	if !l.cfg.ReadOnly || resuming { // then it turns away who did not ask for that, and who has a session of the quorum
		why += "read-only, "
	}
	if _, secure := raw.(interface{ NetConn() net.Conn }); !secure {
		why += "speaking only TLS at this port, "
	}
	return why + "overloaded, or behind what this client has seen"
}

// refusedReadOnly recognises how a server in read-only mode answers when it may not
// make sessions of its own: not with a connect response but with the reply to a request.
func refusedReadOnly(frame []byte) bool {
	if len(frame) != jute.ReplyHeaderLen {
		return false
	}
	var h jute.ReplyHeader
	h.Decode(jute.NewDecoder(frame))
	return h.Err == jute.NotReadOnly
}

// closeSocket closes without the farewell that a TLS connection would try to
// write first: on a dead link that write blocks.
func closeSocket(c net.Conn) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		_ = t.NetConn().Close()
		return
	}
	_ = c.Close()
}
