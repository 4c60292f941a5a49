package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// janitor finishes what callers had to leave: the deletion of nodes whose fate was
// not known when a context ended. Each job has a goroutine of its own, which ends
// with success or with the session: then the servers clean up.
type janitor struct {
	s    *Session
	mu   sync.Mutex
	wg   sync.WaitGroup
	jobs atomic.Int64 // under way
	no   bool         // the session is over and its jobs are waited for
}

const (
	cleanupTry   = 10 * time.Second
	cleanupFirst = 20 * time.Millisecond
	cleanupMost  = 5 * time.Second
)

func newJanitor(s *Session) *janitor { return &janitor{s: s} }

// Cleanup runs job in the background until it returns nil or the session is over,
// with jittered pauses between tries. It is for what has to be undone although the
// caller's context has ended; what is for the log. job gets a context that is bounded
// for each try and ends with the session; it has to be repeatable.
func (s *Session) Cleanup(what string, job func(ctx context.Context) error) {
	j := s.janitor
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.no || s.ctx.Err() != nil || !s.work.add() {
		return
	}
	j.jobs.Add(1)
	j.wg.Go(func() {
		defer s.work.done()
		defer j.jobs.Add(-1)
		j.run(what, job)
	})
}

func (j *janitor) run(what string, job func(ctx context.Context) error) {
	pause := newBackoff(cleanupFirst, cleanupMost)
	for n := 1; ; n++ {
		ctx, cancel := context.WithTimeout(j.s.ctx, cleanupTry)
		err := job(ctx)
		cancel()
		if err == nil || j.s.ctx.Err() != nil {
			return
		}
		j.s.c.log.Debug("zookeeper clean-up goes on", "session", sessionName(j.s.id), "op", what, "attempt", n, "err", err)
		if sleep(j.s.ctx, pause.NextBackOff()) != nil {
			return
		}
	}
}

// wait returns when all jobs have ended; it is called when the session is over.
func (j *janitor) wait() {
	j.mu.Lock()
	j.no = true
	j.mu.Unlock()
	j.wg.Wait()
}
