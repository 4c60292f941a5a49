package scenario

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
)

const (
	resumeLock    = "/resume/lock"
	resumeData    = "/resume/data"
	resumeTimeout = 4 * time.Second
)

// inLine waits for the lock in this process and tells when it got it.
type inLine struct {
	got  chan *lock.Held
	when time.Time // to be read after got
}

// stand joins the line behind whoever has the lock.
func stand(t *testing.T, ctx context.Context, cl *client.Client) *inLine { //nolint:revive // t first
	t.Helper()
	c := &inLine{got: make(chan *lock.Held, 1)}
	mutex := lock.NewMutex(cl, resumeLock)
	before, err := mutex.Contenders(ctx)
	require.NoError(t, err)
	go func() {
		held, err := mutex.Lock(ctx)
		if err == nil {
			c.when = time.Now()
			c.got <- held
		}
	}()
	require.Eventually(t, func() bool {
		now, err := mutex.Contenders(ctx)
		return err == nil && len(now) == len(before)+1
	}, 20*time.Second, 10*time.Millisecond)
	return c
}

// requireOut fails if it gets the lock meanwhile.
func (c *inLine) requireOut(t *testing.T, meanwhile time.Duration) {
	t.Helper()
	timer := time.NewTimer(meanwhile)
	defer timer.Stop()
	select {
	case held := <-c.got:
		c.got <- held
	case <-timer.C:
	}
	require.Empty(t, c.got, "somebody else got the lock in between")
}

func (c *inLine) requireIn(t *testing.T, ctx context.Context, token int64) { //nolint:revive // t first
	t.Helper()
	select {
	case held := <-c.got:
		require.Greater(t, held.Token(), token)
		require.NoError(t, held.Unlock(ctx))
	case <-ctx.Done():
		require.FailNow(t, "the next in line never got the lock")
	}
}

// leftFor is where processes leave their handles.
func leftFor(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(childFiles, dir)
	return dir
}

func resumeStage(t *testing.T, servers int) (*ensemble.Ensemble, *client.Client, context.Context) {
	t.Helper()
	e := ensemble.Start(t, servers)
	ctx := trial.Within(t, 2*time.Minute)
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(resumeTimeout))
	_, err := cl.Create(ctx, resumeData, []byte("first"), client.WithParents())
	require.NoError(t, err)
	return e, cl, ctx
}

// TestResumeAfterDetach: a process takes a lock, detaches and exits; the next process takes
// the lock up, with the same token and without waiting. Whoever stood in line in the
// first process has left it; who stands in line elsewhere gets the lock when the second unlocks.
func TestResumeAfterDetach(t *testing.T) {
	e, cl, ctx := resumeStage(t, 3)
	leftFor(t)
	a := startChild(t, "resumable", e.Connect())
	token := a.next("held").Token
	a.do("wait in line")
	requireContenders(t, ctx, cl, resumeLock, 2)
	c := stand(t, ctx, cl)
	a.do("detach")
	require.Equal(t, "detached", a.next("waiter").Err)
	require.Equal(t, "detached", a.next("ended").Err)
	require.Empty(t, a.next("detached").Err)
	require.NoError(t, a.exited())
	requireContenders(t, ctx, cl, resumeLock, 2)

	start := time.Now()
	b := startChild(t, "resume", e.Connect())
	require.Empty(t, b.next("connected").Err)
	r := b.next("held")
	require.Less(t, time.Since(start), resumeTimeout, "there is nobody to wait for")
	require.Equal(t, token, r.Token)
	c.requireOut(t, 2*resumeTimeout)
	b.do("write")
	require.Empty(t, b.next("written").Err)
	b.do("unlock")
	require.Empty(t, b.next("unlocked").Err)
	c.requireIn(t, ctx, token)
}

