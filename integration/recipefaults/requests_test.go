package recipefaults

import (
	"context"
	"errors"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/lock"
)

// try is the course of one who does not wait: in vain, and then with success.
func try(s *scene) {
	free := s.occupy(mutex())
	require.NoError(s.t, s.cl.Sync(s.ctx, s.dir)) // else its server might not know of the holder
	err := s.call("trying in vain", func() error {
		_, err := lock.NewMutex(s.cl, s.dir).TryLock(s.ctx)
		return err
	})
	require.ErrorIs(s.t, err, lock.ErrBusy)
	free()
	h := s.take("trying", trying, nil)
	next := s.rival(mutex())
	s.awaitOther()
	s.hold("holding", h)
	s.release("releasing", h)
	next()
}

// limit is the course of one who changes how many permits there are, and waits for another to do so.
func limit(s *scene) {
	path := s.dir + "/pool"
	mine, other := lock.NewSemaphore(s.cl, path, 1), lock.NewSemaphore(s.other, path, 1)
	first, err := other.Acquire(s.ctx, 1)
	require.NoError(s.t, err)
	var second *lock.Held
	waits := s.begin(func() (err error) {
		second, err = other.Acquire(s.ctx, 1)
		return err
	})
	s.awaitOther()
	require.NoError(s.t, s.cl.Sync(s.ctx, s.dir))
	err = s.call("raising", func() error { return mine.SetLimit(s.ctx, 2) })
	if s.lostIn("raising") && client.Outcome(err) == client.Unknown {
		err = mine.SetLimit(s.ctx, 2)
	}
	require.NoError(s.t, err)
	require.NoError(s.t, s.end("the other's second permit", waits))
	n, err := other.Limit(s.ctx)
	require.NoError(s.t, err)
	require.Equal(s.t, 2, n)

	var third *lock.Held
	require.NoError(s.t, s.wait("waiting", func() (err error) {
		third, err = mine.Acquire(s.ctx, 1)
		return err
	}, func() { assert.NoError(s.t, other.SetLimit(s.ctx, 3)) }))
	for _, h := range []*lock.Held{first, second, third} {
		require.NoError(s.t, h.Err())
		require.NoError(s.t, h.Unlock(s.ctx))
	}
}

// asked is the course of a holder who listens, and is asked to let go.
func asked(s *scene) {
	held, err := lock.NewMutex(s.cl, s.dir).Lock(s.ctx)
	require.NoError(s.t, err)
	s.enter("the one", held.Err)
	next := s.rival(mutex())
	s.awaitOther()
	mu := lock.NewMutex(s.other, s.dir)
	all, err := mu.Contenders(s.ctx)
	require.NoError(s.t, err)
	err = s.wait("listening", func() error {
		select {
		case <-held.Revoked():
			return nil
		case <-held.Context().Done():
			return context.Cause(held.Context())
		}
	}, func() {
		if err := mu.Revoke(s.ctx, all[0]); !s.lostIn("listening") {
			assert.NoError(s.t, err)
		}
	})
	if s.lostIn("listening") {
		require.ErrorIs(s.t, err, lock.ErrLost)
	} else {
		require.NoError(s.t, err)
		require.NoError(s.t, held.Err(), "it was only asked")
	}
	s.leave("the one")
	require.NoError(s.t, held.Unlock(s.ctx))
	next()
}

// asks is the course of one who asks the holder to let go, and then takes the lock from it.
func asks(s *scene) {
	held, err := lock.NewMutex(s.other, s.dir).Lock(s.ctx)
	require.NoError(s.t, err)
	mu := lock.NewMutex(s.cl, s.dir)
	contender := func(do func(context.Context, lock.Contender) error) func() error {
		return func() error {
			all, err := lock.NewMutex(s.other, s.dir).Contenders(s.ctx)
			if err == nil && len(all) != 1 {
				err = errors.New("there is not one holder")
			}
			if err != nil {
				return err
			}
			return do(s.ctx, all[0])
		}
	}
	require.NoError(s.t, s.call("revoking", contender(mu.Revoke)))
	s.await(held.Revoked(), "the request")
	require.NoError(s.t, held.Err())
	require.NoError(s.t, s.call("breaking", contender(mu.Break)))
	s.await(held.Context().Done(), "the end of what was broken")
	require.ErrorIs(s.t, held.Err(), client.ErrHoldDeleted)
	require.NoError(s.t, held.Unlock(s.ctx))
}

// runs leads by Run until it is released. When it has lost its term Run campaigns again: so whoever
// releases it waits for the end of Run.
func runs(ctx context.Context, cl *client.Client, dir string) (*holding, error) {
	var (
		leads = make(chan *election.Term, 1)
		stop  = make(chan struct{})
		ended = make(chan struct{})
		first sync.Once
		err   error
	)
	go func() {
		defer close(ended)
		err = election.New(cl, dir, "runner").Run(ctx, func(ctx context.Context, term *election.Term) error {
			first.Do(func() { leads <- term })
			select {
			case <-stop:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	select {
	case term := <-leads:
		return &holding{ctx: term.Context(), err: term.Err, release: func(ctx context.Context) error {
			close(stop)
			select {
			case <-ended:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}}, nil
	case <-ended:
		return nil, err
	}
}
