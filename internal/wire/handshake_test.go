package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

func oneCredential(c *Config) { c.Credentials = []Credential{{"digest", []byte("user:secret")}} }

// Without the cure a server that hangs holds the library for 6.7 session timeouts,
// and for ever once it has sent the length of its answer.
func TestB4_HungHandshakeIsBounded(t *testing.T) {
	for name, script := range map[string]func(*peer){
		"reads nothing":       func(*peer) {},
		"answers nothing":     func(p *peer) { p.hello() },
		"stops in the length": func(p *peer) { p.hello(); p.write(0, 0) },
		"stops in the body":   func(p *peer) { p.hello(); p.write(frameOf(welcomeOf(sessionID, sessionTimeout))[:30]...) },
		"drips": func(p *peer) {
			p.hello()
			for _, b := range frameOf(welcomeOf(sessionID, sessionTimeout)) {
				if _, err := p.raw.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		},
		"no verdict on the credential": func(p *peer) {
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			p.expect(jute.OpAuth)
		},
		"reads no credential": func(p *peer) { p.hello(); p.welcome(sessionID, sessionTimeout) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, pipes(t), oneCredential, func(c *Config) {
					c.HandshakeTimeout = func(resuming bool) time.Duration {
						if resuming {
							return time.Second
						}
						return 2 * time.Second
					}
				})
				r.dialling()
				p := r.net.accept()
				began := time.Now()
				script(p)
				rejected := r.next("rejected")
				require.ErrorIs(t, rejected.err, os.ErrDeadlineExceeded)
				require.Equal(t, 2*time.Second, rejected.at.Sub(began))
				p.drained() // B9: returns because the client has closed its end

				// The next server gets a time of its own, and the loss of a session its own bound.
				p = r.net.accept()
				p.hello()
				p.welcome(sessionID, sessionTimeout)
				p.reply(p.expect(jute.OpAuth)[0], 0)
				r.next("connected")
				r.link.Drop(io.EOF)
				r.next("disconnected")
				r.dialling()
				r.net.accept()
				began = time.Now()
				require.Equal(t, time.Second, r.next("rejected").at.Sub(began))
			})
		})
	}
}

// Without the cure an HTTP server's answer makes the library allocate 1.1 GB, a
// short or null one makes it panic, and an absurd one is believed.
func TestB5_AnswersThatAreNoConnectResponse(t *testing.T) {
	length := func(n uint32, rest ...byte) []byte { return append(binary.BigEndian.AppendUint32(nil, n), rest...) }
	response := func(change func(*jute.ConnectResponse)) []byte {
		r := welcomeOf(sessionID, sessionTimeout)
		change(r)
		return frameOf(r)
	}
	for name, answer := range map[string][]byte{
		"HTTP":                 []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"empty frame":          length(0),
		"short frame":          length(5, 1, 2, 3, 4, 5),
		"negative length":      length(1 << 31),
		"length -1":            length(1<<32 - 1),
		"huge length":          length(1<<31 - 1),
		"4 MB":                 length(4 << 20),
		"trailing bytes":       length(40, append(frameOf(welcomeOf(sessionID, sessionTimeout))[4:], 0, 0, 0)...),
		"null password":        response(func(r *jute.ConnectResponse) { r.Password = nil }),
		"empty password":       response(func(r *jute.ConnectResponse) { r.Password = []byte{} }),
		"long password":        response(func(r *jute.ConnectResponse) { r.Password = make([]byte, 17) }),
		"huge password":        length(20, 0, 0, 0, 0, 0, 0, 23, 112, 0, 0, 0, 0, 0, 0, 0, 1, 127, 255, 255, 255),
		"timeout of nothing":   response(func(r *jute.ConnectResponse) { r.TimeoutMillis = 0 }),
		"negative timeout":     response(func(r *jute.ConnectResponse) { r.TimeoutMillis = -1 }),
		"no session for a new": response(func(r *jute.ConnectResponse) { r.SessionID = 0 }),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, pipes(t))
			r.dialling()
			p := r.net.accept()
			p.hello()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = p.raw.Write(answer) // fails where the client has seen enough
			err := r.next("rejected").err
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, ErrNotZooKeeper)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
			p.drained() // B9

			p = r.net.accept() // the next server is tried
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			r.next("connected")
		})
	}
}

