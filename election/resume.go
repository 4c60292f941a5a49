package election

import (
	"context"
	"fmt"
	"path"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Handle writes the term down for [Election.Resume], as text by its MarshalText. It holds no
// secret, and may be called after the term's end as well: after client.Client.Detach, for
// example.
func (t *Term) Handle() recipes.GrantHandle { return t.grant.Handle() }

// Resume takes up a term that was written down, so that a process is restarted and its leadership
// stays. The client has to be in the session in which the term began, by client.WithSession. The
// leadership has been held all the time, with the same token and the data that was published.
// Where the former process was not detached Resume first waits until that one cannot believe in
// its leadership any more: up to one session timeout.
//
// Errors: [ErrLost] with the reason if the term is over; client.ErrBadArgument for a handle that
// is the zero value or of another election, and for a term that this client holds already;
// otherwise ctx's and the client's.
func (e *Election) Resume(ctx context.Context, handle recipes.GrantHandle) (*Term, error) {
	if e.err != nil {
		return nil, e.err
	}
	if in := path.Dir(handle.Path()); handle.Path() != "" && in != e.path {
		return nil, fmt.Errorf("election %s: %w: the handle is of a term in %s", e.path, client.ErrBadArgument, in)
	}
	g, err := recipes.Resume(ctx, e.cl, handle)
	if err != nil {
		return nil, fmt.Errorf("election: %w", err)
	}
	t := newTerm(e, g, nil)
	t.data.turn <- struct{}{}
	t.data.tried = true // by the former process, perhaps
	<-t.data.turn
	return t, nil
}
