package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/nemesis"
	"github.com/zookit/zookit/integration/faults/report"
	"github.com/zookit/zookit/integration/faults/schedule"
	"github.com/zookit/zookit/integration/faults/stage"
	"github.com/zookit/zookit/integration/faults/worker"
)

// breath is how long workers work undisturbed between two faults at most, unless all have gone on with everything before.
const breath = 2 * time.Second

// round is a schedule.Round while it is played.
type round struct {
	schedule.Round
	lab    *lab
	stage  *stage.Stage
	log    *slog.Logger
	dir    string
	root   string
	paths  []string // of the works
	record *history.Recorder
	guards *resources
	// stuck tells that workers do not go on: there is no use in further faults.
	stuck bool

	mu         sync.Mutex
	violations []report.Violation
}

func newRound(l *lab, st *stage.Stage, seed uint64, r schedule.Round, log *slog.Logger) *round {
	return &round{
		Round: r, lab: l, stage: st, log: log.With("seed", seed, "round", r.Number),
		dir: l.folder(seed, r.Number), root: fmt.Sprintf("/round-%d", r.Number),
	}
}

// violated notes that a promise was not kept.
func (r *round) violated(work, rule, text string) {
	r.log.Error("VIOLATION", "workload", work, "rule", rule, "text", text)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, report.Violation{Round: r.Number, Work: work, Rule: rule, Text: text, Folder: r.dir})
}

// play plays the round. The error is the laboratory's own.
func (r *round) play(ctx context.Context) error {
	began := time.Now()
	err := r.prepare(ctx)
	if err == nil {
		err = r.steps(ctx)
		err = errors.Join(err, r.finish(context.WithoutCancel(ctx)))
	}
	r.abandon()
	if r.guards != nil {
		err = errors.Join(err, r.guards.close())
	}
	if r.record != nil {
		err = errors.Join(err, r.record.Close())
	}
	if err != nil {
		return errors.Join(err, r.keep())
	}
	logs := r.serverLogs()
	r.lab.checks.Go(func() {
		r.judge(logs)
		r.log.Info("round is over", "took", rounded(time.Since(began)), "violations", len(r.violations))
	})
	return nil
}

// prepare starts workers, and returns when all work.
func (r *round) prepare(ctx context.Context) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	if err := r.saveSchedule(); err != nil {
		return err
	}
	var err error
	if r.record, err = history.Create(filepath.Join(r.dir, "nemesis.jsonl"), "nemesis"); err != nil {
		return err
	}
	r.stage.Record = r.record
	if r.guards, err = openResources(r.dir, r.lab.works); err != nil {
		return err
	}
	config := worker.Config{Pace: r.lab.Pace, Seed: r.Seed, Unconfirmed: r.lab.Unconfirmed}
	cl := r.stage.Watcher()
	for _, w := range r.lab.works {
		path := r.root + "/" + w.Name
		if err := r.makeDirectory(ctx, path); err != nil {
			return err
		}
		if w.Setup != nil {
			if err := w.Setup(ctx, cl, path); err != nil {
				return fmt.Errorf("setting up %s: %w", w.Name, err)
			}
		}
		r.paths = append(r.paths, path)
		config.Work = append(config.Work, worker.Work{
			Name: w.Name, Path: path, Clients: max(w.Clients, len(r.stage.Members)), Resource: r.guards.url(w.Name),
		})
	}
	for _, m := range r.stage.Members {
		if err := m.Begin(config, r.dir); err != nil {
			return err
		}
	}
	if stalled := r.goesOn(ctx, nil); len(stalled) > 0 {
		return fmt.Errorf("the workers do not begin: %v", stalled)
	}
	return nil
}

// steps does the faults.
func (r *round) steps(ctx context.Context) error {
	for i, step := range r.Steps {
		if ctx.Err() != nil || time.Now().After(r.lab.last) {
			break
		}
		var group sync.WaitGroup
		errs := make([]error, len(step))
		for j, planned := range step {
			group.Go(func() { errs[j] = r.fault(ctx, planned, len(step) > 1) })
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		healed := time.Now()
		if err := r.stage.Whole(ctx); err != nil {
			return fmt.Errorf("after step %d, %v: %w", i+1, step, err)
		}
		whole := time.Since(healed)
		before := r.progress()
		if stalled := r.wakes(ctx, before); len(stalled) > 0 {
			r.hangs(fmt.Sprintf("after %s, step %d", names(step), i+1), stalled)
			return nil
		}
		r.record.Note(history.Recovered, nil)
		r.log.Info("recovered", "from", names(step), "whole", rounded(whole), "awake", rounded(time.Since(healed)))
		if len(step) == 1 {
			r.lab.report.AddRecovery(step[0].Kind, time.Since(healed))
		}
		// That everybody goes on with everything takes turns that may last for sessions, so it is awaited in the end.
		_ = r.await(ctx, breath, func() []string { return r.stalled(before) })
	}
	began := time.Now()
	if stalled := r.goesOn(ctx, r.progress()); len(stalled) > 0 {
		r.hangs("in the end", stalled)
	}
	r.log.Info("everybody has gone on with everything", "within", rounded(time.Since(began)))
	return nil
}

func (r *round) hangs(when string, stalled []string) {
	r.violated("", ruleGoesOn, fmt.Sprintf("%s, not in %v: %v", when, r.lab.Patience, stalled))
	r.stuck = true
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Second / 10) }

func names(step schedule.Step) string {
	var all []string
	for _, p := range step {
		all = append(all, p.Kind)
	}
	return fmt.Sprint(all)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// fault does one fault, and undoes it.
func (r *round) fault(ctx context.Context, p schedule.Planned, mixed bool) error {
	k, err := nemesis.Lookup(p.Kind)
	if err != nil {
		return err
	}
	sleep(ctx, p.After)
	scene := &nemesis.Scene{
		Stage: r.stage, Member: r.stage.Members[p.Member], Rand: rand.New(rand.NewPCG(p.Seed, 1)), Works: r.paths,
	}
	r.record.Note(history.Fault, history.Disturbance{Kind: p.Kind})
	began := time.Now()
	f, err := k.Inject(ctx, scene)
	if err != nil {
		return err
	}
	done := time.Now()
	sleep(ctx, f.Hold)
	err = f.Heal(context.WithoutCancel(ctx))
	r.record.Note(history.Healed, history.Disturbance{Kind: p.Kind, Detail: f.Target})
	r.log.Info("fault", "kind", p.Kind, "target", f.Target, "begun", done.Sub(began).Round(time.Millisecond),
		"held", f.Hold.Round(time.Millisecond), "missed", f.Missed, "mixed", mixed)
	if err != nil {
		return fmt.Errorf("healing %s of %s: %w", p.Kind, f.Target, err)
	}
	r.lab.report.AddFault(p.Kind, k.Doc, mixed, f.Missed)
	return nil
}
