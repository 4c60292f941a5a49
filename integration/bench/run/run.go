package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/zookit/zookit/integration/bench/count"
	"github.com/zookit/zookit/integration/bench/peers"
	"github.com/zookit/zookit/integration/bench/work"
)

const (
	// specTimeout bounds one sample with all that is made ready for it.
	specTimeout = 2 * time.Minute
	// dismissTimeout is how long a worker has to end by itself.
	dismissTimeout = 5 * time.Second
	// calmTime without a request is calm, for which is waited so long at most.
	calmTime    = 200 * time.Millisecond
	calmTimeout = 10 * time.Second
	// manyClients are too many to warm up with.
	manyClients = 1000
)

// Config says how to measure.
type Config struct {
	// Groups and Peers are what is measured, and by whom.
	Groups []Group
	Peers  []peers.Program
	// Rounds is how many samples are taken of each row; 0 only counts.
	Rounds int
	// Count has what passes on the wire counted.
	Count bool
	// ZooKeeper is the servers, host:port,host:port; Stub those that cost nothing.
	ZooKeeper, Stub string
	// Dir is for what workers and peers' servers write. It exists, and is removed by the caller.
	Dir string
	// Log is told what is going on.
	Log io.Writer
}

// Run measures. What a peer fails to do is a Result with an error; the error of Run is what kept it from going on.
func Run(ctx context.Context, cfg Config) ([]Result, error) {
	r := &runner{Config: cfg, workers: map[place]*worker{}, own: map[string]string{}, fronts: map[string]count.Proxies{}, run: time.Now().UnixNano()}
	defer r.close(context.WithoutCancel(ctx))
	for _, g := range cfg.Groups {
		if err := r.group(ctx, g); err != nil {
			return r.results, err
		}
	}
	return r.results, nil
}

// place is a peer at some servers.
type place struct{ peer, servers string }

type runner struct {
	Config

	run     int64
	paths   int
	workers map[place]*worker
	own     map[string]string        // servers of a peer's own
	fronts  map[string]count.Proxies // by the servers behind them
	closers []io.Closer
	results []Result
}

