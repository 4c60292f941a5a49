package ensemble

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	providerVariable = "ZOOKIT_TEST_PROVIDER"

	// availableTimeout bounds the question whether a provider can run here.
	availableTimeout = 15 * time.Second

	// startLimit bounds one start, closeLimit the end of an ensemble. A start may
	// have to build an image first.
	startLimit = 4 * time.Minute
	closeLimit = 30 * time.Second

	// startTries is how often servers are started when other programs take
	// their ports.
	startTries = 3
)

// Ensemble is a set of ZooKeeper servers that work together, or a single one.
type Ensemble struct {
	provider string
	cluster  cluster
	servers  []*Server
	scratch  *scratch

	mu       sync.Mutex
	closed   bool
	done     chan struct{} // closed when the first Close is through
	closeErr error         // to be read after done
}

// Open starts an ensemble of so many servers and returns when it is whole. The
// caller closes it. Tests use Start.
func Open(ctx context.Context, servers int, opts ...Option) (*Ensemble, error) {
	o, err := newOptions(servers, opts)
	if err != nil {
		return nil, err
	}
	p, err := choose(ctx, providers(), o.provider)
	if err != nil {
		return nil, err
	}
	return open(ctx, p, o.spec)
}

// open starts servers of p, and others if the ports of the first are taken.
func open(ctx context.Context, p provider, s spec) (*Ensemble, error) {
	for try := 1; ; try++ {
		e, err := openOnce(ctx, p, s)
		if err == nil {
			return e, nil
		}
		if !errors.Is(err, errPortTaken) || try == startTries {
			return nil, fmt.Errorf("ensemble (%s): cannot start one of size %d: %w", p.name(), s.servers, err)
		}
	}
}

func openOnce(ctx context.Context, p provider, s spec) (*Ensemble, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not started within %v", startLimit))
	defer cancel()
	scratch, err := newScratch()
	if err != nil {
		return nil, err
	}
	s.dir = scratch.dir
	c, err := p.start(ctx, s)
	if err != nil {
		return nil, errors.Join(err, scratch.close())
	}
	e := &Ensemble{provider: p.name(), cluster: c, scratch: scratch, done: make(chan struct{})}
	for i, n := range c.nodes() {
		e.servers = append(e.servers, newServer(i+1, n, s.peerCuts))
	}
	if _, err := e.Leader(ctx); err != nil {
		err = fmt.Errorf("%w\n%s", err, e.lastLogs(8))
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// choose finds the provider to use: the forced one, or else the first of all that
// can run.
func choose(ctx context.Context, all []provider, forced string) (provider, error) {
	source := "WithProvider"
	if forced == "" {
		source, forced = providerVariable, os.Getenv(providerVariable)
	}
	var names, reasons []string
	for _, p := range all {
		names = append(names, p.name())
	}
	if forced != "" {
		i := slices.Index(names, forced)
		if i < 0 {
			return nil, fmt.Errorf("ensemble: %s names the provider %q: it must be one of %s", source, forced, strings.Join(names, ", "))
		}
		all = all[i : i+1]
	}
	for _, p := range all {
		err := askAvailable(ctx, p)
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("ensemble: choosing a provider: %w", context.Cause(ctx))
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s", p.name(), strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
	if forced != "" {
		return nil, fmt.Errorf("ensemble: %w as %s demands:\n%s", ErrNoProvider, source, strings.Join(reasons, "\n"))
	}
	return nil, fmt.Errorf("ensemble: %w; one of these is needed:\n%s", ErrNoProvider, strings.Join(reasons, "\n"))
}

func askAvailable(ctx context.Context, p provider) error {
	ctx, cancel := context.WithTimeoutCause(ctx, availableTimeout, fmt.Errorf("no answer within %v", availableTimeout))
	defer cancel()
	return p.available(ctx)
}

// Close ends all servers and removes their data. Servers of the external provider
// are left alone. Calling it again waits for the first call and returns the same.
func (e *Ensemble) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	e.mu.Unlock()
	if again {
		<-e.done
		return e.closeErr
	}
	defer close(e.done)
	ctx, cancel := context.WithTimeoutCause(context.Background(), closeLimit, fmt.Errorf("not done within %v", closeLimit))
	defer cancel()
	var errs []error
	for _, s := range e.servers {
		errs = append(errs, s.close(ctx))
	}
	errs = append(errs, e.cluster.close(ctx), e.scratch.close())
	if err := errors.Join(errs...); err != nil {
		e.closeErr = fmt.Errorf("ensemble (%s): closing it: %w", e.provider, err)
	}
	return e.closeErr
}

func (e *Ensemble) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// Provider is the name of the provider that runs the servers.
func (e *Ensemble) Provider() string { return e.provider }

// Controllable tells whether the servers can be killed, stopped and restarted:
// all but those of ZOOKIT_TEST_SERVERS can.
func (e *Ensemble) Controllable() bool { return e.provider != external{}.name() }

// Servers returns the servers, in the order of their numbers.
func (e *Ensemble) Servers() []*Server { return slices.Clone(e.servers) }

// Connect is the list of all servers' addresses, host:port,host:port.
func (e *Ensemble) Connect() string {
	addrs := make([]string, 0, len(e.servers))
	for _, s := range e.servers {
		addrs = append(addrs, s.Addr())
	}
	return strings.Join(addrs, ",")
}

// Version is the version of ZooKeeper that the servers run, such as 3.8.0. It
// waits until one of them answers.
func (e *Ensemble) Version(ctx context.Context) (string, error) {
	var version string
	err := e.await(ctx, "asking for the version", func(seen []sighting) error {
		for _, s := range seen {
			if s.err == nil && s.status.version != "" {
				version = s.status.version
				return nil
			}
		}
		return fmt.Errorf("no version in any answer: %v", seen)
	})
	return version, err
}

// WaitServing waits until all servers serve that run and are not cut off.
func (e *Ensemble) WaitServing(ctx context.Context) error {
	return e.await(ctx, "waiting for the servers to serve", allServe)
}

// Leader waits until the servers that run and are not cut off have one leader,
// with all others in step with it, and returns that. A write is possible then. A
// single server leads itself.
func (e *Ensemble) Leader(ctx context.Context) (*Server, error) {
	leader, _, err := e.roles(ctx)
	return leader, err
}

// Followers waits as Leader does and returns the followers of that leader.
func (e *Ensemble) Followers(ctx context.Context) ([]*Server, error) {
	_, followers, err := e.roles(ctx)
	return followers, err
}

func (e *Ensemble) roles(ctx context.Context) (leader *Server, followers []*Server, err error) {
	err = e.await(ctx, "waiting for a leader with its followers", func(seen []sighting) (err error) {
		leader, followers, err = whole(seen)
		return err
	})
	return leader, followers, err
}

// Wipe kills all servers, removes their data and starts them again, with the
// addresses that they had. It does not wait for them to serve.
func (e *Ensemble) Wipe(ctx context.Context) error {
	steps := []struct {
		name string
		do   func(*Server) error
	}{
		{"kill", func(s *Server) error { return s.kill(ctx) }},
		{"wipe", func(s *Server) error { return s.node.wipe(ctx) }},
		{"start", func(s *Server) error { return s.start(ctx) }},
	}
	for _, step := range steps {
		for _, s := range e.servers {
			if err := s.do(ctx, step.name, func() error { return step.do(s) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastLogs returns the end of each server's log.
func (e *Ensemble) lastLogs(lines int) string {
	var b strings.Builder
	for _, s := range e.servers {
		fmt.Fprintf(&b, "--- %v ---\n%s\n", s, lastLines(s.Logs(), lines))
	}
	return b.String()
}
