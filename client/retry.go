package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// ErrRetriesExhausted is returned, together with the last failure, when the
// [RetryPolicy] of an operation does not have it repeated, or wait, any more.
var ErrRetriesExhausted = errors.New("retry policy exhausted")

const (
	retryFirst  = 5 * time.Millisecond
	retryMost   = time.Second
	retryJitter = 0.5
)

// RetryPolicy says how often, and after which pauses, an operation is repeated that
// has failed in a way in which it can be repeated. Which ways those are is not its
// business, see [Ops]: no policy makes a write run twice.
//
// Its bounds are about repeating and waiting: an attempt that is under way is never
// given up because of them; a context does that. They hold for each request by itself
// where an operation is several of them ([WithParents], [Ops.DeleteAll]).
//
// A RetryPolicy is a value: its methods return changed copies. The zero value is
// [RetryForever]. An argument that cannot work makes [WithRetryPolicy] and every
// operation under the policy fail with [ErrBadArgument].
type RetryPolicy struct {
	first, most time.Duration // 0: the zero value
	jitter      float64
	bounded     bool
	times       int
	elapsed     time.Duration // 0: no bound
	still       bool          // does not wait for a connection
	err         error
}

// RetryForever repeats until the context ends: after 5 ms, then after pauses that double up to
// 1 s, each up to half longer or shorter by chance. Without a connection the
// operation waits for one. It is the default.
func RetryForever() RetryPolicy { return RetryExponential(retryFirst, retryMost) }

// RetryExponential is [RetryForever] with other pauses: the first is first, and each is twice the
// one before, up to most.
func RetryExponential(first, most time.Duration) RetryPolicy {
	p := RetryPolicy{first: first, most: most, jitter: retryJitter}
	if first <= 0 || most < first {
		p = RetryPolicy{}.wrong("RetryExponential: the pauses %v up to %v are not positive and growing", first, most)
	}
	return p
}

// RetryTimes is RetryForever().Times(n).
func RetryTimes(n int) RetryPolicy { return RetryForever().Times(n) }

// RetryFor is RetryForever().For(d).
func RetryFor(d time.Duration) RetryPolicy { return RetryForever().For(d) }

// NoRetry makes one attempt, and only if there is a connection: otherwise the operation
// fails at once. What became of a request whose reply is lost is not found out, either.
func NoRetry() RetryPolicy {
	p := RetryTimes(0)
	p.still = true
	return p
}

// Times bounds the number of repetitions: n of them are n+1 attempts. Waiting for a
// connection is none.
func (p RetryPolicy) Times(n int) RetryPolicy {
	if n < 0 {
		return p.wrong("Times: %d is negative", n)
	}
	p = p.filled()
	p.bounded, p.times = true, n
	return p
}

// For bounds the time, counted from the call, in which the operation waits for a
// connection, is repeated, and is looked up if its reply was lost. d has to be positive.
func (p RetryPolicy) For(d time.Duration) RetryPolicy {
	if d <= 0 {
		return p.wrong("For: %v is not positive", d)
	}
	p = p.filled()
	p.elapsed = d
	return p
}

// Jitter sets by which part of itself, 0 to 1, a pause is longer or shorter by chance. The default is 0.5.
func (p RetryPolicy) Jitter(part float64) RetryPolicy {
	if !(part >= 0 && part <= 1) { // NaN, too
		return p.wrong("Jitter: %v is not between 0 and 1", part)
	}
	p = p.filled()
	p.jitter = part
	return p
}

func (p RetryPolicy) filled() RetryPolicy {
	if p.first == 0 {
		p.first, p.most, p.jitter = retryFirst, retryMost, retryJitter
	}
	return p
}

func (p RetryPolicy) wrong(format string, args ...any) RetryPolicy {
	if p.err == nil {
		p.err = fmt.Errorf("%w: retry policy: "+format, append([]any{ErrBadArgument}, args...)...)
	}
	return p
}

// pauses are those between the attempts, without the bounds.
func (p RetryPolicy) pauses() *backoff.ExponentialBackOff {
	p = p.filled()
	b := newBackoff(p.first, p.most)
	b.RandomizationFactor = p.jitter
	return b
}

// WithRetryPolicy sets the policy of all operations of the client and its sessions, those of
// recipes included, unless [Ops.WithRetry] says otherwise. The default is [RetryForever].
func WithRetryPolicy(p RetryPolicy) Option {
	return func(s *settings) error {
		if p.err != nil {
			return fmt.Errorf("WithRetryPolicy: %w", p.err)
		}
		s.retry = p
		return nil
	}
}

// WithRetry returns the same operations under another policy:
//
//	data, stat, err := cl.WithRetry(client.RetryFor(2*time.Second)).Get(ctx, "/config")
func (o Ops) WithRetry(p RetryPolicy) Ops {
	o.retry = p
	return o
}

// context is the one for whatever the policy bounds.
func (p RetryPolicy) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.elapsed == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, p.elapsed, fmt.Errorf("%w: not within %v", ErrRetriesExhausted, p.elapsed))
}

// enter waits at the gate, as far as the policy and the breaker let it.
func (o Ops) enter(ctx context.Context, want need) (*Session, error) {
	return o.c.admit(ctx, o.s, want, func() error {
		switch {
		case o.retry.still:
			return fmt.Errorf("%w: %w", ErrNotConnected, ErrRetriesExhausted)
		case o.breaker != nil && o.breaker.Open():
			return fmt.Errorf("%w: %w", ErrNotConnected, ErrCircuitOpen)
		}
		return nil
	})
}

// pause waits before the next attempt, if there is to be one.
func (u *run) pause(ctx context.Context) error {
	p := u.o.retry
	if p.bounded && u.attempts > p.times {
		return fmt.Errorf("%w: %d attempts", ErrRetriesExhausted, u.attempts)
	}
	u.o.c.log.Debug("zookeeper operation repeated", "op", u.r.op.String(), "path", u.r.path, "attempt", u.attempts, "err", u.last)
	if u.backoff == nil {
		u.backoff = p.pauses()
	}
	wait := u.backoff.NextBackOff()
	u.repeats(ctx, wait)
	return sleep(ctx, wait)
}
