package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
)

// Removal is the deletion of a node that this process has made, carried on by the session's
// janitor until the node is gone or the session is over, whoever waits for it or not. It is safe for
// concurrent use.
type Removal struct {
	session *client.Session
	path    string
	gone    chan struct{} // closed when the node is gone
	settled chan struct{} // closed at the first definite answer
	once    sync.Once
	err     error // of that answer; read after settled
}

// Remove starts the removal of the node at path, which was made in session s. del is one try: it
// returns nil when the node is gone, and is called again, after a pause, for as long as it does
// not; its ctx ends with the session. A nil del deletes the node, whatever its version.
func Remove(s *client.Session, path string, del func(ctx context.Context) error) *Removal {
	if del == nil {
		del = func(ctx context.Context) error { return pulled(s.Delete(ctx, path, client.AnyVersion)) }
	}
	r := &Removal{session: s, path: path, gone: make(chan struct{}), settled: make(chan struct{})}
	s.Cleanup("delete "+path, func(ctx context.Context) error {
		err := del(ctx)
		if err == nil {
			close(r.gone) // once: it is not tried again
		}
		if err == nil || client.Outcome(err) == client.Definite {
			r.once.Do(func() {
				r.err = err
				close(r.settled)
			})
		}
		return err
	})
	return r
}

// Gone tells whether the node is known to be gone.
func (r *Removal) Gone() bool {
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}

// Wait returns nil once the node is gone or its session is over, which amounts to the
// same, unless another process has the session now: client.ErrDetached, client.ErrSessionTaken. Otherwise it
// returns the server's refusal, after which it is tried further, or the error of ctx.
func (r *Removal) Wait(ctx context.Context) error {
	select {
	case <-r.settled:
	case <-r.session.Context().Done():
	case <-ctx.Done():
	}
	if r.Gone() { // what is known counts for more than the end of the wait
		return nil
	}
	over := context.Cause(r.session.Context())
	switch {
	case errors.Is(over, client.ErrDetached), errors.Is(over, client.ErrSessionTaken):
		return fmt.Errorf("%s is its session's: %w", r.path, over)
	case over != nil:
		return nil //nolint:nilerr // and the node with it
	}
	select {
	case <-r.settled:
		return r.err
	default:
		return fmt.Errorf("the removal of %s goes on in the background: %w", r.path, ended(ctx))
	}
}
