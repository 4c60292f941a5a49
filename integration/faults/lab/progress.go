package lab

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// progress is how much each process had done of each work.
type progress map[string]map[string]int64

func (r *round) progress() progress {
	p := progress{}
	for _, m := range r.stage.Members {
		if proc := m.Process(); proc != nil {
			p[proc.Name] = proc.Status().Done
		}
	}
	return p
}

// goesOn waits until every process has done something of everything since before, and returns those that have not.
func (r *round) goesOn(ctx context.Context, before progress) (stalled []string) {
	return r.await(ctx, r.lab.Patience, func() []string { return r.stalled(before) })
}

// wakes waits until every process has done something since before, whatever it is.
func (r *round) wakes(ctx context.Context, before progress) (stalled []string) {
	return r.await(ctx, r.lab.Patience, func() []string { return r.asleep(before) })
}

func (r *round) await(ctx context.Context, patience time.Duration, look func() []string) (stalled []string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if stalled = look(); len(stalled) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil // the run was interrupted
			}
			return stalled
		}
	}
}

func (r *round) stalled(before progress) []string {
	var stalled []string
	for _, m := range r.stage.Members {
		p := m.Process()
		if p == nil {
			stalled = append(stalled, fmt.Sprintf("%v has no process", m))
			continue
		}
		done := p.Status().Done
		if done == nil || !p.Ready() {
			stalled = append(stalled, p.Name+" is not connected")
		}
		for work, n := range done {
			if n <= before[p.Name][work] {
				stalled = append(stalled, fmt.Sprintf("%s with %s", p.Name, work))
			}
		}
	}
	return stalled
}

func (r *round) asleep(before progress) []string {
	var asleep []string
	for _, m := range r.stage.Members {
		p := m.Process()
		if p == nil {
			asleep = append(asleep, fmt.Sprintf("%v has no process", m))
			continue
		}
		awake := false
		for work, n := range p.Status().Done {
			awake = awake || n > before[p.Name][work]
		}
		if !awake {
			asleep = append(asleep, p.Name+" with anything")
		}
	}
	return asleep
}
