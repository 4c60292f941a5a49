package recipefaults

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/lock"
)

// downgrade is a writer's course who becomes a reader while a writer waits behind.
func downgrade(s *scene) {
	rw := lock.NewRWMutex(s.cl, s.dir)
	writing, err := rw.Lock(s.ctx)
	require.NoError(s.t, err)
	s.enter("the one", writing.Err)
	next := s.rival(write())
	s.awaitOther()
	var reading *lock.Held
	err = s.call("downgrading", func() (err error) {
		if reading, err = rw.Downgrade(s.ctx, writing); err == nil {
			s.leave("the one")
			s.enter("the one", reading.Err)
		}
		return err
	})
	if s.lostIn("downgrading") {
		require.ErrorIs(s.t, err, lock.ErrLost)
		require.Error(s.t, writing.Err())
		next()
		return
	}
	require.NoError(s.t, err)
	require.ErrorIs(s.t, writing.Err(), lock.ErrUnlocked)
	h, _ := ofHeld(reading, nil)
	s.hold("reading", h)
	s.release("releasing", h)
	next()
}

// renew is the course of a lease that is renewed.
func renew(s *scene) {
	taken, err := lock.NewLease(s.cl, s.dir, 10*time.Minute, lock.WithHolder("one")).Take(s.ctx)
	require.NoError(s.t, err)
	s.enter("the one", taken.Err)
	next := s.rival(lease("rival"))
	s.awaitOther()
	token := taken.Token()
	require.NoError(s.t, s.call("renewing", func() error { return taken.Renew(s.ctx) }))
	require.NoError(s.t, taken.Err())
	require.Greater(s.t, taken.Token(), token)
	s.leave("the one")
	require.NoError(s.t, taken.Release(s.ctx))
	next()
}

// publish is the course of a leader that publishes, twice.
func publish(s *scene) {
	e := election.New(s.cl, s.dir+"/line", "one", election.WithData(s.dir+"/data"))
	watcher := election.New(s.other, s.dir+"/line", "watcher", election.WithData(s.dir+"/data"))
	term, err := e.Campaign(s.ctx)
	require.NoError(s.t, err)
	for _, step := range []string{"publishing", "publishing again"} {
		err = s.call(step, func() error { return term.Publish(s.ctx, []byte(step)) })
		if s.lostIn(step) {
			require.ErrorIs(s.t, err, election.ErrLost)
			break
		}
		require.NoError(s.t, err)
		require.NoError(s.t, s.other.Sync(s.ctx, s.dir))
		leader, err := watcher.Leader(s.ctx)
		require.NoError(s.t, err)
		require.Equal(s.t, step, string(leader.Data))
		require.Equal(s.t, term.Token(), leader.Token)
	}
	next := s.rival(func(ctx context.Context, _ *client.Client, _ string) (*holding, error) {
		term, err := watcher.Campaign(ctx)
		if err != nil {
			return nil, err
		}
		return &holding{ctx: term.Context(), err: term.Err, release: term.Resign}, nil
	})
	require.NoError(s.t, s.call("resigning", func() error { return term.Resign(s.ctx) }))
	next()
}

// handOver is the course of a leader that hands over to the last in line.
func handOver(s *scene) {
	handed := make(chan struct{})
	campaign := func(id string) taker {
		return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
			term, err := election.New(cl, dir, id).Campaign(ctx)
			if err != nil {
				return nil, err
			}
			s.Lock()
			defer s.Unlock()
			s.order = append(s.order, id)
			return &holding{ctx: term.Context(), err: term.Err, release: func(ctx context.Context) error {
				<-handed // until then it has to lead, to be found
				return term.Resign(ctx)
			}}, nil
		}
	}
	term, err := election.New(s.cl, s.dir, "one").Campaign(s.ctx)
	require.NoError(s.t, err)
	s.enter("the one", term.Err)
	between := s.rival(campaign("between"))
	s.awaitCandidates(2)
	last := s.rival(campaign("last"))
	s.awaitCandidates(3)
	err = s.call("handing over", func() error {
		defer close(handed)
		err := term.HandOver(s.ctx, "last")
		if term.Err() == nil {
			return errors.New("the leader leads on")
		}
		return err
	})
	if !s.lostIn("handing over") {
		require.NoError(s.t, err)
		require.ErrorIs(s.t, term.Err(), election.ErrHandedOver)
	}
	s.audit.leave("the one")
	between()
	last()
	if err == nil { // or it was resigned
		require.Equal(s.t, []string{"last", "between"}, s.order)
	}
	require.NoError(s.t, term.Resign(s.ctx))
}

// awaitCandidates waits until so many stand for election.
func (s *scene) awaitCandidates(n int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		all, err := election.New(s.other, s.dir, "").Candidates(s.ctx)
		return err == nil && len(all) == n
	}, time.Minute, 10*time.Millisecond, "%d candidates", n)
}

// observe is the course of one who looks on: who leads, who leads then, nobody.
func observe(s *scene) {
	free := s.occupy(lead())
	next, stop := iter.Pull2(election.New(s.cl, s.dir, "").Observe(s.ctx))
	defer stop()
	var seen election.Leader
	look := func() error {
		leader, err, ok := next()
		if err == nil && !ok {
			err = errors.New("it has ended")
		}
		seen = leader
		return err
	}
	require.NoError(s.t, s.call("looking", look))
	first := seen
	require.False(s.t, first.None())

	second := make(chan *election.Term, 1)
	wait := s.begin(func() error {
		term, err := election.New(s.other, s.dir, "second").Campaign(s.ctx)
		second <- term
		return err
	})
	s.awaitCandidates(2)
	require.NoError(s.t, s.wait("looking on", look, free))
	require.NoError(s.t, s.end("the second's", wait))
	term := <-second
	for seen.None() || seen.Token == first.Token { // a moment without a leader, perhaps
		require.NoError(s.t, look())
	}
	require.Equal(s.t, term.Token(), seen.Token)
	require.NoError(s.t, s.wait("looking on again", look, func() { assert.NoError(s.t, term.Resign(s.ctx)) }))
	require.True(s.t, seen.None())
}
