package recipefaults

import (
	"context"
	"errors"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/barrier"
	"github.com/zookit/zookit/client"
)

// gate is the course of one who closes a barrier, opens it, and waits for it.
func gate(s *scene) {
	path := s.dir + "/gate"
	mine, other := barrier.New(s.cl, path), barrier.New(s.other, path)

	s.alter("closing", mine.Create, true, path)
	passed := s.begin(func() error { return other.Wait(s.ctx) })
	s.awaitOther()
	require.Empty(s.t, passed)
	s.alter("opening", mine.Remove, false, path)
	require.NoError(s.t, s.end("the other's wait", passed))

	_, err := other.Create(s.ctx)
	require.NoError(s.t, err)
	require.NoError(s.t, s.cl.Sync(s.ctx, s.dir))
	require.NoError(s.t, s.wait("waiting", func() error { return mine.Wait(s.ctx) }, func() {
		removed, err := other.Remove(s.ctx)
		assert.NoError(s.t, err)
		assert.True(s.t, removed)
	}))
	require.NoError(s.t, s.call("passing", func() error { return mine.Wait(s.ctx) }))
}

// alter closes or opens the barrier: this call has done it, and knows. Only if the session was
// lost with the reply it need not know.
func (s *scene) alter(step string, do func(context.Context) (bool, error), want bool, path string) {
	s.t.Helper()
	var did bool
	err := s.call(step, func() (err error) {
		did, err = do(s.ctx)
		return err
	})
	if s.lostIn(step) && err != nil {
		require.Equal(s.t, client.Unknown, client.Outcome(err), "%v", err)
		_, err = do(s.ctx)
		did = true
	}
	require.NoError(s.t, err)
	require.True(s.t, did)
	require.NoError(s.t, s.other.Sync(s.ctx, s.dir))
	_, closed, err := s.other.Exists(s.ctx, path)
	require.NoError(s.t, err)
	require.Equal(s.t, want, closed)
}

// pair is the other's part in a double barrier for two.
type pair struct {
	s    *scene
	in   chan *barrier.Inside // of the other
	peer *barrier.Inside      // that one
	gone <-chan error         // the end of its leave
}

// enter lets the other enter.
func (p *pair) enter() {
	p.s.begin(func() error {
		in, err := barrier.NewDouble(p.s.other, p.s.dir, 2).Enter(p.s.ctx)
		assert.NoError(p.s.t, err)
		p.in <- in
		return err
	})
}

func (p *pair) leave() {
	peer := p.peer
	p.gone = p.s.begin(func() error { return peer.Leave(p.s.ctx) })
}

// entering is the one's way in. Who loses its session meanwhile may come late, and has to wait for
// the next round: so the other ends the round, and enters again, until both are inside.
func (p *pair) entering(step string, d *barrier.Double) (in *barrier.Inside, err error) {
	done := make(chan struct{})
	rounds := p.s.begin(func() error {
		for p.s.lostIn(step) {
			select {
			case p.peer = <-p.in:
			case <-done:
				return nil
			}
			p.leave()
			select {
			case err := <-p.gone:
				if err != nil {
					return err
				}
				p.peer, p.gone = nil, nil
				p.enter()
			case <-done:
				return nil
			}
		}
		return nil
	})
	in, err = d.Enter(p.s.ctx)
	close(done)
	if other := <-rounds; err == nil {
		err = other
	}
	return in, err
}

// inside waits until the other is inside, too, which may be leaving by now.
func (p *pair) inside() {
	p.s.t.Helper()
	if p.peer != nil {
		return
	}
	select {
	case p.peer = <-p.in:
		require.NotNil(p.s.t, p.peer)
	case <-p.s.ctx.Done():
		require.FailNow(p.s.t, "the other does not get in")
	}
}

// round is one in which nothing is broken.
func (p *pair) round(d *barrier.Double) {
	p.s.t.Helper()
	p.peer, p.gone = nil, nil
	p.enter()
	in, err := d.Enter(p.s.ctx)
	require.NoError(p.s.t, err)
	p.inside()
	p.leave()
	require.NoError(p.s.t, in.Leave(p.s.ctx))
	require.NoError(p.s.t, p.s.end("the other's leave", p.gone))
}

// first is the course through a double barrier of one who waits for the other, going in and out.
func first(s *scene) {
	mine, p := barrier.NewDouble(s.cl, s.dir, 2), &pair{s: s, in: make(chan *barrier.Inside, 1)}
	var in *barrier.Inside
	require.NoError(s.t, s.wait("entering", func() (err error) {
		in, err = p.entering("entering", mine)
		return err
	}, p.enter))
	p.inside()

	s.rest("inside", false)
	var err error
	switch {
	case s.lostIn("inside"):
		s.await(in.Context().Done(), "the end of the participant")
		require.ErrorIs(s.t, in.Err(), barrier.ErrLost)
		require.NoError(s.t, p.peer.Err())
		p.leave() // who is lost is not waited for
		err = in.Leave(s.ctx)
		require.ErrorIs(s.t, err, barrier.ErrLost)
	case p.gone != nil:
		err = in.Leave(s.ctx)
	default:
		require.NoError(s.t, in.Err())
		err = s.wait("leaving", func() error { return in.Leave(s.ctx) }, p.leave)
		require.ErrorIs(s.t, in.Err(), barrier.ErrLeft)
	}
	if !errors.Is(err, barrier.ErrLost) || !s.fault.lost { // it may be before the own node is deleted
		require.NoError(s.t, err)
	}
	require.NoError(s.t, s.end("the other's leave", p.gone))
	p.round(mine)
}

// last is the course of one whom the other waits for, going in and out. Each request is a phase.
func last(s *scene) {
	mine, p := barrier.NewDouble(s.cl, s.dir, 2), &pair{s: s, in: make(chan *barrier.Inside, 1)}
	p.enter()
	s.awaitOther()
	var in *barrier.Inside
	require.NoError(s.t, s.call("entering", func() (err error) {
		in, err = p.entering("entering", mine)
		return err
	}))
	require.NoError(s.t, in.Err())
	p.inside()
	if p.gone == nil {
		p.leave()
	}
	s.awaitOther()
	err := s.call("leaving", func() error { return in.Leave(s.ctx) })
	if !errors.Is(err, barrier.ErrLost) || !s.lostIn("leaving") {
		require.NoError(s.t, err)
	}
	require.NoError(s.t, s.end("the other's leave", p.gone))
	p.round(mine) // also deletes what a lost one has left
}
