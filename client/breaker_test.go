package client_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

// flaky is a client whose connection comes and goes as told, in a bubble.
type flaky struct {
	t  *testing.T
	p  *pipes
	cl *client.Client
	b  *client.Breaker
}

func newFlaky(t *testing.T, policy client.RetryPolicy, opts ...client.Option) *flaky {
	p := newPipes(t)
	cl := p.connect(t, "10.0.0.1:1", opts...)
	b, err := client.NewBreaker(cl, policy)
	require.NoError(t, err)
	return &flaky{t: t, p: p, cl: cl, b: b}
}

// down takes the ensemble away, up brings it back; both return when the client knows.
func (f *flaky) down() {
	f.p.set(func(p *pipes) {
		p.dial = func(context.Context, string) error { return errors.New("connection refused") }
	})
	f.p.cut()
	synctest.Wait()
}

func (f *flaky) up() {
	f.p.set(func(p *pipes) { p.dial = nil })
	_, err := f.cl.Session(f.t.Context())
	require.NoError(f.t, err)
	synctest.Wait()
}

// listen collects what a listener is told, as words.
func (f *flaky) listen(seq func(func(client.StateChange) bool)) func() string {
	var mu sync.Mutex
	var words []string
	go func() {
		for change := range seq {
			mu.Lock()
			words = append(words, change.State.String())
			mu.Unlock()
		}
	}()
	synctest.Wait()
	return func() string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(words, " ")
	}
}

// sleepUntil sleeps until so many seconds after began.
func sleepUntil(began time.Time, seconds float64) {
	time.Sleep(time.Until(began.Add(time.Duration(seconds * float64(time.Second)))))
	synctest.Wait()
}

// everySecond has the circuit looked at each second.
var everySecond = client.RetryExponential(time.Second, time.Second)

// A connection that comes and goes is one loss and, when the pause is over, one return.
func TestBreakerHidesFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, everySecond)
		heard := f.listen(f.b.States(t.Context()))
		require.Equal(t, "connected", heard())
		require.False(t, f.b.Open())
		began := time.Now()
		for range 3 {
			f.down()
			f.up()
		}
		require.Less(t, time.Since(began), time.Second)
		require.True(t, f.b.Open(), "although there is a connection")
		require.Equal(t, "connected suspended", heard())
		late := f.listen(f.b.States(t.Context()))
		require.Equal(t, "suspended", late(), "who comes late is told the same")
		sleepUntil(began, 0.999)
		require.Equal(t, "connected suspended", heard())
		sleepUntil(began, 1.001)
		require.Equal(t, "connected suspended connected", heard())
		require.Equal(t, "suspended connected", late())
		require.False(t, f.b.Open())
		f.down()
		require.Equal(t, "connected suspended connected suspended", heard(), "the next loss is a loss again")
	})
}

// The first loss of the session always goes through, and only the first.
func TestBreakerLetsLostThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, client.RetryExponential(time.Hour, time.Hour))
		heard := f.listen(f.b.States(t.Context()))
		began := time.Now()
		for range 2 { // each is one session
			f.down()
			time.Sleep(time.Minute)
			f.up()
		}
		require.EqualValues(t, 3, f.cl.State().Epoch)
		require.Equal(t, "connected suspended lost", heard())
		sleepUntil(began, 3601)
		require.Equal(t, "connected suspended lost connected", heard())
		require.NoError(t, f.cl.Close())
		require.Equal(t, "connected suspended lost connected closed", heard())
	})
}

// One loss after the other, each a circuit of its own, and nobody asks meanwhile.
func TestBreakerIsAskedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, everySecond)
		began := time.Now()
		f.down()
		f.up()
		sleepUntil(began, 2.5)
		f.down()
		f.up()
		sleepUntil(began, 3.2)
		require.True(t, f.b.Open(), "since the second")
		sleepUntil(began, 3.6)
		require.False(t, f.b.Open())
	})
}

// A circuit that the session's loss has opened lets no other through.
func TestBreakerOpenedByLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, client.RetryExponential(30*time.Second, 30*time.Second).Times(0), client.WithSessionTimeout(time.Minute))
		heard := f.listen(f.b.States(t.Context()))
		began := time.Now()
		f.down()
		sleepUntil(began, 31)
		require.False(t, f.b.Open())
		sleepUntil(began, 61) // it has been lost
		require.True(t, f.b.Open())
		f.up()
		f.p.set(func(p *pipes) { p.expired = func(id int64) bool { return id == 2 } })
		f.p.cut()
		sleepUntil(began, 85)
		require.EqualValues(t, 3, f.cl.State().Epoch)
		require.Equal(t, "connected suspended lost", heard())
		sleepUntil(began, 95)
		require.Equal(t, "connected suspended lost connected", heard())
	})
}

