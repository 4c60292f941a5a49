package recipes

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/zookit/zookit/client"
)

func checkLimit(n int) error {
	if n < 1 || n > math.MaxInt32 {
		return fmt.Errorf("%w: a limit of %d: it has to be 1 to %d", client.ErrBadArgument, n, math.MaxInt32)
	}
	return nil
}

// storedLimit reads the data of a pool's node. A number is the limit; white space around it is
// ignored, as Kazoo does. Nothing at all is a node that was only made for what is
// below it, and where a limit may be written. Anything else is somebody else's.
func storedLimit(data []byte) (limit int, ok, foreign bool) {
	text := strings.TrimSpace(string(data))
	if text == "" {
		return 0, false, false
	}
	limit, err := strconv.Atoi(text)
	return limit, err == nil, err != nil
}

// agree settles the limit with what the pool's node says: it returns the one that counts, or
// again if something was written and has to be read anew.
func (p *Pool) agree(ctx context.Context, s *client.Session, data []byte, version int32) (limit int, again bool, err error) {
	stored, ok, foreign := storedLimit(data)
	p.mu.Lock()
	if ok && (p.agreed || stored == p.limit) {
		p.limit, p.agreed = stored, true
	}
	limit = p.limit
	p.mu.Unlock()
	switch {
	case foreign, ok && stored == limit:
		return limit, false, nil
	case ok:
		return 0, false, fmt.Errorf("%w: the limit given is %d, and the one stored in %s is %d: give all programs the same, or change the stored one", ErrLimitConflict, limit, p.path, stored)
	}
	_, err = s.Idempotent().Set(ctx, p.path, formatLimit(limit), version)
	if errors.Is(err, client.ErrBadVersion) || errors.Is(err, client.ErrNoNode) {
		err = nil
	}
	return 0, true, err
}

func formatLimit(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }

// makeNode makes the pool's node, with the limit.
func (p *Pool) makeNode(ctx context.Context, s *client.Session) error {
	p.mu.Lock()
	limit := p.limit
	p.mu.Unlock()
	_, err := s.Idempotent().Create(ctx, p.path, formatLimit(limit), client.WithParents())
	if errors.Is(err, client.ErrNodeExists) {
		return nil
	}
	return err
}

// Limit returns how many permits there are now: what the pool's node says, otherwise
// what this pool was given. It costs one read.
func (p *Pool) Limit(ctx context.Context) (int, error) {
	data, _, err := p.cl.Get(ctx, p.path)
	if err != nil && !errors.Is(err, client.ErrNoNode) {
		return 0, fmt.Errorf("pool %s: %w", p.path, err)
	}
	if n, ok, _ := storedLimit(data); ok {
		return n, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit, nil
}

// SetLimit changes the number of permits, for all programs, while they run: who waits
// notices at once. Raising it lets in as many more. Lowering it takes no permit away: as many as
// are too many have to be released before anybody is let in. Programs that start later have to
// give the new limit. Kazoo's and Curator's go on with the one they have.
//
// Errors: client.ErrBadArgument; [ErrLimitConflict] if the pool's node has data that is no
// limit, which is left alone; otherwise ctx's and the server's. The limit may have been set
// if client.Outcome says that this is unknown.
func (p *Pool) SetLimit(ctx context.Context, n int) error {
	if err := checkLimit(n); err != nil {
		return fmt.Errorf("pool %s: %w", p.path, err)
	}
	var pace pace
	for {
		again, err := p.setLimit(ctx, n)
		if err == nil && again {
			err = pace.wait(ctx)
		}
		if err != nil {
			return fmt.Errorf("pool %s: set the limit to %d: %w", p.path, n, err)
		}
		if !again {
			p.mu.Lock()
			p.limit, p.agreed = n, true
			p.mu.Unlock()
			return nil
		}
	}
}

// setLimit is one try; again says that somebody else was faster.
func (p *Pool) setLimit(ctx context.Context, n int) (again bool, err error) {
	data, stat, err := p.cl.Get(ctx, p.path)
	switch {
	case errors.Is(err, client.ErrNoNode):
		_, err = p.cl.Idempotent().Create(ctx, p.path, formatLimit(n), client.WithParents())
	case err == nil:
		stored, ok, foreign := storedLimit(data)
		if foreign {
			return false, fmt.Errorf("%w: the node's data (%d bytes) is no limit and may be somebody's: empty it first if it is not", ErrLimitConflict, len(data))
		}
		if ok && stored == n {
			return false, nil
		}
		_, err = p.cl.Idempotent().Set(ctx, p.path, formatLimit(n), stat.Version)
	}
	for _, faster := range []error{client.ErrNodeExists, client.ErrNoNode, client.ErrBadVersion} {
		if errors.Is(err, faster) {
			return true, nil
		}
	}
	return false, err
}
