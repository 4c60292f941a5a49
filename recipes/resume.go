package recipes

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/zookit/zookit/client"
)

// Resume takes up a grant that was written down ([Grant.Handle]): cl has to be in the
// session that the grant lives in, by client.WithSession. Nobody else has been granted it in
// between, and its token is the same. Whoever may have held it before in that session
// does not any more: where the former process was not detached, Resume waits for that
// ([client.Session.Exclusive]), up to the session's timeout after it was taken up.
//
// Errors: [ErrGrantLost] with the reason if there is no such grant any more:
// client.ErrSessionLost, because cl has another session; client.ErrHoldDeleted, because the
// node is gone or is another one. client.ErrBadArgument for a handle that is the zero
// value, and for a grant that this client holds already. Otherwise ctx's and what the client
// and the server say. The grant is left as it is then, and can be resumed later.
func Resume(ctx context.Context, cl *client.Client, h GrantHandle) (*Grant, error) {
	if cl == nil || h.session == 0 {
		return nil, fmt.Errorf("resume: %w: the client is nil, or the handle the zero value", client.ErrBadArgument)
	}
	g, err := resume(ctx, cl, h)
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", h.path, err)
	}
	return g, nil
}

func resume(ctx context.Context, cl *client.Client, h GrantHandle) (*Grant, error) {
	s, err := cl.Session(ctx)
	if err != nil {
		return nil, err
	}
	if s.ID() != h.session {
		return nil, fmt.Errorf("%w: %w: it lived in %#x, and this is %#x", ErrGrantLost, client.ErrSessionLost, uint64(h.session), uint64(s.ID()))
	}
	g, err := take(ctx, s, h, time.Now())
	switch {
	case errors.Is(err, client.ErrSessionLost):
		return nil, fmt.Errorf("%w: %w", ErrGrantLost, err)
	case errors.Is(err, client.ErrNoNode):
		return nil, fmt.Errorf("%w: %w", ErrGrantLost, client.ErrHoldDeleted)
	}
	return g, err
}

func take(ctx context.Context, s *client.Session, h GrantHandle, asked time.Time) (*Grant, error) {
	paths := h.paths()
	for i, found := range existing(ctx, s, paths) {
		switch {
		case found.Err != nil:
			return nil, found.Err
		case !found.Exists:
			return nil, client.ErrNoNode
		case found.Stat.Czxid != h.node || found.Stat.EphemeralOwner != h.session:
			return nil, fmt.Errorf("%w: %w: there is another node of the name %s", ErrGrantLost, client.ErrHoldDeleted, paths[i])
		}
	}
	if err := s.Exclusive(ctx); err != nil {
		return nil, err
	}
	if err := s.Confirm(ctx, paths...); err != nil {
		return nil, err
	}
	g, err := grantOf(ctx, s, path.Dir(h.path), paths, h.token, asked, nil)
	if err == nil {
		g.node = h.node
	}
	return g, err
}

// existing asks for several nodes in one flight.
func existing(ctx context.Context, s *client.Session, paths []string) []client.BatchResult {
	b := s.Batch()
	for _, p := range paths {
		b.Exists(p)
	}
	found, err := b.Do(ctx)
	if found == nil { // not one could be sent
		return []client.BatchResult{{Err: err}}
	}
	return found
}

// grantOf makes a grant of the session's own nodes in dir as soon as they are
// confirmed for long enough. A single one is removed by del, unless that is nil.
func grantOf(ctx context.Context, s *client.Session, dir string, paths []string, token int64, asked time.Time, del func(context.Context) error) (*Grant, error) {
	var pace pace
	for {
		// What is left must outlast the first confirmation of the holds, which is due after a
		// fifth of the timeout.
		if time.Until(s.ConfirmedUntil()) <= s.Timeout()/3 {
			if err := s.Confirm(ctx, paths...); err != nil {
				return nil, err
			}
		}
		parts, err := hold(s, paths)
		if err == nil {
			return newGrantBy(ctx, s, parts[0].hold, dir, paths[0], token, asked, del, parts[1:]...), nil
		}
		if !errors.Is(err, client.ErrUnconfirmed) {
			return nil, err
		}
		if err := pace.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// hold has the session keep proof of all nodes, or of none.
func hold(s *client.Session, paths []string) ([]part, error) {
	parts := make([]part, 0, len(paths))
	for _, p := range paths {
		h, err := s.Hold(p)
		if err != nil {
			for _, held := range parts {
				held.hold.Release()
			}
			return nil, err
		}
		parts = append(parts, part{path: p, hold: h})
	}
	return parts, nil
}
