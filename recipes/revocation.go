package recipes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/zookit/zookit/client"
)

// RevokeMessage is what a contender's node holds when somebody asks its owner to let go: what
// Curator's Revoker writes, and its revocable locks listen for.
const RevokeMessage = "__REVOKE__"

// Revoked tells whether somebody has asked the contender to let go ([Line.Revoke], or Curator's
// Revoker). Data is then that request: what had been there before is overwritten.
func (d Details) Revoked() bool { return revoked(d.Data) }

func revoked(data []byte) bool { return bytes.Equal(data, []byte(RevokeMessage)) }

// revocation listens for the request to let go of a grant.
type revocation struct {
	mu    sync.Mutex
	asked chan struct{} // closed when the request is seen; nil until somebody wants to know
	wg    sync.WaitGroup
}

// Revoked returns a channel that is closed when somebody asks for what is held
// ([Line.Revoke], or Curator's Revoker), also if that was before Revoked was called or
// while the contender was still waiting. It is a request and no more: the grant goes on until its
// holder releases it. When the grant ends without a request the channel stays open.
//
// Nothing is sent before the first call, which returns at once; from then on the grant's
// node is watched, over all connections of its session, until the grant ends. It is the same
// channel each time. If the server refuses to have the node read (client.ErrNoAuth) no request is seen;
// a warning in the log says so.
func (g *Grant) Revoked() <-chan struct{} {
	r := &g.revocation
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked == nil {
		r.asked = make(chan struct{})
		if g.ctx.Err() == nil { // else nobody would wait for it, see deaf
			r.wg.Go(g.listen)
		}
	}
	return r.asked
}

// listen closes the channel once the node holds the request; it ends with the grant.
func (g *Grant) listen() {
	var pace pace
	for {
		data, _, w, err := g.session.GetW(g.ctx, g.path)
		switch {
		case err == nil && revoked(data):
			w.Remove()
			close(g.revocation.asked)
			return
		case err == nil:
			pace.n = 0
			select {
			case <-w.C: // also when the connection was lost, and the watch with it
			case <-g.ctx.Done():
				w.Remove()
				return
			}
			continue
		case errors.Is(err, client.ErrNoNode): // and the grant is about to end
			return
		case client.Outcome(err) == client.Definite:
			g.session.Client().Logger().Warn("no request for the grant will be seen", "path", g.path, "err", err)
			return
		}
		if pace.wait(g.ctx) != nil {
			return
		}
	}
}

// deaf returns when nobody listens any more; the grant's context has ended.
func (g *Grant) deaf() {
	g.revocation.mu.Lock()   // behind it listen has begun, or never will
	g.revocation.mu.Unlock() //nolint:staticcheck // nothing is to be done in between
	g.revocation.wg.Wait()
}

// Revoke asks a contender of this line, as listed by Details, to let go: it overwrites the data
// of its node with [RevokeMessage]. What comes of it is up to the contender: a holder that listens
// ([Grant.Revoked], Curator's makeRevocable) learns of it, one that waits will when it
// holds, and any other does not. Of the contender Path and Token are used.
//
// Errors: [ErrNoContender] if it is in the line no more; client.ErrBadArgument if it is none
// of this line's; otherwise ctx's and what the client and the server say.
func (l *Line) Revoke(ctx context.Context, of Details) error {
	if err := l.visit(ctx, of, func(s *client.Session, stat client.Stat) error {
		_, err := s.Idempotent().Set(ctx, of.Path, []byte(RevokeMessage), stat.Version)
		return err
	}); err != nil {
		return fmt.Errorf("line %s: revoke: %w", l.dir, err)
	}
	return nil
}

// Break deletes the node of a contender of this line, as listed by Details, whoever it belongs to
// and whatever it is doing: it is for what nobody else will ever delete, such as the persistent node of
// a holder that is no more. Of the contender Path and Token are used: another node is never
// deleted.
//
// A holder is told: the context of its grant ends with client.ErrHoldDeleted, and
// [Persistent.Check] says [ErrGrantLost]. But the next in line may begin before it is, up to a fifth of its
// session timeout for a grant, and until it looks for a persistent one. Who is broken while it waits joins
// the line again, at the end.
//
// It returns nil once the contender blocks nobody: also if it had gone already. Errors:
// client.ErrBadArgument if it is none of this line's; otherwise ctx's and what the client and the
// server say.
func (l *Line) Break(ctx context.Context, of Details) error {
	err := l.visit(ctx, of, func(s *client.Session, _ client.Stat) error {
		return s.Idempotent().Delete(ctx, of.Path, client.AnyVersion)
	})
	if err != nil && !errors.Is(err, ErrNoContender) {
		return fmt.Errorf("line %s: break: %w", l.dir, err)
	}
	return nil
}

// visit does something to a contender's very node, in one session after the other, until that
// has an outcome.
func (l *Line) visit(ctx context.Context, of Details, do func(s *client.Session, stat client.Stat) error) error {
	if path.Dir(of.Path) != l.dir || of.Token <= 0 {
		return fmt.Errorf("%w: %q with token %d is no contender of this line: give it one that the line has listed", client.ErrBadArgument, of.Path, of.Token)
	}
	var pace pace
	for {
		s, err := l.cl.Session(ctx)
		if err != nil {
			return err
		}
		stat, ok, err := standing(ctx, s, of.Path, of.Token)
		if err == nil && !ok {
			return fmt.Errorf("%w: %s with token %d", ErrNoContender, of.Path, of.Token)
		}
		if err == nil {
			err = do(s, stat)
		}
		again := passing(err) || errors.Is(err, client.ErrBadVersion) || client.Outcome(err) == client.Unknown
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
	}
}

// standing reads the stat of a node that was made by the transaction token (0: any). It is not there
// only if the leader says so: a server that lags behind may not know it yet.
func standing(ctx context.Context, s *client.Session, path string, token int64) (client.Stat, bool, error) {
	for {
		stat, ok, err := s.Exists(ctx, path)
		if err != nil || ok {
			return stat, ok && (token == 0 || stat.Czxid == token), err
		}
		err = s.Confirm(ctx, path)
		if errors.Is(err, client.ErrNoNode) {
			return client.Stat{}, false, nil
		}
		if err != nil {
			return client.Stat{}, false, err
		}
	}
}
