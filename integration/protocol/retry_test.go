package protocol

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

// retryStage is a client with a node "/n", behind a proxy, and one that is not.
func retryStage(t *testing.T) (p *faultproxy.Proxy, cl, other *client.Client, ctx context.Context) {
	t.Helper()
	e := ensemble.Start(t, 1)
	ctx = trial.Within(t, time.Minute)
	p = faultproxy.Start(t, e.Servers()[0].Addr())
	cl, other = trial.Connect(t, p.Addr(), client.WithSessionTimeout(20*time.Second)), trial.Connect(t, e.Connect())
	_, err := cl.Create(ctx, "/n", nil)
	require.NoError(t, err)
	return p, cl, other, ctx
}

// sent are the requests that came through the proxy since there were so many.
func sent(p *faultproxy.Proxy, since int) (ops []string) {
	for _, r := range p.Requests()[since:] {
		if !slices.Contains([]int32{faultproxy.OpPing, faultproxy.OpConnect}, r.Op) {
			ops = append(ops, faultproxy.OpName(r.Op))
		}
	}
	return ops
}

// TestRetryWithoutConnection: what each policy does while there is no server.
func TestRetryWithoutConnection(t *testing.T) {
	t.Parallel()
	p, cl, _, ctx := retryStage(t)
	get := func(ctx context.Context, policy client.RetryPolicy) error {
		_, _, err := cl.WithRetry(policy).Get(ctx, "/n")
		return err
	}
	require.NoError(t, get(ctx, client.NoRetry()))
	away(t, p, cl, func() {
		err := get(ctx, client.NoRetry())
		require.ErrorIs(t, err, client.ErrNotConnected)
		require.ErrorIs(t, err, client.ErrRetriesExhausted)
		require.Equal(t, client.NotSent, client.Outcome(err))

		began := time.Now()
		err = get(ctx, client.RetryFor(300*time.Millisecond))
		require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
		require.ErrorIs(t, err, client.ErrNotConnected)
		require.ErrorIs(t, err, client.ErrRetriesExhausted)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "that would be the caller's")

		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		err = get(short, client.RetryForever())
		require.ErrorIs(t, err, client.ErrNotConnected)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, client.ErrRetriesExhausted)
	})
	require.NoError(t, get(ctx, client.RetryTimes(0)), "waiting for a connection is no repetition")
}

// TestRetryOfLostReplies: a policy bounds how often a read is repeated and whether the fate of a
// write is looked up; it has no write run twice.
func TestRetryOfLostReplies(t *testing.T) {
	t.Parallel()
	p, cl, other, ctx := retryStage(t)
	lose := func(op int32, times int) (since int) {
		for range times {
			p.SwallowReply(faultproxy.Op(op))
		}
		return len(p.Requests())
	}

	since := lose(faultproxy.OpGetData, 2)
	_, _, err := cl.WithRetry(client.RetryTimes(2)).Get(ctx, "/n")
	require.NoError(t, err)
	require.Equal(t, []string{"getData", "getData", "getData"}, sent(p, since))

	since = lose(faultproxy.OpGetData, 3)
	_, _, err = cl.WithRetry(client.RetryExponential(time.Millisecond, 10*time.Millisecond).Times(2).Jitter(0)).Get(ctx, "/n")
	require.ErrorIs(t, err, client.ErrRetriesExhausted)
	require.ErrorIs(t, err, client.ErrConnectionLost)
	require.Equal(t, []string{"getData", "getData", "getData"}, sent(p, since))

	for version, policy := range []client.RetryPolicy{client.NoRetry(), client.RetryForever()} {
		_, err = cl.Session(ctx)
		require.NoError(t, err)
		since = lose(faultproxy.OpSetData, 1)
		_, err = cl.WithRetry(policy).Set(ctx, "/n", []byte("x"), int32(version))
		require.Equal(t, client.Unknown, client.Outcome(err), "%v", err)
		require.ErrorIs(t, err, client.ErrConnectionLost)
		_, stat, err := other.Get(ctx, "/n")
		require.NoError(t, err)
		require.EqualValues(t, version+1, stat.Version, "once")
		require.Equal(t, policy == client.RetryForever(), slices.Contains(sent(p, since), "exists"), "looked up: %v", sent(p, since))
	}
}

// TestBreaker: the circuit opens with the loss of the server, then nothing waits; a connection
// that comes and goes is told of once; and what there is a connection for is done all the same.
func TestBreaker(t *testing.T) {
	t.Parallel()
	p, cl, _, ctx := retryStage(t)
	breaker := func(pause time.Duration) (*client.Breaker, <-chan client.State) {
		b, err := client.NewBreaker(cl, client.RetryExponential(pause, pause))
		require.NoError(t, err)
		require.False(t, b.Open())
		told := make(chan client.State, 100)
		go func() {
			for change := range b.States(ctx) {
				told <- change.State
			}
			close(told)
		}()
		require.Equal(t, client.Connected, <-told)
		return b, told
	}
	patient, seldom := breaker(time.Hour)
	quick, soon := breaker(50 * time.Millisecond)
	for range 3 {
		away(t, p, cl, func() {
			_, _, err := patient.Ops().Get(ctx, "/n")
			require.ErrorIs(t, err, client.ErrCircuitOpen)
			require.ErrorIs(t, err, client.ErrNotConnected)
			require.Equal(t, client.NotSent, client.Outcome(err))
		})
		_, _, err := cl.Get(ctx, "/n") // which waits
		require.NoError(t, err)
		require.True(t, patient.Open())
		_, _, err = patient.Ops().Get(ctx, "/n")
		require.NoError(t, err, "there is a connection")
	}
	require.Equal(t, client.Suspended, <-soon)
	require.Equal(t, client.Connected, <-soon)
	require.Eventually(t, func() bool { return !quick.Open() }, time.Minute, 10*time.Millisecond)
	require.NoError(t, cl.Close())
	require.Equal(t, client.Suspended, <-seldom)
	require.Equal(t, client.Closed, <-seldom, "of all that comes and goes nothing was told")
}
