package election

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// pace keeps a loop that looks again from becoming a storm: the first wait is none, later
// ones grow to a second, with jitter.
type pace struct{ pauses *backoff.ExponentialBackOff }

// wait waits its turn, or returns the error of ctx.
func (p *pace) wait(ctx context.Context) error {
	if p.pauses == nil {
		p.pauses = backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(10*time.Millisecond),
			backoff.WithMaxInterval(time.Second),
			backoff.WithMultiplier(2),
			backoff.WithMaxElapsedTime(0),
		)
		return ended(ctx)
	}
	timer := time.NewTimer(p.pauses.NextBackOff())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// ended returns nil while ctx lives, then its error together with its cause.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
