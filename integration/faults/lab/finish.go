package lab

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/stage"
	"github.com/zookit/zookit/integration/faults/worker"
)

// Rules that are the laboratory's own.
const (
	ruleGoesOn   = "everybody goes on after a fault"
	ruleEnds     = "every workload ends when it is told to"
	ruleNodes    = "no znode is left behind"
	ruleWatches  = "no watch is left behind"
	ruleSessions = "no session is left behind"
	ruleProcess  = "no goroutine and no open file is left behind"
	ruleErrors   = "no workload fails"
)

// finish has everything given back, looks for what is left, first while the clients are connected and then when they are
// gone, and ends the workers.
func (r *round) finish(ctx context.Context) error {
	for _, m := range r.stage.Members {
		if err := m.Heal(ctx); err != nil {
			return err
		}
	}
	if !r.tell(ctx, worker.Finish, worker.Finished) {
		return nil
	}
	for _, w := range r.lab.works {
		path := r.root + "/" + w.Name
		r.left(w.Name, ruleNodes, "while the clients are connected", r.stage.Left(ctx, path, func(name string, s client.Stat) bool {
			return s.EphemeralOwner == 0 || w.Stays != nil && w.Stays(name)
		}))
	}
	r.left("", ruleWatches, "while the clients are connected", r.stage.Watches(ctx))
	if !r.tell(ctx, worker.Close, worker.Closed) {
		return nil
	}
	for _, w := range r.lab.works {
		path := r.root + "/" + w.Name
		r.left(w.Name, ruleNodes, "after all", r.stage.Left(ctx, path, func(name string, s client.Stat) bool {
			if w.Keeps != nil {
				return w.Keeps(name)
			}
			return s.EphemeralOwner == 0 && !sequential.MatchString(name)
		}))
	}
	r.left("", ruleWatches, "after all", r.stage.Watches(ctx))
	r.left("", ruleSessions, "after all", r.stage.Sessions(ctx))
	if err := r.stage.Watcher().DeleteAll(ctx, r.root); err != nil {
		return fmt.Errorf("removing %s: %w", r.root, err)
	}
	return nil
}

var sequential = regexp.MustCompile(`[0-9]{10}$`)

func (r *round) left(work, rule, when string, what []string) {
	if len(what) > 0 {
		r.violated(work, rule, fmt.Sprintf("%s: %d: %v", when, len(what), what))
	}
}

// tell has all workers do something, and returns whether they have.
func (r *round) tell(ctx context.Context, do, answer string) bool {
	ctx, cancel := context.WithTimeoutCause(ctx, r.lab.Patience, fmt.Errorf("not in %v", r.lab.Patience))
	defer cancel()
	var group sync.WaitGroup
	errs := make([]error, len(r.stage.Members))
	for i, m := range r.stage.Members {
		group.Go(func() {
			p := m.Process()
			if p == nil {
				errs[i] = fmt.Errorf("%v has no process", m)
				return
			}
			heard, err := p.Tell(ctx, worker.Command{Do: do}, answer)
			errs[i] = err
			if err != nil {
				r.interrogate(p)
			}
			if len(heard.Left) > 0 {
				r.violated("", ruleProcess, fmt.Sprintf("%s: %v", p.Name, heard.Left))
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		r.violated("", ruleEnds, err.Error())
		return false
	}
	return true
}

// interrogate has a process that hangs write down where.
func (r *round) interrogate(p *stage.Process) {
	r.log.Warn("a worker hangs; its goroutines are in its output", "process", p.Name, "file", p.Output)
	p.Stacks()
}

// abandon ends workers that are still there.
func (r *round) abandon() {
	started := 0
	var counts worker.Counts
	for _, m := range r.stage.Members {
		if p := m.Process(); p != nil {
			if r.stuck {
				r.interrogate(p)
			}
			_ = p.Kill()
		}
		for _, text := range m.Failures() {
			r.violated("", ruleErrors, text)
		}
		counts.Add(m.Counts())
		started += m.Started()
	}
	r.lab.report.AddRound(counts, started)
}
