package client

import "context"

// Cleanup is [Session.Cleanup] for what the end of a session does not undo, such as a
// persistent node that nobody needs: job is run in the session that is current, and in the
// next ones, until it returns nil or the client is closed. What was not done by then is
// logged as a warning. [Client.Detach] waits for it. over is closed when job will not be run
// again.
func (c *Client) Cleanup(what string, job func(ctx context.Context, s *Session) error) (over <-chan struct{}) {
	end := make(chan struct{})
	if !c.chores.add() {
		c.leftUndone(what)
		close(end)
		return end
	}
	go func() {
		defer c.chores.done()
		defer close(end)
		for {
			s, err := c.Session(c.ctx)
			if err != nil {
				c.leftUndone(what)
				return
			}
			if s.runChore(what, job) {
				return
			}
		}
	}()
	return end
}

// runChore returns when the job is done, which it reports, or the session is over.
func (s *Session) runChore(what string, job func(ctx context.Context, s *Session) error) bool {
	done := make(chan struct{})
	s.Cleanup(what, func(ctx context.Context) error {
		err := job(ctx, s)
		if err == nil {
			close(done) // once: it is not called again
		}
		return err
	})
	select {
	case <-done:
		return true
	case <-s.ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (c *Client) leftUndone(what string) {
	c.log.Warn("zookeeper clean-up given up, the client is closed", "op", what, "err", context.Cause(c.ctx))
}
