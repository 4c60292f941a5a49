package faultproxy

import (
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCut(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	p.Hold(ToServer)
	seen := watchRequests(p)
	c.send(1, OpCreate, "/lost")
	next(t, seen)
	p.Cut()
	require.Zero(t, p.Connections())
	require.ErrorIs(t, c.ended(), io.EOF)
	one := s.session()
	require.ErrorIs(t, one.ended(t), io.EOF)
	c.send(2, OpCreate, "/late")
	require.NoError(t, one.conn.Close())
	for range 1000 { // goes nowhere, and provokes no RST
		c.send(2, OpCreate, "/later")
	}
	require.NoError(t, c.conn.CloseWrite())
	require.Eventually(t, func() bool { return links(p) == 0 }, patience, time.Millisecond)
	require.ErrorIs(t, c.ended(), io.EOF)
	p.Heal()
	connect(t, p).call(3, OpCreate, "/a")
	require.Equal(t, []int32{3}, s.received())
	require.Equal(t, 2, p.Accepted())
}

func TestReset(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	p.Reset()
	require.Zero(t, p.Connections())
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
	require.ErrorIs(t, s.session().ended(t), syscall.ECONNRESET)
	connect(t, p).call(1, OpCreate, "/a")
}

func TestBlackHoleToServer(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	one := s.session()
	seen := watchRequests(p)
	p.BlackHole(ToServer)
	c.send(1, OpCreate, "/lost")
	next(t, seen)
	one.notify(t, "/still") // the other direction works
	require.Equal(t, int32(-1), c.reply())
	require.NoError(t, c.conn.CloseWrite())
	inspect(t, p, func(l *link) bool { return l.up.ended && len(l.up.queue) == 0 })
	p.Heal()
	require.ErrorIs(t, one.ended(t), syscall.ECONNRESET, "the FIN must have vanished as well")
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
	require.Empty(t, s.received())
	connect(t, p).call(2, OpCreate, "/a")
}

func TestBlackHoleToClient(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	one := s.session()
	replies := watchReplies(p)
	p.BlackHole(ToClient)
	c.send(1, OpCreate, "/a")
	next(t, replies)
	require.Equal(t, []int32{1}, s.received())
	require.NoError(t, one.conn.Close())
	inspect(t, p, func(l *link) bool { return l.down.ended && len(l.down.queue) == 0 })
	p.Heal()
	require.ErrorIs(t, c.ended(), syscall.ECONNRESET, "neither the reply nor the FIN may have come")
}

func TestBlackHoleTakesNewConnections(t *testing.T) {
	for _, d := range []Direction{ToServer, ToClient, Both} {
		t.Run(d.String(), func(t *testing.T) {
			s := startServer(t)
			p := Start(t, s.addr())
			seen := watchRequests(p)
			p.BlackHole(d)
			c := dial(t, p)
			c.write(handshake())
			require.Equal(t, OpConnect, next(t, seen).Op)
			gone := dial(t, p)
			require.Eventually(t, func() bool { return p.Connections() == 2 }, patience, time.Millisecond)
			require.NoError(t, gone.conn.Close())
			require.Eventually(t, func() bool { return p.Connections() == 1 }, patience, time.Millisecond)
			p.Heal()
			require.ErrorIs(t, c.ended(), syscall.ECONNRESET)
			connect(t, p)
			s.session()
			require.Empty(t, s.accepted, "the server must not have seen the silent connections")
		})
	}
}

// A request that vanishes is not one that a fault has waited for.
func TestBlackHoleWastesNoFault(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	f := p.DropRequest(Op(OpCreate))
	seen := watchRequests(p)
	p.BlackHole(ToServer)
	c.send(1, OpCreate, "/vanishes")
	next(t, seen)
	p.Heal()
	connect(t, p).send(2, OpCreate, "/dropped")
	hit, err := f.Wait(wait(t))
	require.NoError(t, err)
	require.Equal(t, "/dropped", hit.Path)
}

// A black hole that begins while frames wait takes them too, and one that both
// sides have left is not kept.
func TestBlackHoleTakesWhatIsInside(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	one := s.session()
	seen := watchRequests(p)
	p.Hold(ToServer)
	c.send(1, OpCreate, "/lost")
	next(t, seen)
	p.BlackHole(Both)
	p.Release(ToServer)
	require.NoError(t, c.conn.Close())
	inspect(t, p, func(l *link) bool { return l.up.ended })
	require.Equal(t, 1, p.Connections(), "the server still has it")
	require.NoError(t, one.conn.Close())
	require.Eventually(t, func() bool { return p.Connections() == 0 }, patience, time.Millisecond)
	require.Empty(t, s.received())
}

func TestHold(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	one := s.session()
	seen := watchRequests(p)
	p.Hold(ToServer)
	for xid := range int32(3) {
		c.send(xid, OpSetData, "/a")
		next(t, seen)
	}
	one.notify(t, "/other direction")
	require.Equal(t, int32(-1), c.reply())
	require.Empty(t, s.received())
	p.Hold(ToClient)
	p.Release(ToServer)
	s.receives(3)
	inspect(t, p, func(l *link) bool { return len(l.down.queue) == 3 }) // the answers
	require.NoError(t, one.conn.Close())
	inspect(t, p, func(l *link) bool { return l.down.ended && len(l.down.queue) == 4 })
	p.Heal()
	for xid := range int32(3) {
		require.Equal(t, xid, c.reply())
	}
	require.ErrorIs(t, c.ended(), io.EOF)
}

// A client that died does not take what is held for the server with it.
func TestHoldOutlivesTheSender(t *testing.T) {
	s := startServer(t)
	s.mute = true // a write would take the reset before the read sees it
	p := Start(t, s.addr())
	c := connect(t, p)
	one := s.session()
	p.Hold(ToServer)
	c.send(1, OpDelete, "/a")
	require.NoError(t, c.conn.SetLinger(0))
	require.NoError(t, c.conn.Close())
	inspect(t, p, func(l *link) bool { return l.up.ended })
	require.Eventually(t, func() bool {
		one.notify(t, "/nobody reads")
		p.mu.Lock()
		defer p.mu.Unlock()
		for l := range p.links {
			return l.down.broken
		}
		return false
	}, patience, time.Millisecond)
	p.Release(ToServer)
	require.ErrorIs(t, one.ended(t), syscall.ECONNRESET)
	require.Equal(t, []int32{1}, s.received())
}

func TestDelay(t *testing.T) {
	s := startServer(t)
	p := Start(t, s.addr())
	c := connect(t, p)
	for _, d := range []Direction{ToServer, ToClient} {
		const delay = 50 * time.Millisecond
		p.Delay(d, delay)
		began := time.Now()
		for xid := range int32(3) {
			c.send(xid, OpSetData, "/a")
		}
		for xid := range int32(3) {
			require.Equal(t, xid, c.reply())
		}
		require.GreaterOrEqual(t, time.Since(began), delay)
		p.Delay(d, 0)
	}
	seen := watchRequests(p)
	p.Delay(Both, time.Hour)
	c.send(9, OpSetData, "/a")
	next(t, seen)
	require.Len(t, s.received(), 6)
	p.Heal()
	require.Equal(t, int32(9), c.reply())
}

// A receiver that does not read must not keep Hold or BlackHole from taking
// effect, and a frame interrupted in its middle goes on where it was.
func TestInterruptedWrite(t *testing.T) {
	full := func(l *link) bool { return l.down.writing && l.down.queued >= maxQueued }
	t.Run("hold", func(t *testing.T) {
		s := startServer(t)
		p := Start(t, s.addr())
		c := connect(t, p)
		flood(t, s.session())
		inspect(t, p, full)
		for range 3 {
			p.Hold(ToClient)
			inspect(t, p, func(l *link) bool { return !l.down.writing })
			p.Release(ToClient)
			inspect(t, p, full)
		}
		for i := range int32(floodSize / (64 << 10)) {
			require.Equal(t, i, c.reply())
		}
	})
	t.Run("black hole", func(t *testing.T) {
		s := startServer(t)
		p := Start(t, s.addr())
		connect(t, p)
		flood(t, s.session())
		inspect(t, p, full)
		p.BlackHole(ToClient)
		inspect(t, p, func(l *link) bool { return !l.down.writing && l.down.queued == 0 })
	})
}
