package lock

import (
	"context"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Handle writes the lock down for [Resume], as text by its MarshalText. It holds no
// secret, and may be called after the lock's end as well: after client.Client.Detach,
// for example.
func (h *Held) Handle() recipes.GrantHandle { return h.grant.Handle() }

// Resume takes up a lock that was written down. cl has to be in the session that the
// lock was taken in, by client.WithSession; its chroot must be the same. The lock has been
// held all the time, its token is the same, and nobody else got it in between. Where
// the former process was not detached Resume first waits until that one cannot believe
// in the lock any more: up to one session timeout after the session was taken up.
//
// Errors: [ErrLost] with the reason if the lock is lost: the session was over, or somebody
// deleted the lock's node; client.ErrBadArgument for a handle that is the zero value, and for
// a lock that this client holds already; otherwise ctx's and the client's.
func Resume(ctx context.Context, cl *client.Client, handle recipes.GrantHandle) (*Held, error) {
	return held(recipes.Resume(ctx, cl, handle))
}
