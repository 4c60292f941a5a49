package wire

import (
	"crypto/md5"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/internal/sasl"
)

const saslPassword = "s3cret"

func loggedIn(t testing.TB) func(*Config) {
	t.Helper()
	login, err := sasl.NewLogin("alice", saslPassword)
	require.NoError(t, err)
	return func(c *Config) { c.SASL = login }
}

func challengeOf(nonce string) []byte {
	return []byte(`realm="zk-sasl-md5",nonce="` + nonce + `",charset=utf-8,algorithm=md5-sess`)
}

// message reads a message of the client's mechanism.
func (p *peer) message(xid int32) []byte {
	p.t.Helper()
	h, d := p.request()
	require.Equal(p.t, jute.RequestHeader{Xid: xid, Op: jute.OpSASL}, h)
	var r jute.SASLRequest
	r.Decode(d)
	require.NoError(p.t, d.Err())
	require.NotNil(p.t, r.Token, "servers do not expect a null token")
	return r.Token
}

// token answers it.
func (p *peer) token(xid int32, token []byte) {
	p.t.Helper()
	p.send(&jute.ReplyHeader{Xid: xid}, &jute.SASLReply{Token: token})
}

// verdict is what a server that knows the password answers to a response, which it checks.
func (p *peer) verdict(response []byte, nonce string) []byte {
	p.t.Helper()
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`([a-z-]+)="?([^",]*)"?`).FindAllSubmatch(response, -1) {
		got[string(m[1])] = string(m[2])
	}
	sum := func(format string, args ...any) string {
		return fmt.Sprintf("%x", md5.Sum(fmt.Appendf(nil, format, args...)))
	}
	secret := md5.Sum([]byte("alice:zk-sasl-md5:" + saslPassword))
	prove := func(what string) string {
		return sum("%s:%s:00000001:%s:auth:%s", sum("%s:%s:%s", secret[:], nonce, got["cnonce"]), nonce, got["cnonce"],
			sum("%s:zookeeper/zk-sasl-md5", what))
	}
	require.Equal(p.t, prove("AUTHENTICATE"), got["response"], "%s", response)
	require.Equal(p.t, "alice", got["username"])
	return []byte("rspauth=" + prove(""))
}

// admit logs the client in, and returns its response.
func (p *peer) admit(nonce string) []byte {
	p.t.Helper()
	require.Empty(p.t, p.message(1))
	p.token(1, challengeOf(nonce))
	response := p.message(2)
	p.token(2, p.verdict(response, nonce))
	return response
}

// Each connection is logged in, before credentials, and both before anything else;
// with nonces of its own.
func TestSASLComesFirstOnEachConnection(t *testing.T) {
	r := newRig(t, pipes(t), loggedIn(t), oneCredential)
	var responses [][]byte
	for n := range 3 {
		done := r.dialling()
		p := r.net.accept()
		if id := p.hello().SessionID; n > 0 {
			require.Equal(t, sessionID, id)
		}
		p.welcome(sessionID, sessionTimeout)
		early := get("/early")
		r.link.Send(early)
		require.ErrorIs(t, r.ended(early), ErrNotSent)
		responses = append(responses, p.admit(fmt.Sprintf("nonce%d", n)))
		r.quiet()
		p.reply(p.expect(jute.OpAuth)[0], 0)
		c := r.established(done)
		call := get("/a")
		r.link.Send(call)
		p.reply(p.expect(jute.OpGetData)[0], 1, &jute.DataReply{})
		require.NoError(t, r.ended(call))
		_ = c.Close()
		r.next("disconnected")
	}
	cnonce := regexp.MustCompile(`cnonce="[^"]{22,}"`)
	require.NotEqual(t, cnonce.Find(responses[0]), cnonce.Find(responses[1]))
	require.NotEqual(t, cnonce.Find(responses[1]), cnonce.Find(responses[2]))
}

