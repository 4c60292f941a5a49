package client_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

// hangUpOn makes the servers hang up upon an operation, as often as asked.
func hangUpOn(p *pipes, op jute.Op, times int) {
	p.set(func(p *pipes) {
		p.answer = func(f frame) reaction {
			if f.op != op || times == 0 {
				return reaction{}
			}
			times--
			return reaction{hangUp: true}
		}
	})
}

// gaps are the times between requests.
func gaps(frames []frame) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(frames); i++ {
		out = append(out, frames[i].at.Sub(frames[i-1].at))
	}
	return out
}

const eternity = math.MaxInt

// throttle makes the servers refuse an operation without executing it, and keep the connection.
func throttle(p *pipes, op jute.Op) {
	p.set(func(p *pipes) {
		p.answer = func(f frame) reaction {
			if f.op == op {
				return reaction{code: jute.ThrottledOp}
			}
			return reaction{}
		}
	})
}

// The pauses are those of the policy, and it is over when the policy says so.
func TestRetryPauses(t *testing.T) {
	steady := client.RetryExponential(100*time.Millisecond, 350*time.Millisecond).Jitter(0)
	for name, tc := range map[string]struct {
		policy client.RetryPolicy
		want   []time.Duration
	}{
		"times":                 {steady.Times(4), []time.Duration{100, 200, 350, 350}},
		"none":                  {client.NoRetry(), nil},
		"zero times":            {client.RetryTimes(0), nil},
		"time":                  {steady.For(700 * time.Millisecond), []time.Duration{100, 200, 350}},
		"whichever is first, 1": {steady.For(time.Hour).Times(1), []time.Duration{100}},
		"whichever is first, 2": {steady.Times(1000).For(310 * time.Millisecond), []time.Duration{100, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes(t)
				cl := p.connect(t, "10.0.0.1:1")
				throttle(p, jute.OpCreate2)
				began := time.Now()
				_, err := cl.WithRetry(tc.policy).Create(t.Context(), "/x", nil)
				require.ErrorIs(t, err, client.ErrRetriesExhausted)
				require.ErrorIs(t, err, client.ErrThrottled, "the last failure")
				require.NotErrorIs(t, err, context.DeadlineExceeded, "that is for the caller's own")
				require.Equal(t, client.NotSent, client.Outcome(err), "it was refused each time")
				for i := range tc.want {
					tc.want[i] *= time.Millisecond
				}
				require.Equal(t, tc.want, gaps(p.seen(jute.OpCreate2)))
				require.Less(t, time.Since(began), 1100*time.Millisecond)
			})
		})
	}
}

// By default it goes on until the context ends, with pauses around 5 ms to 1 s.
func TestRetryForever(t *testing.T) {
	for _, policy := range []client.RetryPolicy{{}, client.RetryForever()} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl := p.connect(t, "10.0.0.1:1", client.WithRetryPolicy(policy))
			throttle(p, jute.OpGetData)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, _, err := cl.Get(ctx, "/x")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, client.ErrRetriesExhausted)
			pauses := gaps(p.seen(jute.OpGetData))
			require.Greater(t, len(pauses), 2400)
			different := map[time.Duration]bool{}
			for i, pause := range pauses {
				middle := min(time.Second, 5*time.Millisecond<<min(i, 10))
				require.InDelta(t, middle, pause, float64(middle/2+time.Microsecond))
				different[pause] = true
			}
			require.Greater(t, len(different), 2000, "by chance")
		})
	}
}

// What a lost reply leaves in doubt stays in doubt: no policy repeats a write for it.
func TestRetryNeverRunsAWriteTwice(t *testing.T) {
	for _, policy := range []client.RetryPolicy{client.NoRetry(), client.RetryTimes(9), client.RetryFor(time.Hour), client.RetryForever()} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl := p.connect(t, "10.0.0.1:1")
			hangUpOn(p, jute.OpCreate2, eternity)
			_, err := cl.WithRetry(policy).Create(t.Context(), "/x", nil)
			require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
			require.NotErrorIs(t, err, client.ErrRetriesExhausted)
			require.Len(t, p.seen(jute.OpCreate2), 1)
		})
	}
}

// A read that was lost is repeated as often as the policy has it, and its outcome is
// then what it is.
func TestRetryOfLostReads(t *testing.T) {
	for times := range 3 {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl := p.connect(t, "10.0.0.1:1")
			hangUpOn(p, jute.OpGetData, 2)
			_, _, err := cl.WithRetry(client.RetryTimes(times)).Get(t.Context(), "/x")
			require.Len(t, p.seen(jute.OpGetData), times+1)
			if times == 2 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, client.ErrRetriesExhausted)
			require.ErrorIs(t, err, client.ErrConnectionLost)
			require.Equal(t, client.Unknown, client.Outcome(err))
		})
	}
}

