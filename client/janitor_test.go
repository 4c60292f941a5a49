package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/internal/jute"
)

// A clean-up is tried until it succeeds, with growing pauses, each try with a bound.
func TestCleanupRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		s := session(t, cl)
		var at []time.Time
		done := make(chan struct{})
		s.Cleanup("test", func(ctx context.Context) error {
			at = append(at, time.Now())
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, 10*time.Second, time.Until(deadline))
			if len(at) == 1 {
				<-ctx.Done() // a try that hangs
				return ctx.Err()
			}
			if len(at) < 12 {
				return errors.New("not yet")
			}
			close(done)
			return nil
		})
		<-done
		require.GreaterOrEqual(t, at[1].Sub(at[0]), 10*time.Second)
		for i := 2; i < len(at); i++ {
			require.Positive(t, at[i].Sub(at[i-1]))
			require.LessOrEqual(t, at[i].Sub(at[i-1]), 7500*time.Millisecond)
		}
		time.Sleep(time.Hour)
		require.Len(t, at, 12, "then it is over")
	})
}

// It ends with the session, and the client's end waits for it.
func TestCleanupEndsWithSession(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes(t)
			cl := p.connect(t, "10.0.0.1:1")
			s := session(t, cl)
			tries, ended := 0, false
			s.Cleanup("fails", func(context.Context) error {
				tries++
				return errors.New("never")
			})
			s.Cleanup("hangs", func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(300 * time.Millisecond) // takes its time to see it
				ended = s.Context().Err() != nil
				return errors.New("never")
			})
			time.Sleep(time.Minute)
			want := client.ErrClosed
			if lost {
				want = client.ErrSessionLost
				p.set(func(p *pipes) { p.expired = func(int64) bool { return true } })
				p.cut()
				<-s.Context().Done()
			}
			require.NoError(t, cl.Close())
			require.ErrorIs(t, context.Cause(s.Context()), want)
			require.True(t, ended, "Close waits for it")
			n := tries
			require.Greater(t, n, 10)
			s.Cleanup("too late", func(context.Context) error {
				require.Fail(t, "the servers have cleaned up")
				return nil
			})
			time.Sleep(time.Hour)
			require.Equal(t, n, tries)
		})
	}
}

// The operations of a clean-up are the session's own, and wait for the connection.
func TestCleanupWhileSuspended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes(t)
		cl := p.connect(t, "10.0.0.1:1")
		st := follow(t, cl)
		s := session(t, cl)
		p.set(func(p *pipes) {
			p.dial = func(context.Context, string) error { return errors.New("connection refused") }
		})
		p.cut()
		st.until(client.Suspended)
		done := make(chan struct{})
		s.Cleanup("delete", func(ctx context.Context) error {
			err := s.Delete(ctx, "/a", client.AnyVersion)
			if err == nil {
				close(done)
			}
			return err
		})
		time.Sleep(5 * time.Second)
		p.set(func(p *pipes) { p.dial = nil })
		wait(t, done, "it was done after the reconnect")
		require.Len(t, p.seen(jute.OpDelete), 1)
	})
}