func TestAnotherSessionIsNotTaken(t *testing.T) {
	r := newRig(t, pipes(t))
	_, p := r.connect()
	_ = p.raw.Close()
	r.next("disconnected")
	r.dialling()
	p = r.net.accept()
	p.hello()
	p.welcome(sessionID+1, sessionTimeout)
	require.ErrorIs(t, r.next("rejected").err, ErrNotZooKeeper)
	require.Equal(t, sessionID, r.net.accept().hello().SessionID)
}

// Servers that lost their data, or are behind what the client has seen, close the
// connection without a word. Whether that is the end of the session is for the
// client to judge; without the cure it is never told.
func TestB8_EndOfFileAtHandshakeIsReported(t *testing.T) {
	r := newRig(t, pipes(t))
	_, p := r.connect()
	_ = p.raw.Close()
	r.next("disconnected")
	r.dialling()
	for range 3 {
		p = r.net.accept()
		require.Equal(t, sessionID, p.hello().SessionID)
		_ = p.raw.Close()
		err := r.next("rejected").err
		require.ErrorIs(t, err, io.EOF)
		require.ErrorContains(t, err, "behind what this client has seen")
	}
	r.quiet()
}

// Without the cure the socket of a handshake that failed is freed by the garbage
// collector at best, and the server holds the other end until then.
func TestB9_SocketsOfFailedHandshakesAreClosed(t *testing.T) {
	for name, script := range map[string]func(*rig, *peer){
		"expired": func(r *rig, p *peer) {
			p.send(&jute.ConnectResponse{Password: make([]byte, passwordLen)})
			r.next("ended")
		},
		"credential refused": func(r *rig, p *peer) {
			p.welcome(sessionID, sessionTimeout)
			p.expect(jute.OpAuth)
			p.send(&jute.ReplyHeader{Xid: jute.XidAuth, Err: jute.AuthFailed})
			require.ErrorIs(r.t, r.next("ended").err, ErrAuthFailed)
		},
		"wrong frame for a verdict": func(r *rig, p *peer) {
			p.welcome(sessionID, sessionTimeout)
			p.expect(jute.OpAuth)
			p.send(&jute.ReplyHeader{Xid: 1})
			require.ErrorIs(r.t, r.next("rejected").err, ErrNotZooKeeper)
		},
		"closed by the owner": func(r *rig, _ *peer) { r.link.Close() },
		"closed by the owner between the frames": func(r *rig, p *peer) {
			p.welcome(sessionID, sessionTimeout)
			p.expect(jute.OpAuth)
			r.link.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, loopback(t), oneCredential)
			done := r.dialling()
			p := r.net.accept()
			p.hello()
			p.welcome(sessionID, sessionTimeout)
			p.reply(p.expect(jute.OpAuth)[0], 0)
			c := r.established(done)
			_ = c.Close()
			r.next("disconnected")

			done = r.dialling()
			p = r.net.accept()
			p.hello()
			script(r, p)
			require.NoError(t, p.raw.SetReadDeadline(time.Now().Add(patience)))
			_, err := p.in.ReadByte()
			require.Error(t, err)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the socket is still open")
			r.link.Close()
			require.Error(t, (<-done).err)
		})
	}
}

// The credential itself is in no error.
func TestRefusedCredentialIsNotShown(t *testing.T) {
	r := newRig(t, pipes(t), oneCredential)
	done := r.dialling()
	p := r.net.accept()
	p.hello()
	p.welcome(sessionID, sessionTimeout)
	p.expect(jute.OpAuth)
	p.send(&jute.ReplyHeader{Xid: jute.XidAuth, Err: jute.AuthFailed})
	err := r.next("ended").err
	require.ErrorIs(t, err, ErrAuthFailed)
	require.ErrorContains(t, err, "digest")
	require.NotContains(t, err.Error(), "secret")
	require.ErrorIs(t, (<-done).err, ErrAuthFailed)
	r.quiet()
}