// Without a connection: NoRetry fails at once, a bound in time ends the wait, and a number
// of times does not count it.
func TestRetryAtTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1", client.WithRetryPolicy(client.NoRetry()))
		st := follow(t, cl)
		p.set(func(p *pipes) {
			p.dial = func(context.Context, string) error { return errors.New("connection refused") }
		})
		p.cut()
		st.until(client.Suspended)
		for _, target := range []client.Ops{cl.Ops, cl.WithRetry(client.RetryFor(3 * time.Second)), cl.WithRetry(client.RetryForever()).WithRetry(client.NoRetry())} {
			began := time.Now()
			_, err := target.Create(t.Context(), "/x", nil)
			require.ErrorIs(t, err, client.ErrNotConnected)
			require.ErrorIs(t, err, client.ErrRetriesExhausted)
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, client.NotSent, client.Outcome(err))
			require.Contains(t, []time.Duration{0, 3 * time.Second}, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := cl.WithRetry(client.RetryFor(3*time.Second)).Create(ctx, "/x", nil)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the context's end is the context's")
		require.NotErrorIs(t, err, client.ErrRetriesExhausted)
		time.AfterFunc(2*time.Second, func() { p.set(func(p *pipes) { p.dial = nil }) })
		_, err = cl.WithRetry(client.RetryTimes(0)).Create(t.Context(), "/x", nil)
		require.NoError(t, err, "waiting is no attempt")
		require.Len(t, p.seen(), 1)
	})
}

// A session's operations are copied with their session, and the default is that of the client.
func TestRetryOfSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1", client.WithRetryPolicy(client.RetryTimes(1)))
		s := session(t, cl)
		throttle(p, jute.OpExists)
		_, _, err := s.Exists(t.Context(), "/x")
		require.ErrorIs(t, err, client.ErrRetriesExhausted)
		require.Len(t, p.seen(jute.OpExists), 2)
		bound := s.WithRetry(client.RetryForever())
		p.set(func(p *pipes) {
			p.answer = nil
			p.expired = func(id int64) bool { return id == s.ID() }
		})
		p.cut()
		wait(t, s.Context().Done(), "the session is over")
		_, _, err = bound.Exists(t.Context(), "/x")
		require.ErrorIs(t, err, client.ErrSessionLost, "bound to its session")
		_, _, err = s.Client().Exists(t.Context(), "/x")
		require.NoError(t, err)
	})
}

// The look-up after a lost reply is within the policy's time, too: then the outcome
// stays unknown.
func TestRetryBoundsTheLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.set(func(p *pipes) {
			p.answer = func(f frame) reaction { return reaction{hangUp: f.op == jute.OpCreate2, ignore: f.op == jute.OpMulti} }
		})
		began := time.Now()
		_, err := cl.WithRetry(client.RetryFor(2*time.Second)).Create(t.Context(), "/n/"+unique, nil, client.WithProtection(unique))
		require.Equal(t, 2*time.Second, time.Since(began))
		require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
		require.ErrorIs(t, err, client.ErrRetriesExhausted)
		require.ErrorIs(t, err, client.ErrConnectionLost)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}

// The bound in time does not give up an attempt that is under way.
func TestRetryLeavesAttemptsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		p.set(func(p *pipes) {
			p.answer = func(frame) reaction { return reaction{after: 2 * time.Second} }
		})
		_, err := cl.WithRetry(client.RetryFor(time.Second)).Create(t.Context(), "/x", nil)
		require.NoError(t, err)
	})
}

// A policy that cannot work is said to be so, before anything is sent.
func TestRetryPolicyArguments(t *testing.T) {
	p := &dials{}
	for want, policy := range map[string]client.RetryPolicy{
		"RetryExponential: the pauses 0s up to 1s":  client.RetryExponential(0, time.Second),
		"RetryExponential: the pauses 2s up to 1s":  client.RetryExponential(2*time.Second, time.Second),
		"RetryExponential: the pauses -1s up to 1s": client.RetryExponential(-time.Second, time.Second).Times(-2),
		"Times: -1 is negative":                     client.RetryTimes(-1),
		"For: 0s is not positive":                   client.RetryFor(0),
		"For: -1s is not positive":                  client.RetryPolicy{}.For(-time.Second),
		"Jitter: 1.5":                               client.RetryForever().Jitter(1.5),
		"Jitter: NaN":                               client.RetryForever().Jitter(math.NaN()),
	} {
		_, err := client.Connect(t.Context(), "10.0.0.1:1", client.WithDialer(p.dial), client.WithRetryPolicy(policy))
		require.ErrorIs(t, err, client.ErrBadArgument)
		require.ErrorContains(t, err, "WithRetryPolicy: invalid argument: retry policy: "+want)
	}
	require.Zero(t, p.count())
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		_, err := cl.WithRetry(client.RetryTimes(-1)).Set(t.Context(), "/x", nil, 0)
		require.ErrorIs(t, err, client.ErrBadArgument)
		require.Equal(t, client.NotSent, client.Outcome(err))
		_, err = client.NewBreaker(cl, client.RetryTimes(-1))
		require.ErrorIs(t, err, client.ErrBadArgument)
		require.Empty(t, p.seen())
	})
}
