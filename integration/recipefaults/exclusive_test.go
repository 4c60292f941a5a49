package recipefaults

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// holding is something that one at a time has.
type holding struct {
	ctx     context.Context //nolint:containedctx // the holding's; nil if nothing ends it but its release
	err     func() error
	release func(context.Context) error
}

type taker func(ctx context.Context, cl *client.Client, dir string) (*holding, error)

func ofHeld(h *lock.Held, err error) (*holding, error) {
	if err != nil {
		return nil, err
	}
	return &holding{ctx: h.Context(), err: h.Err, release: h.Unlock}, nil
}

func mutex(opts ...lock.Option) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		return ofHeld(lock.NewMutex(cl, dir, opts...).Lock(ctx))
	}
}

// trying takes what is free without waiting for it.
func trying(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
	for {
		h, err := ofHeld(lock.NewMutex(cl, dir).TryLock(ctx))
		if !errors.Is(err, lock.ErrBusy) {
			return h, err
		}
		if err := cl.Sync(ctx, dir); err != nil { // its server may lag behind
			return nil, err
		}
	}
}

func write(opts ...lock.Option) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		return ofHeld(lock.NewRWMutex(cl, dir, opts...).Lock(ctx))
	}
}

func read(opts ...lock.Option) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		return ofHeld(lock.NewRWMutex(cl, dir, opts...).RLock(ctx))
	}
}

func multi(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
	h, err := lock.NewMulti(lock.NewMutex(cl, dir+"/b"), lock.NewMutex(cl, dir+"/a")).Lock(ctx)
	if err != nil {
		return nil, err
	}
	return &holding{ctx: h.Context(), err: h.Err, release: h.Unlock}, nil
}

func permits(n int, opts ...lock.Option) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		return ofHeld(lock.NewSemaphore(cl, dir+"/pool", 2, opts...).Acquire(ctx, n))
	}
}

// persistent is a lock that no session ends: it is checked by the servers.
func persistent(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
	h, err := lock.NewMutex(cl, dir).LockPersistent(ctx)
	if err != nil {
		return nil, err
	}
	return &holding{err: func() error { return nil }, release: h.Unlock}, nil
}

func lease(holder string) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		h, err := lock.NewLease(cl, dir, 10*time.Minute, lock.WithHolder(holder)).Take(ctx)
		if err != nil {
			return nil, err
		}
		return &holding{err: h.Err, release: h.Release}, nil
	}
}

// oneOf is one of several leases, of which there is one.
func oneOf(holder string) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		h, err := lock.NewMultiLease(cl, dir, 1, 10*time.Minute, lock.WithHolder(holder)).Take(ctx)
		if err != nil {
			return nil, err
		}
		return &holding{err: h.Err, release: h.Release}, nil
	}
}

func lead(opts ...election.Option) taker {
	return func(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
		term, err := election.New(cl, dir, "somebody", opts...).Campaign(ctx)
		if err != nil {
			return nil, err
		}
		return &holding{ctx: term.Context(), err: term.Err, release: term.Resign}, nil
	}
}

// exclusive is the course of what one at a time has: taken when it is free, held, released,
// and waited for; each time with somebody waiting behind who has to get it.
func exclusive(take, rival taker) func(*scene) {
	return func(s *scene) {
		h := s.take("taking", take, nil)
		next := s.rival(rival)
		s.awaitOther()
		s.hold("holding", h)
		s.release("releasing", h)
		next()

		free := s.occupy(rival)
		h = s.take("waiting", take, func() {
			next = s.rival(rival)
			free()
		})
		s.release("releasing again", h)
		next()
	}
}

// take takes what is free, or with free waits for it.
func (s *scene) take(step string, take taker, free func()) *holding {
	s.t.Helper()
	var h *holding
	fn := func() (err error) {
		if h, err = take(s.ctx, s.cl, s.dir); err == nil {
			s.enter("the one", h.err)
		}
		return err
	}
	if free == nil {
		require.NoError(s.t, s.call(step, fn))
	} else {
		require.NoError(s.t, s.wait(step, fn, free))
	}
	require.NoError(s.t, h.err())
	return h
}

// hold lets the fault come while h is held.
func (s *scene) hold(step string, h *holding) {
	s.t.Helper()
	s.rest(step, h.ctx == nil)
	if h.ctx == nil || !s.lostIn(step) {
		require.NoError(s.t, h.err())
		return
	}
	s.await(h.ctx.Done(), "the end of what is held")
	require.ErrorIs(s.t, h.err(), recipes.ErrGrantLost)
	require.ErrorIs(s.t, context.Cause(h.ctx), recipes.ErrGrantLost)
}

func (s *scene) release(step string, h *holding) {
	s.t.Helper()
	s.leave("the one")
	require.NoError(s.t, s.call(step, func() error { return h.release(s.ctx) }))
	require.Error(s.t, context.Cause(ended(h)))
}

// ended is the context of what is over.
func ended(h *holding) context.Context {
	if h.ctx != nil {
		return h.ctx
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// rival lets the other take, and give back what it has got; the function that is returned
// waits for that.
func (s *scene) rival(take taker) (wait func()) {
	done := s.begin(func() error {
		h, err := take(s.ctx, s.other, s.dir)
		if err != nil {
			return err
		}
		s.enter("the rival", h.err)
		_, _, err = s.other.Exists(s.ctx, s.dir) // it takes its time
		assert.NoError(s.t, err)
		assert.NoError(s.t, h.err())
		s.leave("the rival")
		return h.release(s.ctx)
	})
	return func() {
		s.t.Helper()
		require.NoError(s.t, s.end("the rival's", done))
	}
}

// occupy lets the other take at once, and keep it until the function that is returned is called.
func (s *scene) occupy(take taker) (free func()) {
	s.t.Helper()
	h, err := take(s.ctx, s.other, s.dir)
	require.NoError(s.t, err)
	s.enter("the first", h.err)
	return func() {
		s.t.Helper()
		require.NoError(s.t, h.err())
		s.leave("the first")
		require.NoError(s.t, h.release(s.ctx))
	}
}
