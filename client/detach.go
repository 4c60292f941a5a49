package client

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Detach ends the client and leaves its session open, with all its ephemeral nodes, for
// the next process to take up with [WithSession] within the session's timeout: a restart
// that keeps its locks. Finish the work under grants before; grants that are not to be
// handed on have to be released before as well.
//
// It first announces itself ([Session.Detaching]), so that recipes give up what they
// only wait for, and waits for that and for the clean-up under way. From then on
// nothing new is granted in this session. Then it makes sure that the session lives, ends the contexts
// of the session and its grants with [ErrDetached], and closes the connection. When it returns all
// goroutines of the client have ended, and [Client.Close] has nothing to do.
//
// If ctx ends before that, or the session is lost, the error says so, and the client goes
// on, but for what has given up: Detach or Close it. Errors: [ErrSessionLost], [ErrClosed], those
// of [Session.Handle]; ctx's.
func (c *Client) Detach(ctx context.Context) (SessionHandle, error) {
	h, err := c.detach(ctx)
	if err != nil {
		return SessionHandle{}, fmt.Errorf("detach: %w", err)
	}
	return h, nil
}

func (c *Client) detach(ctx context.Context) (SessionHandle, error) {
	s, err := c.Session(ctx)
	if err != nil {
		return SessionHandle{}, err
	}
	s.detaching.give()
	var h SessionHandle
	for {
		for _, t := range []*tally{&s.work, &c.chores} { // in that order: work leaves chores
			select {
			case <-t.idle():
			case <-s.ctx.Done():
				return SessionHandle{}, context.Cause(s.ctx)
			case <-ctx.Done():
				return SessionHandle{}, fmt.Errorf("work in the session goes on: %w", ctxError(ctx))
			}
		}
		if h, err = s.handle(ctx); err != nil {
			return SessionHandle{}, err
		}
		if err = s.Confirm(ctx); err != nil && !errors.Is(err, ErrNoNode) {
			return SessionHandle{}, err
		}
		if s.work.shutIdle() {
			break
		}
	}
	s.claim.mu.Lock()
	// Before that the holder before this one may be alive, and who comes next has to wait.
	h.detached = !time.Now().Before(s.claim.exclusive)
	s.claim.mu.Unlock()
	h.zxid = s.link.LastZxid()
	if !c.closing.CompareAndSwap(false, true) {
		return SessionHandle{}, ErrClosed
	}
	s.claim.left.Store(true)
	c.cancel(ErrDetached)
	c.wg.Wait()
	<-c.chores.shut()
	close(c.closed)
	if cause := context.Cause(s.ctx); !errors.Is(cause, ErrDetached) {
		return SessionHandle{}, cause
	}
	return h, nil
}

// Detaching is closed when [Client.Detach] wants to leave the session to another process:
// what waits for something in it, and does not have it yet, is to give up and to delete
// its nodes.
func (s *Session) Detaching() <-chan struct{} { return s.detaching.c }

// Begin announces work whose traces in the session must not be left to another process
// unfinished: [Client.Detach] waits until end has been called, which has to happen once. The
// error, when the session is being detached, is [ErrDetached]. Such work ends
// when [Session.Detaching] is closed; what it leaves to [Session.Cleanup] is waited for as well.
func (s *Session) Begin() (end func(), err error) {
	if !s.work.add() {
		return nil, ErrDetached
	}
	select {
	case <-s.detaching.c:
		s.work.done()
		return nil, ErrDetached
	default:
		return s.work.done, nil
	}
}
