package recipes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/zookit/zookit/client"
)

// uprooting is the deletion of an own node that no end of a session deletes, carried on by the
// client until it is gone or the client is closed.
type uprooting struct {
	cl   *client.Client
	path string
	gone chan struct{}   // closed with success
	over <-chan struct{} // closed when nothing more is tried

	mu    sync.Mutex
	next  *refusal // the one to come
	first *refusal // the first one, for whoever waits first, even if it has come by then
}

// refusal is a server's answer that it will not delete the node. It is for those who wait when it comes: the
// next try may do better.
type refusal struct {
	come chan struct{}
	err  error // read after come
}

func newRefusal() *refusal { return &refusal{come: make(chan struct{})} }

// uproot starts the deletion of the node that was made by the transaction token (0: whichever has
// the name, which has to be one's own).
func uproot(cl *client.Client, path string, token int64) *uprooting {
	return startUprooting(cl, path, func(ctx context.Context, s *client.Session) error {
		_, ok, err := standing(ctx, s, path, token)
		if err != nil || !ok {
			return err
		}
		return pulled(s.Delete(ctx, path, client.AnyVersion))
	})
}

// startUprooting has try, which deletes the node at path, repeated until it returns nil.
func startUprooting(cl *client.Client, path string, try func(ctx context.Context, s *client.Session) error) *uprooting {
	u := &uprooting{cl: cl, path: path, gone: make(chan struct{}), next: newRefusal()}
	u.first = u.next
	u.over = cl.Cleanup("delete "+path, func(ctx context.Context, s *client.Session) error {
		err := try(ctx, s)
		switch {
		case err == nil:
			close(u.gone) // once: it is not tried again
		case client.Outcome(err) == client.Definite:
			u.mu.Lock()
			u.next.err = err
			close(u.next.come)
			u.next = newRefusal()
			u.mu.Unlock()
		}
		return err
	})
	return u
}

// pulled takes a node that is gone for deleted.
func pulled(err error) error {
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	return err
}

// wait returns nil once the node is gone, the server's next refusal, or the error of ctx.
func (u *uprooting) wait(ctx context.Context) error {
	u.mu.Lock()
	next := cmp.Or(u.first, u.next)
	u.first = nil
	u.mu.Unlock()
	select {
	case <-u.gone:
	case <-next.come:
	case <-u.over:
	case <-ctx.Done():
	}
	select { // what is known counts for more than the end of the wait
	case <-u.gone:
		return nil
	default:
	}
	select {
	case <-next.come:
		return next.err
	case <-u.over:
		_, err := u.cl.Session(context.WithoutCancel(ctx)) // which is why
		return fmt.Errorf("%s may still be there: %w", u.path, err)
	default:
		return fmt.Errorf("the deletion of %s goes on in the background: %w", u.path, ended(ctx))
	}
}
