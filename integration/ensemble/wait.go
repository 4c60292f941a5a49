package ensemble

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// probeInterval and probeTimeout bound a look at the servers. The timeout is
	// short because a server that is still starting may take a command and
	// never answer it; the next look asks again. It grows whenever it was too
	// short, for machines that are busy, up to probeTimeoutMax.
	probeInterval    = 20 * time.Millisecond
	probeTimeout     = 250 * time.Millisecond
	probeTimeoutStep = 50 * time.Millisecond
	probeTimeoutMax  = 2 * time.Second

	// waitLimit bounds waits whose context has no earlier end.
	waitLimit = time.Minute
)

// sighting is what one look at a server found.
type sighting struct {
	server *Server
	status status
	err    error
}

func (s sighting) String() string {
	if s.err != nil {
		return fmt.Sprintf("%v: %v", s.server, s.err)
	}
	return fmt.Sprintf("%v: %s", s.server, s.status.mode)
}

// look asks servers for their status, all at once.
func look(ctx context.Context, servers []*Server, patience time.Duration) []sighting {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %v", patience))
	defer cancel()
	seen := make([]sighting, len(servers))
	var group sync.WaitGroup
	for i, s := range servers {
		group.Go(func() {
			seen[i].server = s
			seen[i].status, seen[i].err = probe(ctx, s.Addr())
		})
	}
	group.Wait()
	return seen
}

// await looks at the servers that run and are not cut off until done is content.
// Done returns why it is not.
func (e *Ensemble) await(ctx context.Context, what string, done func([]sighting) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, waitLimit, fmt.Errorf("given up after %v", waitLimit))
	defer cancel()
	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	patience := probeTimeout
	var last error
	for {
		at := time.Now()
		err := e.glance(ctx, patience, done)
		if err == nil {
			return nil
		}
		if final, ok := errors.AsType[*endedError](err); ok {
			return fmt.Errorf("ensemble (%s): %s: %w", e.provider, what, final.cause)
		}
		if ctx.Err() == nil || last == nil {
			last = err // not that of a look that was broken off
		}
		if time.Since(at) >= patience {
			patience = min(patience+probeTimeoutStep, probeTimeoutMax)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return fmt.Errorf("ensemble (%s): %s: %w; last seen: %w", e.provider, what, context.Cause(ctx), last)
		}
	}
}

// endedError ends a wait: what is awaited will not come.
type endedError struct{ cause error }

func (e *endedError) Error() string { return e.cause.Error() }

// glance is one turn of await.
func (e *Ensemble) glance(ctx context.Context, patience time.Duration, done func([]sighting) error) error {
	var chosen []*Server
	var conditions []string
	for _, s := range e.servers {
		if err := s.died(); err != nil {
			return &endedError{err}
		}
		if s.reachable() {
			chosen = append(chosen, s)
		}
		is, cut := s.state()
		conditions = append(conditions, fmt.Sprintf("%v: %v", s, describe(is, cut)))
	}
	switch {
	case e.isClosed():
		return &endedError{ErrClosed}
	case len(chosen) == 0:
		return &endedError{fmt.Errorf("no server is up (%s)", strings.Join(conditions, ", "))}
	}
	return done(look(ctx, chosen, patience))
}

func describe(is condition, cut bool) string {
	if cut {
		return is.String() + ", cut off"
	}
	return is.String()
}

// allServe is content when every server answered with a mode.
func allServe(seen []sighting) error {
	var missing []string
	for _, s := range seen {
		if s.err != nil {
			missing = append(missing, s.String())
		}
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, "; "))
	}
	return nil
}

// whole is content when one of the servers leads and all others follow it, in
// step, or observe. A server that has just lost the lead goes on calling itself the leader for
// a moment; it does not have followers then, or another server leads as well.
func whole(seen []sighting) (leader *Server, followers []*Server, err error) {
	if err := allServe(seen); err != nil {
		return nil, nil, err
	}
	var leaders []sighting
	for _, s := range seen {
		switch s.status.mode {
		case modeLeader, modeStandalone:
			leaders = append(leaders, s)
		case modeFollower:
			followers = append(followers, s.server)
		case modeReadOnly:
			return nil, nil, fmt.Errorf("%v has no quorum", s)
		}
	}
	if len(leaders) != 1 {
		return nil, nil, fmt.Errorf("%d of the servers lead: %v", len(leaders), seen)
	}
	first := leaders[0]
	if synced := first.status.synced; synced != unknown && synced < len(followers) {
		return nil, nil, fmt.Errorf("%v leads, with %d of %d followers in step", first.server, synced, len(followers))
	}
	return first.server, followers, nil
}
