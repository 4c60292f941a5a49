package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zookit/zookit/integration/faults/nemesis"
	"github.com/zookit/zookit/integration/faults/report"
	"github.com/zookit/zookit/integration/faults/schedule"
	"github.com/zookit/zookit/integration/faults/stage"
	"github.com/zookit/zookit/integration/faults/workload"
)

const (
	// lastCall is how long before the end of a run the last fault may begin, or a fifth of a shorter run.
	lastCall = 20 * time.Second
	// patience is how long workers may take for what they do in a moment, and until they go on after a
	// fault: many sessions, for machines that are busy.
	patience = time.Minute
	// renewAfter is how many rounds a stage lasts: its servers' disks fill up.
	renewAfter = 10
	// settle is how long what workloads have left behind may take to go, beside two sessions' timeouts.
	settle = 20 * time.Second
	// troubles is how often a stage may fail to play a round, in a row, before the run is given up.
	troubles = 3
)

// Options are what is to be run.
type Options struct {
	For time.Duration
	// Seeds are those of the schedules; the stages share them out.
	Seeds    []uint64
	Stages   int
	Settings stage.Settings
	Pace     time.Duration
	// Unconfirmed has clients do without confirmations, which is to be found out.
	Unconfirmed bool
	// Patience is how long workers may take until they go on after a fault; 0 is a minute.
	Patience time.Duration
	// Works and Faults are names; empty is all.
	Works, Faults []string
	// Round is the number of the only round that is played, again and again; 0 is all.
	Round int
	// Out is the folder for what is kept.
	Out string
	// Command is how to run it again.
	Command string
	Log     *slog.Logger
}

// plan is one seed's schedule.
type plan struct {
	seed uint64
	next func() schedule.Round
}

// lab is a run.
type lab struct {
	Options
	works  []*workload.Workload
	plans  []plan
	report *report.Report
	last   time.Time // when the last fault may begin
	checks sync.WaitGroup
	judge  chan struct{} // holds a token while a history is judged
}

// Run runs it. The error is that of a laboratory that could not run at all; what was found is in the report.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	l := &lab{Options: o, judge: make(chan struct{}, 1)}
	for _, w := range workload.All() {
		if chosen(w.Name, o.Works) {
			l.works = append(l.works, w)
		}
	}
	if len(o.Seeds) == 0 {
		return nil, errors.New("no seed")
	}
	for _, name := range o.Works {
		if _, err := workload.Lookup(name); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Faults {
		if _, err := nemesis.Lookup(name); err != nil {
			return nil, err
		}
	}
	began := time.Now()
	l.last = began.Add(o.For - min(lastCall, o.For/5))
	l.Patience = cmp.Or(l.Patience, patience)
	l.Settings.Settle = cmp.Or(l.Settings.Settle, settle)
	l.report = &report.Report{
		Seeds: o.Seeds, Command: o.Command, Began: began, Stages: o.Stages,
		Servers: o.Settings.Servers, Processes: o.Settings.Members, Session: o.Settings.Session,
	}
	first, err := stage.Open(ctx, l.Settings)
	if err != nil {
		return nil, err
	}
	if err := l.describe(ctx, first); err != nil {
		return nil, errors.Join(err, first.Close())
	}
	var group sync.WaitGroup
	for i := range o.Stages {
		at := first
		if i > 0 {
			at = nil
		}
		group.Go(func() { l.play(ctx, i, at) })
	}
	group.Wait()
	l.checks.Wait()
	l.report.Took = time.Since(began)
	return l.report, context.Cause(ctx)
}

func chosen(name string, names []string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

// describe makes the plan of what the stage can do.
func (l *lab) describe(ctx context.Context, st *stage.Stage) error {
	var kinds []*nemesis.Kind
	for _, k := range nemesis.All() {
		if !chosen(k.Name, l.Faults) {
			continue
		}
		if k.Missing != nil {
			if why := k.Missing(st); why != "" {
				l.Log.Warn("NOT EXERCISED", "fault", k.Name, "why", why)
				l.report.Absent = append(l.report.Absent, report.Absence{Kind: k.Name, Why: why})
				continue
			}
		}
		kinds = append(kinds, k)
	}
	if len(kinds) == 0 {
		return fmt.Errorf("none of the faults can be done here: %+v", l.report.Absent)
	}
	version, err := st.Ensemble.Version(ctx)
	if err != nil {
		return err
	}
	l.report.ZooKeeper, l.report.Provider = version, st.Ensemble.Provider()
	for _, seed := range l.Seeds {
		next := schedule.New(seed, kinds, l.Settings.Members).Next
		if l.Round > 0 {
			next = again(schedule.Only(seed, kinds, l.Settings.Members, l.Round))
		}
		l.plans = append(l.plans, plan{seed, next})
	}
	return nil
}

// again returns a round as often as it is called, with numbers of its own.
func again(r schedule.Round) func() schedule.Round {
	var number atomic.Int64
	return func() schedule.Round {
		again := r
		again.Number = int(number.Add(1))
		return again
	}
}

// play goes through rounds until the time is over.
func (l *lab) play(ctx context.Context, number int, st *stage.Stage) {
	log := l.Log.With("stage", number+1)
	failed := 0
	defer func() {
		if st != nil {
			if err := st.Close(); err != nil {
				log.Warn("closing the stage", "err", err)
			}
		}
	}()
	for rounds := 0; ctx.Err() == nil && time.Now().Before(l.last) && failed < troubles; rounds++ {
		if st != nil && rounds%renewAfter == 0 && rounds > 0 {
			if err := st.Close(); err != nil {
				log.Warn("closing the stage", "err", err)
			}
			st = nil
		}
		if st == nil {
			var err error
			if st, err = stage.Open(ctx, l.Settings); err != nil {
				st = nil
				failed++
				l.trouble(log, 0, "", fmt.Errorf("opening a stage: %w", err))
				continue
			}
		}
		of := l.plans[number%len(l.plans)]
		r := newRound(l, st, of.seed, of.next(), log)
		if err := r.play(ctx); err != nil {
			failed++
			l.trouble(log, r.Number, r.dir, err)
			if err := st.Close(); err != nil {
				log.Warn("closing the stage", "err", err)
			}
			st = nil
			continue
		}
		failed = 0
	}
}

func (l *lab) trouble(log *slog.Logger, round int, dir string, err error) {
	log.Error("the laboratory has trouble", "round", round, "err", err)
	l.report.AddTrouble(report.Violation{Round: round, Rule: "the laboratory works", Text: err.Error(), Folder: dir})
}

func (l *lab) folder(seed uint64, round int) string {
	return filepath.Join(l.Out, fmt.Sprintf("%d-round-%04d", seed, round))
}