// What ends the link for good: the answers of real servers, and of some that do not
// know the password. Also when a session stands.
func TestSASLRefusalIsFinal(t *testing.T) {
	first := func(kind string) func(*peer) {
		return func(p *peer) { p.message(1); p.token(1, []byte(kind)) }
	}
	second := func(token []byte) func(*peer) {
		return func(p *peer) { p.message(1); p.token(1, challengeOf("n")); p.message(2); p.token(2, token) }
	}
	refuse := func(xid int32, code jute.Code, body ...jute.Record) func(*peer) {
		return func(p *peer) {
			if p.message(1); xid == 2 {
				p.token(1, challengeOf("n"))
				p.message(2)
			}
			p.send(append([]jute.Record{&jute.ReplyHeader{Xid: xid, Err: code}}, body...)...)
			_ = p.raw.Close()
		}
	}
	for name, c := range map[string]struct {
		script func(*peer)
		says   string
	}{
		"server without users":              {func(p *peer) { p.message(1); p.token(1, nil) }, "no users configured"},
		"empty challenge":                   {first(""), "no users configured"},
		"another mechanism":                 {refuse(1, jute.AuthFailed, &jute.SASLReply{}), "does not take DIGEST-MD5 (code -115)"},
		"wrong password":                    {refuse(2, jute.AuthFailed, &jute.SASLReply{}), "unknown user or wrong password (code -115)"},
		"wrong password, no body":           {refuse(2, jute.AuthFailed), "unknown user or wrong password (code -115)"},
		"wrong password, login demanded":    {refuse(2, jute.SessionClosedRequireSASL, &jute.SASLReply{}), "unknown user or wrong password (code -124)"},
		"wrong password, let in":            {second(nil), "lets such clients in as nobody"},
		"server does not know the password": {second([]byte("rspauth=ea40f60335c427b5527b84dbabcdfffd")), "the server does not know the password"},
		"another algorithm":                 {first(`nonce="n",algorithm=sha-256`), `algorithm "sha-256"`},
		"encryption demanded":               {first(`nonce="n",algorithm=md5-sess,qop="auth-conf"`), `qop "auth-conf"`},
	} {
		for _, stands := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, session stands %v", name, stands), func(t *testing.T) {
				r := newRig(t, loopback(t), loggedIn(t))
				if stands {
					done := r.dialling()
					p := r.net.accept()
					p.hello()
					p.welcome(sessionID, sessionTimeout)
					p.admit("n")
					_ = r.established(done).Close()
					r.next("disconnected")
				}
				dials := r.net.dialled()
				done := r.dialling()
				p := r.net.accept()
				p.hello()
				p.welcome(sessionID, sessionTimeout)
				c.script(p)
				err := r.next("ended").err
				require.ErrorIs(t, err, ErrAuthFailed)
				require.ErrorContains(t, err, `SASL login of "alice"`)
				require.ErrorContains(t, err, c.says)
				require.NotContains(t, err.Error(), saslPassword)
				require.ErrorIs(t, (<-done).err, ErrAuthFailed)
				require.Equal(t, dials+1, r.net.dialled())
				r.quiet()
				p.drained()
			})
		}
	}
}

