package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
)

// removal is the deletion of an own node, carried on by the client's janitor until
// the node is gone or the session is over, whoever waits for it or not.
type removal struct {
	session *client.Session
	path    string
	settled chan struct{} // closed at the first definite answer
	once    sync.Once
	err     error // of that answer; read after settled
}

// remove starts the removal of a node that this process created under session s.
func remove(s *client.Session, path string) *removal {
	r := &removal{session: s, path: path, settled: make(chan struct{})}
	s.Cleanup("delete "+path, r.try)
	return r
}

// try is one try of the janitor.
func (r *removal) try(ctx context.Context) error {
	err := r.session.Delete(ctx, r.path, client.AnyVersion)
	if errors.Is(err, client.ErrNoNode) {
		err = nil
	}
	if err == nil || client.Outcome(err) == client.Definite {
		r.once.Do(func() {
			r.err = err
			close(r.settled)
		})
	}
	return err
}

// wait returns nil once the node is gone or the session is over, which amounts to
// the same; the server's refusal if it refuses; or the error of ctx.
func (r *removal) wait(ctx context.Context) error {
	select {
	case <-r.settled:
		return r.err
	case <-r.session.Context().Done():
		return nil
	case <-ctx.Done():
	}
	select {
	case <-r.settled: // what is known counts for more than the end of the wait
		return r.err
	default:
		return fmt.Errorf("the removal of %s goes on in the background: %w", r.path, ended(ctx))
	}
}
