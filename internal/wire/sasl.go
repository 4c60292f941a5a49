package wire

import (
	"errors"
	"fmt"
	"net"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/sasl"
)

// The service and host that all servers go by in DIGEST-MD5, wherever they run.
const (
	saslService = "zookeeper"
	saslHost    = "zk-sasl-md5"
)

// logIn proves to the server that the client knows the password, and has the server
// prove the same. The password is in no error.
func logIn(raw net.Conn, login *sasl.Login) error {
	if err := proveBoth(raw, login.Start(saslService, saslHost)); err != nil {
		return fmt.Errorf("SASL login of %q: %w", login.User(), err)
	}
	return nil
}

// proveBoth runs an exchange. A server that refuses a login says so (code -115, or
// -124 where it demands one) and closes the connection. One that has no logins
// configured answers the first message with success and no token; so does one that
// lets clients in whose login has failed, in the second. Neither may pass for a login.
func proveBoth(raw net.Conn, x *sasl.Exchange) error {
	challenge, code, err := saslStep(raw, 1, []byte{}) // the server speaks first
	switch {
	case err != nil:
		return err
	case code != jute.OK:
		return fmt.Errorf("%w: the server does not take DIGEST-MD5 (code %d)", ErrAuthFailed, code)
	case len(challenge) == 0:
		return fmt.Errorf("%w: the server has no users configured (a JAAS section Server is missing)", ErrAuthFailed)
	}
	response, err := x.Respond(challenge)
	if err != nil {
		return judge(err)
	}
	verdict, code, err := saslStep(raw, 2, response)
	switch {
	case err != nil:
		return err
	case code != jute.OK:
		return fmt.Errorf("%w: unknown user or wrong password (code %d)", ErrAuthFailed, code)
	case len(verdict) == 0:
		return fmt.Errorf("%w: unknown user or wrong password, and the server lets such clients in as nobody (allowSaslFailedClients)", ErrAuthFailed)
	}
	return judge(x.Verify(verdict))
}

// judge tells a server that does not speak the mechanism, beside which there may be
// others that do, from one that shall not be trusted or cannot be satisfied.
func judge(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sasl.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrNotZooKeeper, err)
	default:
		return fmt.Errorf("%w: %w", ErrAuthFailed, err)
	}
}

// saslStep sends one message and waits for the server's. The token is nil unless the
// code is OK.
func saslStep(raw net.Conn, xid int32, token []byte) ([]byte, jute.Code, error) {
	if _, err := raw.Write(frameOf(&jute.RequestHeader{Xid: xid, Op: jute.OpSASL}, &jute.SASLRequest{Token: token})); err != nil {
		return nil, 0, err
	}
	frame, err := readFrame(raw, maxHandshake)
	if err != nil {
		return nil, 0, fmt.Errorf("no answer to message %d: %w", xid, err)
	}
	d := jute.NewDecoder(frame)
	var h jute.ReplyHeader
	h.Decode(d)
	if d.Err() != nil || h.Xid != xid {
		return nil, 0, fmt.Errorf("%w: unexpected frame with xid %d in answer to message %d", ErrNotZooKeeper, h.Xid, xid)
	}
	if h.Err != jute.OK {
		return nil, h.Err, nil // with or without a body
	}
	var reply jute.SASLReply
	if reply.Decode(d); d.Err() != nil || d.Rest() > 0 {
		return nil, 0, fmt.Errorf("%w: a frame of %d bytes is no answer to message %d", ErrNotZooKeeper, len(frame), xid)
	}
	return reply.Token, jute.OK, nil
}

// turnedAway ends the link: the server serves only who has logged in, says so in
// answer to the first request or ping, looks at no other, and closes the connection.
// The next server would do the same. The call was refused, and gets the code that
// servers give to any failed login.
func (c *conn) turnedAway(h jute.ReplyHeader) error {
	c.mu.Lock()
	var call *Call
	if len(c.pending) > 0 && c.pending[0].xid == h.Xid {
		call = c.pending[0]
		c.pending = c.pending[1:]
	}
	c.mu.Unlock()
	if call != nil {
		call.Code = jute.AuthFailed
		call.end(nil)
	}
	err := fmt.Errorf("%w: the server serves only clients that log in, by SASL or the scheme that it enforces (code %d)", ErrAuthFailed, h.Err)
	c.link.finish(err)
	return err
}