// What a server does that does not speak the mechanism, or goes away, is its own
// affair: the next one is tried.
func TestSASLWithBrokenServers(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*peer)
		is     error
		says   string
	}{
		"no challenge":       {func(p *peer) { p.message(1); p.token(1, []byte("hello")) }, ErrNotZooKeeper, "malformed DIGEST-MD5 message"},
		"unfinished":         {func(p *peer) { p.message(1); p.token(1, []byte(`nonce="`)) }, ErrNotZooKeeper, "without an end"},
		"no verdict":         {func(p *peer) { p.message(1); p.token(1, challengeOf("n")); p.message(2); p.token(2, []byte("ok")) }, ErrNotZooKeeper, "malformed DIGEST-MD5 message"},
		"another xid":        {func(p *peer) { p.message(1); p.token(2, challengeOf("n")) }, ErrNotZooKeeper, "xid 2 in answer to message 1"},
		"an old answer":      {func(p *peer) { p.message(1); p.token(1, challengeOf("n")); p.message(2); p.token(1, nil) }, ErrNotZooKeeper, "xid 1 in answer to message 2"},
		"short header":       {func(p *peer) { p.message(1); p.write(frames(make([]byte, 15))...) }, ErrNotZooKeeper, "unexpected frame"},
		"no body":            {func(p *peer) { p.message(1); p.send(&jute.ReplyHeader{Xid: 1}) }, ErrNotZooKeeper, "no answer to message 1"},
		"more than a body":   {func(p *peer) { p.message(1); p.send(&jute.ReplyHeader{Xid: 1}, &jute.SASLReply{}, &jute.SASLReply{}) }, ErrNotZooKeeper, "no answer to message 1"},
		"huge frame":         {func(p *peer) { p.message(1); p.write(0, 0, 0x10, 1) }, errFrame, "exceeds 4096"},
		"gone before":        {func(p *peer) { _ = p.raw.Close() }, nil, "SASL login"},
		"gone in the middle": {func(p *peer) { p.message(1); _ = p.raw.Close() }, io.EOF, "no answer to message 1"},
		"gone at the end":    {func(p *peer) { p.message(1); p.token(1, challengeOf("n")); p.message(2); _ = p.raw.Close() }, io.EOF, "no answer to message 2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, pipes(t), loggedIn(t))
			done := r.dialling()
			p := r.net.accept()
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			c.script(p)
			err := r.next("rejected").err
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			require.ErrorContains(t, err, c.says)
			require.NotErrorIs(t, err, ErrAuthFailed)
			require.NotContains(t, err.Error(), saslPassword)
			p.drained() // B9

			p = r.net.accept()
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			p.admit("n")
			r.established(done)
		})
	}
}

// The handshake's time covers the login.
func TestSASLIsBounded(t *testing.T) {
	for name, script := range map[string]func(*peer){
		"reads nothing":     func(*peer) {},
		"no challenge":      func(p *peer) { p.message(1) },
		"reads no response": func(p *peer) { p.message(1); p.token(1, challengeOf("n")) },
		"no verdict":        func(p *peer) { p.message(1); p.token(1, challengeOf("n")); p.message(2) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, pipes(t), loggedIn(t), func(c *Config) {
					c.HandshakeTimeout = func(bool) time.Duration { return 2 * time.Second }
				})
				r.dialling()
				p := r.net.accept()
				began := time.Now()
				p.hello()
				p.welcome(sessionID, sessionTimeout)
				script(p)
				rejected := r.next("rejected")
				require.ErrorIs(t, rejected.err, os.ErrDeadlineExceeded)
				require.Equal(t, 2*time.Second, rejected.at.Sub(began))
				p.drained()

				// Its owner does not have to wait for it.
				p = r.net.accept()
				p.hello()
				p.welcome(sessionID, sessionTimeout)
				script(p)
				began = time.Now()
				r.link.Close()
				p.drained()
				require.Equal(t, began, time.Now())
			})
		})
	}
}

