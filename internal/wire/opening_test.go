package wire

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// What Opening gives is sent first, by whomever and whenever else something is sent.
func TestOpeningIsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		early, first, second, late := get("/early"), get("/first"), get("/second"), get("/late")
		r.link.cfg.Opening = func(_ Session, _ func(*Call), open func(...*Call)) {
			require.False(t, r.link.Post(early), "there is no connection before")
			open(first, second)
			require.True(t, r.link.Post(late))
		}
		_, p := r.connect()
		hs := p.expect(jute.OpGetData, jute.OpGetData, jute.OpGetData)
		for i, call := range []*Call{first, second, late} {
			require.Equal(t, call.xid, hs[i].Xid)
			p.reply(hs[i], 1, &jute.DataReply{})
			require.NoError(t, r.ended(call))
		}
		Refuse(early)
		require.ErrorIs(t, r.ended(early), ErrNotSent)
	})
}

// The link is closed while a connection opens: what was to be first is not sent, and
// the connection was never announced.
func TestCloseWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		first := get("/first")
		ended := 0
		first.OnEnd = func(*Call) { ended++ }
		r.link.cfg.Opening = func(_ Session, _ func(*Call), open func(...*Call)) {
			r.link.stop(ErrClosed)
			open(first)
			require.Zero(t, ended, "who holds a lock may open")
		}
		done := r.dialling()
		p := r.net.accept()
		p.hello()
		p.welcome(sessionID, sessionTimeout)
		require.ErrorIs(t, (<-done).err, ErrClosed)
		require.ErrorIs(t, r.ended(first), ErrNotSent)
		require.Equal(t, 1, ended)
		require.Zero(t, p.drained())
		r.quiet()
	})
}

// Where something is asked first, nobody else's calls are taken until the answer has
// come and the connection is opened; what is then to be first is.
func TestAskBeforeOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		question, first, early, late := get("/question"), get("/first"), get("/early"), get("/late")
		r.link.cfg.Opening = func(s Session, ask func(*Call), open func(...*Call)) {
			require.Equal(t, sessionID, s.ID)
			question.OnEnd = func(*Call) { open(first) }
			ask(question)
		}
		_, p := r.connect()
		hs := p.expect(jute.OpGetData)
		require.False(t, r.link.Post(early), "it is not open")
		p.reply(hs[0], 1, &jute.DataReply{})
		require.NoError(t, r.ended(question))
		require.True(t, r.link.Post(late))
		hs = p.expect(jute.OpGetData, jute.OpGetData)
		require.Equal(t, []int32{first.xid, late.xid}, []int32{hs[0].Xid, hs[1].Xid})
	})
}

// The connection ends before it is opened: what was to be first is refused.
func TestLossBeforeOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, pipes(t))
		question, first := get("/question"), get("/first")
		r.link.cfg.Opening = func(_ Session, ask func(*Call), open func(...*Call)) {
			question.OnEnd = func(*Call) {
				r.link.Drop(ErrLost)
				open(first)
				require.NoError(t, first.Err, "who holds a lock may open")
			}
			ask(question)
		}
		_, p := r.connect()
		p.reply(p.expect(jute.OpGetData)[0], 1, &jute.DataReply{})
		require.NoError(t, r.ended(question))
		require.ErrorIs(t, r.ended(first), ErrNotSent)
	})
}

// A read that sets a watch can be made one that does not, as long as it is not sent.
func TestClearWatch(t *testing.T) {
	call := NewCall(jute.OpGetData, &jute.PathWatchRequest{Path: "/a", Watch: true})
	plain := NewCall(jute.OpGetData, &jute.PathWatchRequest{Path: "/a"})
	require.NotEqual(t, plain.enc.B, call.enc.B)
	call.ClearWatch()
	require.Equal(t, plain.enc.B, call.enc.B)
}