// While there is no connection when a pause is over the next one begins; when the policy is over
// the state is told as it is, if it is another one.
func TestBreakerFollowsItsPolicy(t *testing.T) {
	doubling := client.RetryExponential(time.Second, time.Minute) // looks after 1, 3, 7, 15 s
	for name, tc := range map[string]struct {
		policy       client.RetryPolicy
		back, closes float64
		heard        string
	}{
		"for ever":                      {doubling, 4, 7, "connected suspended connected"},
		"times":                         {doubling.Times(1), 4, 3, "connected suspended connected"},
		"time":                          {doubling.For(7 * time.Second), 8, 7, "connected suspended connected"},
		"none":                          {client.NoRetry(), 1, 0.005, "connected suspended connected"},
		"until the session was lost":    {doubling.Times(3), 16, 15, "connected suspended lost connecting connected"},
		"and its loss has been told of": {doubling.Times(4), 20, 31, "connected suspended lost connected"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFlaky(t, tc.policy)
				heard := f.listen(f.b.States(t.Context()))
				asked := newFlakyBreaker(t, f, tc.policy) // is not asked before the end
				began := time.Now()
				f.down()
				comeBack := func() {
					sleepUntil(began, tc.back)
					f.up()
				}
				if tc.back < tc.closes {
					comeBack()
				}
				sleepUntil(began, tc.closes-0.002)
				require.True(t, f.b.Open())
				sleepUntil(began, tc.closes+0.002)
				require.False(t, f.b.Open())
				require.False(t, asked.Open(), "it does not depend on when it is asked")
				if tc.back > tc.closes {
					comeBack()
				}
				sleepUntil(began, tc.closes+30)
				require.Equal(t, tc.heard, heard())
			})
		})
	}
}

func newFlakyBreaker(t *testing.T, f *flaky, policy client.RetryPolicy) *client.Breaker {
	t.Helper()
	b, err := client.NewBreaker(f.cl, policy)
	require.NoError(t, err)
	return b
}

// While the circuit is open operations fail at once instead of waiting, and are executed
// when there is a connection.
func TestBreakerFailsFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, everySecond.Times(2))
		ops := f.b.Ops()
		began := time.Now()
		f.down()
		for _, op := range operations() {
			err := op.do(t.Context(), ops)
			require.ErrorIs(t, err, client.ErrCircuitOpen, op.name)
			require.ErrorIs(t, err, client.ErrNotConnected, op.name)
			require.Equal(t, client.NotSent, client.Outcome(err), op.name)
		}
		require.Zero(t, time.Since(began))
		f.up()
		require.True(t, f.b.Open())
		require.NoError(t, ops.Sync(t.Context(), "/"), "there is a connection")
		f.down()
		require.ErrorIs(t, ops.Sync(t.Context(), "/"), client.ErrCircuitOpen)
		sleepUntil(began, 3.001) // the policy is over
		require.False(t, f.b.Open())
		time.AfterFunc(2*time.Second, func() { f.p.set(func(p *pipes) { p.dial = nil }) })
		require.NoError(t, ops.Sync(t.Context(), "/"), "it waits")
		require.GreaterOrEqual(t, time.Since(began), 5*time.Second)
		f.down()
		require.ErrorIs(t, ops.WithRetry(client.RetryTimes(3)).Sync(t.Context(), "/"), client.ErrCircuitOpen, "it opens again")
	})
}

// A read that was lost is not repeated into an open circuit.
func TestBreakerEndsRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, everySecond)
		f.p.set(func(p *pipes) {
			p.answer = func(frame) reaction { return reaction{hangUp: true} }
			p.dial = func(context.Context, string) error { return errors.New("connection refused") }
		})
		err := f.b.Ops().Sync(t.Context(), "/")
		require.ErrorIs(t, err, client.ErrCircuitOpen)
		require.ErrorIs(t, err, client.ErrConnectionLost)
		require.Equal(t, client.Unknown, client.Outcome(err))
	})
}

// A breaker of a client that is not connected begins with an open circuit; one of a
// client that is closed has nothing more to say.
func TestBreakerOfClientWithoutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, everySecond)
		f.down()
		time.Sleep(100 * time.Millisecond)
		b := newFlakyBreaker(t, f, everySecond)
		require.True(t, b.Open())
		heard := f.listen(b.States(t.Context()))
		f.up()
		require.Equal(t, "suspended", heard())
		time.Sleep(time.Second)
		require.Equal(t, "suspended connected", heard())
		require.NoError(t, f.cl.Close())
		require.Equal(t, "suspended connected closed", heard())
		last := newFlakyBreaker(t, f, everySecond)
		require.False(t, last.Open())
		require.Equal(t, "closed", f.listen(last.States(t.Context()))())
		require.ErrorIs(t, last.Ops().Sync(t.Context(), "/"), client.ErrClosed)
	})
}

// The sequence ends with its context and with its consumer.
func TestBreakerStatesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky(t, everySecond)
		for range f.b.States(t.Context()) {
			break
		}
		f.down()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		n := 0
		for range f.b.States(ctx) {
			n++
		}
		require.Equal(t, 1, n)
	})
}