func (r *runner) group(ctx context.Context, g Group) error {
	absent := map[string]bool{} // row and peer
	takes := func(row Row, p peers.Program) bool {
		return !absent[row.Name+"\x00"+p.Name] && (len(row.Only) == 0 || slices.Contains(row.Only, p.Name)) &&
			(!g.Stub || p.NewServers == nil)
	}
	// measure fails only if there is no going on. A peer that has failed in a row is not asked again.
	measure := func(row Row, p peers.Program, round int) error {
		res := Result{Group: g.Name, Row: row.Name, Peer: p.Name, Round: max(round, 0)}
		var err error
		spec := row.Spec
		if round == 0 {
			spec.Millis *= warmth
		}
		if res.Sample, err = r.sample(ctx, g, spec, p); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			absent[row.Name+"\x00"+p.Name] = true
			res.Error = err.Error()
			r.logf("%s: %s: %v", row.Name, p.Name, err)
		}
		if round > 0 || err != nil {
			r.results = append(r.results, res)
		}
		return nil
	}
	for round := range r.Rounds + 1 { // round 0 warms up
		if r.Rounds == 0 {
			break
		}
		order := slices.Clone(r.Peers)
		if round%2 == 0 {
			slices.Reverse(order)
		}
		for _, row := range g.Rows {
			if round == 0 && row.Clients >= manyClients {
				continue // nobody warms up
			}
			r.logf("%s: round %d of %d: %s", g.Name, round, r.Rounds, row.Name)
			for _, p := range order {
				if !takes(row, p) {
					continue
				}
				if err := measure(row, p, round); err != nil {
					return err
				}
			}
		}
	}
	for _, row := range g.Rows {
		if !r.Count || row.CountOps == 0 {
			continue
		}
		r.logf("%s: counting: %s", g.Name, row.Name)
		for _, p := range r.Peers {
			if takes(row, p) {
				if err := r.count(ctx, g, row, p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// count measures a row once more through proxies.
func (r *runner) count(ctx context.Context, g Group, row Row, p peers.Program) error {
	servers, err := r.servers(ctx, g, p)
	if err != nil {
		return err
	}
	front := r.fronts[servers]
	if front == nil {
		if front, err = count.Front(servers); err != nil {
			return err
		}
		r.fronts[servers] = front
		r.closers = append(r.closers, front)
	}
	s := row.Spec
	s.Ops, s.Millis, s.Marks = row.CountOps, 0, true
	var begin, end count.Counts
	res := Result{Group: g.Name, Row: row.Name, Peer: p.Name}
	res.Sample, err = r.sampleAt(ctx, front.Servers(), s, p, func(mark string) {
		switch calm(ctx, front); mark {
		case "begin":
			begin = front.Counts()
		case "end":
			end = front.Counts()
		}
	})
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.logf("%s: counting: %s: %v", row.Name, p.Name, err)
		return nil
	}
	if end == (count.Counts{}) {
		r.logf("%s: counting: %s does not mark what it measures", row.Name, p.Name)
		return nil
	}
	counts := end.Minus(begin)
	res.Counts = &counts
	r.results = append(r.results, res)
	return nil
}

// calm waits until no requests pass any more, as when all of a line have settled to wait; pings go on.
func calm(ctx context.Context, front count.Proxies) {
	ctx, cancel := context.WithTimeout(ctx, calmTimeout)
	defer cancel()
	pause := time.NewTicker(calmTime)
	defer pause.Stop()
	for before := int64(-1); before != front.Counts().Requests; {
		before = front.Counts().Requests
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// sample measures a spec at the group's servers.
func (r *runner) sample(ctx context.Context, g Group, s work.Spec, p peers.Program) (work.Sample, error) {
	servers, err := r.servers(ctx, g, p)
	if err != nil {
		return work.Sample{}, err
	}
	return r.sampleAt(ctx, servers, s, p, func(string) {})
}

// servers are where a peer works, started if they are its own.
func (r *runner) servers(ctx context.Context, g Group, p peers.Program) (string, error) {
	switch {
	case g.Stub:
		return r.Stub, nil
	case p.NewServers == nil:
		return r.ZooKeeper, nil
	case r.own[p.Name] != "":
		return r.own[p.Name], nil
	}
	dir, err := r.folder(p.Name + "-servers")
	if err != nil {
		return "", err
	}
	servers, stop, err := p.NewServers(ctx, dir)
	if err != nil {
		return "", fmt.Errorf("starting the servers of %s: %w", p.Name, err)
	}
	r.closers = append(r.closers, stop)
	r.own[p.Name] = servers
	return servers, nil
}

func (r *runner) folder(name string) (string, error) {
	dir := filepath.Join(r.Dir, name)
	return dir, os.MkdirAll(dir, 0o755)
}

func (r *runner) sampleAt(ctx context.Context, servers string, s work.Spec, p peers.Program, mark func(string)) (work.Sample, error) {
	at := place{p.Name, servers}
	w := r.workers[at]
	if w == nil {
		dir, err := r.folder(p.Name)
		if err != nil {
			return work.Sample{}, err
		}
		w, err = hire(ctx, p.Name, func(ctx context.Context) (*exec.Cmd, error) { return p.Start(ctx, dir, servers) })
		if err != nil {
			return work.Sample{}, err
		}
		r.workers[at] = w
	}
	r.paths++
	s.Path = fmt.Sprintf("/bench-%x/%d", r.run, r.paths)
	patience := specTimeout
	if s.Clients > manyClients {
		patience *= 3
	}
	limited, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not done within %v", patience))
	defer cancel()
	sample, err := w.do(limited, s, mark)
	if errors.Is(err, errGone) {
		r.dismiss(ctx, at)
	}
	return sample, err
}

// dismiss ends a worker, if there is one.
func (r *runner) dismiss(ctx context.Context, at place) {
	w := r.workers[at]
	if w == nil {
		return
	}
	delete(r.workers, at)
	ctx, cancel := context.WithTimeout(ctx, dismissTimeout)
	defer cancel()
	w.dismiss(ctx)
}

func (r *runner) close(ctx context.Context) {
	for at := range r.workers {
		r.dismiss(ctx, at)
	}
	for _, c := range r.closers {
		if err := c.Close(); err != nil {
			r.logf("closing: %v", err)
		}
	}
}

func (r *runner) logf(format string, args ...any) {
	if r.Log != nil {
		fmt.Fprintf(r.Log, format+"\n", args...)
	}
}