// TestResumeAfterCrash: a process that has written its handles down is killed; the next one
// takes the lock up within the session's timeout, holds it when the dead process
// could not have believed in it any more, and nobody gets in between.
func TestResumeAfterCrash(t *testing.T) {
	e, cl, ctx := resumeStage(t, 1)
	leftFor(t)
	a := startChild(t, "resumable", e.Connect())
	token := a.next("held").Token
	c := stand(t, ctx, cl)
	require.NoError(t, a.cmd.Process.Kill())
	require.Error(t, a.exited())
	b := startChild(t, "resume", e.Connect())
	connected := b.next("connected")
	r := b.next("held")
	require.Equal(t, token, r.Token)
	require.GreaterOrEqual(t, r.At.Sub(connected.At), resumeTimeout)
	c.requireOut(t, 0)
	b.do("unlock")
	require.Empty(t, b.next("unlocked").Err)
	c.requireIn(t, ctx, token)
}

// TestResumeFromStoppedProcess: a process is stopped, another takes its lock up, and the first
// goes on. Its lock ends, because the session was taken, before the other's begins, and
// a write of it that was under way is refused.
func TestResumeFromStoppedProcess(t *testing.T) {
	for name, servers := range map[string]int{"one server": 1, "three servers": 3} {
		t.Run(name, func(t *testing.T) {
			e, cl, ctx := resumeStage(t, servers)
			leftFor(t)
			a := startChild(t, "resumable", e.Connect())
			token := a.next("held").Token
			c := stand(t, ctx, cl)
			require.NoError(t, a.cmd.Process.Signal(syscall.SIGSTOP))
			b := startChild(t, "resume", e.Connect())
			require.Empty(t, b.next("connected").Err)
			a.do("write")
			require.NoError(t, a.cmd.Process.Signal(syscall.SIGCONT))
			var ended report
			for range 2 { // in whichever order it finds out
				switch r := a.nextOf("written", "ended"); r.Event {
				case "written":
					require.NotEmpty(t, r.Err, "the former holder's write was accepted")
				case "ended":
					ended = r
				}
			}
			require.Equal(t, "taken", ended.Err)
			r := b.next("held")
			require.Equal(t, token, r.Token)
			require.True(t, ended.At.Before(r.At), "the former holder's lock ended at %v, the next one's began at %v", ended.At, r.At)
			a.do("close")
			require.Empty(t, a.next("closed").Err)
			c.requireOut(t, 0)
			data, _, err := cl.Get(ctx, resumeData)
			require.NoError(t, err)
			require.Equal(t, "first", string(data))
			b.do("write")
			require.Empty(t, b.next("written").Err)
			b.do("unlock")
			require.Empty(t, b.next("unlocked").Err)
			c.requireIn(t, ctx, token)
		})
	}
}

// TestResumeTwice: of two processes that try with the same handle, while its writer is alive and well,
// the first gets the session, the writer learns, and the second is refused.
func TestResumeTwice(t *testing.T) {
	e, cl, ctx := resumeStage(t, 3)
	dir := leftFor(t)
	a := startChild(t, "resumable", e.Connect())
	token := a.next("held").Token
	c := stand(t, ctx, cl)
	// The first writes a handle of its own; the second gets the old one.
	old, err := os.ReadFile(filepath.Join(dir, "session"))
	require.NoError(t, err)
	b := startChild(t, "resume", e.Connect())
	require.Empty(t, b.next("connected").Err)
	ended := a.next("ended")
	require.Equal(t, "taken", ended.Err)
	r := b.next("held")
	require.Equal(t, token, r.Token)
	require.True(t, ended.At.Before(r.At))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "session"), old, 0o600))
	second := startChild(t, "resume", e.Connect())
	require.Equal(t, "taken", second.next("connected").Err)
	require.Error(t, second.exited())
	c.requireOut(t, 2*resumeTimeout)
	b.do("write")
	require.Empty(t, b.next("written").Err)
	b.do("unlock")
	require.Empty(t, b.next("unlocked").Err)
	c.requireIn(t, ctx, token)
}

// endOf says in a word why a lock or a wait has ended.
func endOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, client.ErrSessionTaken):
		return "taken"
	case errors.Is(err, client.ErrDetached):
		return "detached"
	default:
		return err.Error()
	}
}