// A server that demands a login turns away who has none, in answer to a request or to
// a ping: that is the end, not the beginning of a loop.
func TestLoginDemanded(t *testing.T) {
	t.Run("request", func(t *testing.T) {
		r := newRig(t, pipes(t))
		c, p := r.connect()
		calls := []*Call{get("/a"), get("/b")}
		r.link.Send(calls...)
		first := p.expect(jute.OpGetData, jute.OpGetData)[0]
		p.send(&jute.ReplyHeader{Xid: first.Xid, Err: jute.SessionClosedRequireSASL})
		require.NoError(t, r.ended(calls[0]))
		require.Equal(t, jute.AuthFailed, calls[0].Code)
		require.ErrorIs(t, r.ended(calls[1]), ErrLost)
		require.ErrorIs(t, r.ended(calls[1]), ErrAuthFailed)
		turnedAway(t, r, c)
	})
	t.Run("ping", func(t *testing.T) {
		r := newRig(t, pipes(t))
		c, p := r.connect()
		_, err := c.Write(frameOf(&jute.ConnectRequest{Password: make([]byte, passwordLen)}))
		require.NoError(t, err)
		_, err = c.Write(frameOf(&jute.RequestHeader{Xid: jute.XidPing, Op: jute.OpPing}))
		require.NoError(t, err)
		p.expect(jute.OpPing)
		call := get("/a")
		r.link.Send(call)
		p.expect(jute.OpGetData)
		p.send(&jute.ReplyHeader{Xid: jute.XidPing, Err: jute.SessionClosedRequireSASL})
		require.ErrorIs(t, r.ended(call), ErrLost)
		turnedAway(t, r, c)
	})
	t.Run("with the library", func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.welcomed()
		call := get("/a")
		r.link.Send(call)
		p.send(&jute.ReplyHeader{Xid: p.expect(jute.OpGetData)[0].Xid, Err: jute.SessionClosedRequireSASL})
		require.NoError(t, r.ended(call))
		require.ErrorIs(t, r.next("disconnected").err, ErrAuthFailed)
		require.ErrorIs(t, r.next("ended").err, ErrAuthFailed)
		r.over.Store(true)
		p.drained()
		require.Equal(t, 1, r.net.dialled())
	})
}

func turnedAway(t *testing.T, r *rig, c *conn) {
	t.Helper()
	require.ErrorIs(t, r.next("disconnected").err, ErrAuthFailed)
	err := r.next("ended").err
	require.ErrorIs(t, err, ErrAuthFailed)
	require.ErrorContains(t, err, "serves only clients that log in")
	require.ErrorContains(t, err, "-124")
	<-c.told
	require.True(t, r.link.Over())
	_, err = r.link.Dial("", "", 0)
	require.ErrorIs(t, err, ErrAuthFailed)
	require.Equal(t, 1, r.net.dialled())
	r.quiet()
}

// Whatever a server sends in a login: no panic, no hang, and no connection, since
// nothing that is made up proves the password.
func FuzzSASL(f *testing.F) {
	hello := frameOf(welcomeOf(sessionID, sessionTimeout))
	step := func(xid int32, token []byte) []byte {
		return frameOf(&jute.ReplyHeader{Xid: xid}, &jute.SASLReply{Token: token})
	}
	f.Add(slices.Concat(step(1, challengeOf("n")), step(2, []byte("rspauth=ea40f60335c427b5527b84dbabcdfffd"))))
	f.Add(slices.Concat(step(1, challengeOf("n")), step(2, nil)))
	f.Add(slices.Concat(step(1, challengeOf("n")), frameOf(&jute.ReplyHeader{Xid: 2, Err: jute.AuthFailed})))
	f.Add(step(1, nil))
	f.Add(step(1, []byte(`nonce="`)))
	f.Add(step(2, nil))
	login := loggedIn(f)
	f.Fuzz(func(t *testing.T, server []byte) {
		before := allocated()
		played := newTape(slices.Concat(hello, server))
		link, _ := fuzzLink(t, played)
		login(&link.cfg)
		ended := make(chan error, 1)
		link.cfg.Rejected = func(err error) { ended <- err }
		link.cfg.Ended = func(err error) { ended <- err }
		link.cfg.Connected = func(Session) { ended <- nil }
		dial := make(chan struct{})
		go func() {
			defer close(dial)
			_, _ = link.Dial("", "", 0)
		}()
		require.Error(t, <-ended)
		link.Close()
		<-dial
		select {
		case <-played.closed:
		default:
			t.Error("the socket is still open")
		}
		bounded(t, before, len(server))
	})
}
