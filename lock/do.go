package lock

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// holding is what is held under Do: one lock or several.
type holding interface {
	Context() context.Context
	Err() error
	Unlock(ctx context.Context) error
}

// do runs fn under what lock takes; see [Mutex.Do].
func do[H holding](ctx context.Context, lock func(context.Context) (H, error), fn func(context.Context, H) error) (err error) {
	if fn == nil {
		return fmt.Errorf("%w: the function to run under the lock is nil", client.ErrBadArgument)
	}
	held, err := lock(ctx)
	if err != nil {
		return err
	}
	under, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(held.Context(), func() { cancel(context.Cause(held.Context())) })
	defer func() {
		if lost := held.Err(); errors.Is(lost, ErrLost) && !errors.Is(err, ErrLost) {
			err = errors.Join(err, lost)
		}
		stop()
		cancel(nil)
		if unlock := held.Unlock(context.WithoutCancel(ctx)); unlock != nil {
			err = errors.Join(err, unlock)
		}
	}()
	return fn(under, held)
}