// Each connect request says what was really seen and really wanted: the newest
// zxid of any reply, the session and its password, and the timeout asked for, not
// the one that a server once granted.
func TestConnectRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.start()
		p := r.net.accept()
		require.Equal(t, jute.ConnectRequest{TimeoutMillis: 6000, Password: make([]byte, passwordLen)}, p.hello())
		p.welcome(sessionID, 4*time.Second)
		s := r.next("connected").session
		require.Equal(t, Session{ID: sessionID, Password: sessionPassword, Timeout: 4 * time.Second, Server: "pipe"}, s)

		for _, step := range []struct{ zxid, seen int64 }{{5, 5}, {3, 5}, {0, 5}, {-1, 5}, {1 << 40, 1 << 40}} {
			call := get("/a")
			r.link.Send(call)
			p.reply(p.expect(jute.OpGetData)[0], step.zxid, &jute.DataReply{})
			require.NoError(t, r.ended(call))
			require.Equal(t, step.seen, r.link.LastZxid())
		}
		p.event("/a", 1<<40+1) // 3.9 tells which transaction
		r.next("event")
		p.event("/a", -1) // older servers do not
		r.next("event")
		_ = p.raw.Close()
		r.next("disconnected")

		p = r.net.accept()
		require.Equal(t, jute.ConnectRequest{
			LastZxidSeen: 1<<40 + 1, TimeoutMillis: 6000, SessionID: sessionID, Password: sessionPassword,
		}, p.hello())
		p.welcome(sessionID, 5*time.Second)
		s = r.next("connected").session
		require.Equal(t, 5*time.Second, s.Timeout)
		require.True(t, s.Resumed)
	})
}

// Servers before 3.4 leave the read-only byte out.
func TestOldServerIsUnderstood(t *testing.T) {
	r := newRig(t, pipes(t))
	done := r.dialling()
	p := r.net.accept()
	p.hello()
	old := welcomeOf(sessionID, sessionTimeout)
	old.OldServer = true
	p.send(old)
	r.established(done)
}

// Errors of Config.Dial are reported and do not end the link; the end of its
// context does, also during a handshake, and so does Close.
func TestDialEnds(t *testing.T) {
	refused := errors.New("refused")
	t.Run("not with a refusal", func(t *testing.T) {
		n := pipes(t)
		left := 3
		r := newRig(t, n, func(c *Config) {
			c.Dial = func(ctx context.Context) (net.Conn, error) {
				if left--; left >= 0 {
					return nil, refused
				}
				return n.dial(ctx)
			}
		})
		r.dialling()
		for range 3 {
			require.ErrorIs(t, r.next("rejected").err, refused)
		}
		n.accept()
	})
	t.Run("with Close, while dialling", func(t *testing.T) {
		r := newRig(t, pipes(t))
		done := r.dialling()
		r.link.Close()
		require.ErrorIs(t, (<-done).err, ErrClosed)
		r.quiet()
	})
	t.Run("with its context, in the handshake", func(t *testing.T) {
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		n := pipes(t)
		r := newRig(t, n)
		r.link = NewLink(ctx, r.cfg)
		done := r.dialling()
		p := n.accept()
		p.hello()
		cancel(gone)
		require.ErrorIs(t, (<-done).err, gone)
		require.True(t, r.link.Over())
		p.drained()
		r.quiet()
	})
	t.Run("without asking for a connection again", func(t *testing.T) {
		r := newRig(t, pipes(t))
		r.link.Close()
		_, err := r.link.Dial("", "", 0)
		require.ErrorIs(t, err, ErrClosed)
		require.Zero(t, r.net.dialled())
	})
}
