package lock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
)

// Locker is what [NewMulti] takes several of: a [Mutex], an [RWMutex] (its writers' side), or
// what [RWMutex.RLocker] returns. Another type may wrap one of them.
type Locker interface {
	// Lock waits for the lock, and TryLock does not; whatever their error, they leave nothing behind.
	Lock(ctx context.Context) (*Held, error)
	TryLock(ctx context.Context) (*Held, error)
	// Path says which lock it is.
	Path() string
}

// Multi is several locks that are taken together: all of them or none.
//
// They are taken in the order of their paths, however they were given. So long as
// everybody who needs several of these locks takes them through a Multi, and calls each by
// the same path, no two wait for each other. (A lock inside of the chroot of one client and
// outside of that of another has two paths: have all of them use one.) The locks may be those of
// different clients.
//
// A Multi is safe for concurrent use, and no more re-entrant than its locks are. It
// holds nothing between calls and need not be closed.
type Multi struct {
	locks []Locker // in order
	err   error
}

// NewMulti returns several locks as one. Nothing is sent. What cannot be is
// reported by the first call: client.ErrBadArgument if there is no lock, one is nil,
// or two have the same path; and what would be the error of one of them.
func NewMulti(locks ...Locker) *Multi {
	m := &Multi{locks: slices.Clone(locks)}
	if len(locks) == 0 {
		m.err = fmt.Errorf("several locks: %w: there is none", client.ErrBadArgument)
		return m
	}
	for i, l := range locks {
		if l == nil {
			m.err = fmt.Errorf("several locks: %w: lock %d is nil", client.ErrBadArgument, i)
			return m
		}
		if l, ok := l.(interface{ invalid() error }); ok && l.invalid() != nil {
			m.err = fmt.Errorf("several locks: %w", l.invalid())
			return m
		}
	}
	slices.SortStableFunc(m.locks, func(a, b Locker) int { return cmp.Compare(a.Path(), b.Path()) })
	for i := 1; i < len(m.locks); i++ {
		if path := m.locks[i].Path(); path == m.locks[i-1].Path() {
			m.err = fmt.Errorf("several locks: %w: %s is among them twice, and would wait for itself", client.ErrBadArgument, path)
			return m
		}
	}
	return m
}

// Lock waits for all the locks, one after the other; ctx is for the whole of it. A lock that is
// lost while others are waited for does not end the wait: all are given back and taken again.
// After an error nothing is held and nothing is left behind, and no lock was asked for after the one
// that failed. Errors are those of [Mutex.Lock], and name the lock.
func (m *Multi) Lock(ctx context.Context) (*MultiHeld, error) {
	return m.take(ctx, Locker.Lock)
}

// TryLock is Lock without the wait: [ErrBusy] says that somebody is in the way at one of
// the locks, the path of which is in the error.
func (m *Multi) TryLock(ctx context.Context) (*MultiHeld, error) {
	return m.take(ctx, Locker.TryLock)
}

// Do runs fn under all the locks. It is to them what [Mutex.Do] is to one: the
// context that fn gets ends when one of them is lost, and the error is [ErrLost] then.
func (m *Multi) Do(ctx context.Context, fn func(ctx context.Context, held *MultiHeld) error) error {
	return do(ctx, m.Lock, fn)
}

// errAgain says that a lock was lost before all were taken; it never reaches the user.
var errAgain = errors.New("a lock was lost while others were taken")

func (m *Multi) take(ctx context.Context, how func(Locker, context.Context) (*Held, error)) (*MultiHeld, error) {
	if m.err != nil {
		return nil, m.err
	}
	for {
		held, err := m.attempt(ctx, how)
		if !errors.Is(err, errAgain) {
			return held, err
		}
	}
}

// attempt takes the locks in order. Should one fail, it gives back those before it.
func (m *Multi) attempt(ctx context.Context, how func(Locker, context.Context) (*Held, error)) (*MultiHeld, error) {
	taking, stop := context.WithCancelCause(ctx)
	var guards sync.WaitGroup
	defer guards.Wait()
	defer stop(nil)

	all := make([]*Held, 0, len(m.locks))
	for _, l := range m.locks {
		held, err := how(l, taking)
		var end func()
		if err == nil {
			all = append(all, held)
			// From here on, until all are taken, a client that is detached waits for us.
			end, err = held.grant.Session().Begin()
		}
		if err != nil {
			if why := context.Cause(taking); why != nil && ctx.Err() == nil {
				err = why
			}
			_ = unlock(ctx, all) // what ctx has no time for goes on in the background
			return nil, err
		}
		defer end()
		guards.Go(func() { guard(taking, held, stop) })
	}
	for _, held := range all {
		if held.Err() != nil {
			_ = unlock(ctx, all)
			return nil, errAgain
		}
	}
	return newMultiHeld(all[0].Context(), m.locks, all), nil
}

// guard stops the taking of further locks when one that was taken is lost, or is to be
// given up because its session is left to another process.
func guard(taking context.Context, held *Held, stop context.CancelCauseFunc) {
	select {
	case <-held.Context().Done():
		stop(errAgain)
	case <-held.grant.Session().Detaching():
		stop(fmt.Errorf("lock %s: %w", held.Path(), client.ErrDetached))
	case <-taking.Done():
	}
}

// unlock unlocks in reverse order, also what comes after one that could not be.
func unlock(ctx context.Context, all []*Held) error {
	var errs []error
	for _, held := range slices.Backward(all) {
		errs = append(errs, held.Unlock(ctx))
	}
	return errors.Join(errs...)
}
