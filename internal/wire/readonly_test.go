package wire

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// readOnlyWelcome is how a server in read-only mode takes a session.
func readOnlyWelcome(id int64) *jute.ConnectResponse {
	r := welcomeOf(id, sessionTimeout)
	r.ReadOnly = true
	return r
}

// The connect request says whether a server in read-only mode will do, and the
// session which kind it is.
func TestReadOnlyHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t), func(c *Config) { c.ReadOnly = true })
		r.start()
		p := r.net.accept()
		require.Equal(t, jute.ConnectRequest{TimeoutMillis: 6000, Password: make([]byte, passwordLen), ReadOnly: true}, p.hello())
		p.send(readOnlyWelcome(sessionID))
		s := r.next("connected").session
		require.True(t, s.ReadOnly)
		require.False(t, s.Resumed)
		_ = p.raw.Close()
		r.next("disconnected")

		p = r.net.accept()
		require.True(t, p.hello().ReadOnly)
		p.welcome(sessionID, sessionTimeout)
		s = r.next("connected").session
		require.False(t, s.ReadOnly)
		require.True(t, s.Resumed)
	})
}

// What such servers say instead of taking a session is told as what it is.
func TestReadOnlyRejections(t *testing.T) {
	for name, tc := range map[string]struct {
		asked  bool
		answer func(p *peer)
		says   string
	}{
		"not asked for": {false, func(p *peer) { p.send(readOnlyWelcome(sessionID)) }, "read-only mode, which was not asked for"},
		"makes no sessions": {true, func(p *peer) {
			p.send(&jute.ReplyHeader{Zxid: 1<<32 + 5, Err: jute.NotReadOnly})
		}, "localSessionsEnabled=true"},
		"hangs up":              {false, func(p *peer) { _ = p.raw.Close() }, "not serving, read-only, speaking only TLS at this port, overloaded"},
		"hangs up though asked": {true, func(p *peer) { _ = p.raw.Close() }, "not serving, speaking only TLS at this port, overloaded"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, pipes(t), func(c *Config) { c.ReadOnly = tc.asked })
			r.dialling()
			p := r.net.accept()
			p.hello()
			tc.answer(p)
			err := r.next("rejected").err
			require.ErrorContains(t, err, tc.says)
			require.NotErrorIs(t, err, ErrExpired)
		})
	}
}

// What a server in read-only mode answers keeps the session by the client's clock and
// proves nothing else, neither then nor behind the next connection.
func TestReadOnlyServersProveNothing(t *testing.T) {
	var p proof
	start := time.Now()
	at := func(d time.Duration) time.Time { return start.Add(d) }
	const timeout, half = 10 * time.Second, 2 * time.Second

	p.connectedReadOnly(at(0), timeout)
	p.answered(at(time.Second), at(time.Second), true)
	require.Equal(t, at(11*time.Second), p.heardUntil())
	require.True(t, p.confirmedUntil().IsZero())
	require.True(t, p.vouchedUntil().IsZero())

	p.connected(at(2*time.Second), timeout, half, true)
	p.answered(at(3*time.Second), at(3*time.Second), false)
	require.Equal(t, at(12*time.Second), p.confirmedUntil())
	require.Equal(t, at(13*time.Second), p.vouchedUntil())

	p.connectedReadOnly(at(4*time.Second), timeout)
	for i := range 10 {
		d := time.Duration(5+i) * time.Second
		p.answered(at(d), at(d), true)
	}
	require.Equal(t, at(24*time.Second), p.heardUntil())
	require.Equal(t, at(12*time.Second), p.confirmedUntil())
	require.Equal(t, at(13*time.Second), p.vouchedUntil())

	p.connected(at(20*time.Second), timeout, half, false)
	require.Equal(t, at(12*time.Second), p.confirmedUntil(), "a handshake is no commit")
	require.Equal(t, at(30*time.Second), p.vouchedUntil())
	p.answered(at(21*time.Second), at(21*time.Second), true)
	require.Equal(t, at(30*time.Second), p.confirmedUntil())
}
