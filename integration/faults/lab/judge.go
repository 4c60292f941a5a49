package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/report"
	"github.com/zookit/zookit/integration/faults/workload"
)

// judge checks the histories, and keeps what shows a violation.
func (r *round) judge(logs map[string]string) {
	r.lab.judge <- struct{}{}
	defer func() { <-r.lab.judge }()
	for _, w := range r.lab.works {
		r.judgeWork(w)
	}
	r.lab.report.AddViolations(r.violations...)
	if len(r.violations) == 0 {
		if err := os.RemoveAll(r.dir); err != nil {
			r.log.Warn("removing histories", "err", err)
		}
		return
	}
	if err := r.explain(logs); err != nil {
		r.log.Warn("keeping what shows the violation", "err", err)
	}
	r.log.Error("kept", "folder", r.dir)
}

func (r *round) judgeWork(w *workload.Workload) {
	h, err := r.history(w.Name)
	if err != nil {
		r.violated(w.Name, models.RuleHistory, err.Error())
		return
	}
	found := w.Check(h)
	for i, v := range found {
		r.violated(w.Name, v.Rule, v.Text)
		if v.Picture == nil {
			continue
		}
		if err := picture(filepath.Join(r.dir, fmt.Sprintf("%s-%d.html", w.Name, i+1)), v); err != nil {
			r.log.Warn("picture", "err", err)
		}
	}
	sum := report.Work{Name: w.Name, Doc: w.Doc, Clients: max(w.Clients, r.lab.Settings.Members), Violations: len(found)}
	for _, o := range h.Operations() {
		switch o.Outcome {
		case history.OK:
			sum.OK++
			if o.Name == models.Acquire {
				sum.Grants++
			}
		case history.Fail:
			sum.Failed++
		default:
			sum.Unknown++
		}
	}
	r.lab.report.AddWork(sum)
}

// history is that of one workload, with what was done to its processes.
func (r *round) history(work string) (*history.History, error) {
	files, err := filepath.Glob(filepath.Join(r.dir, work, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	return history.ReadFiles(append(files, filepath.Join(r.dir, "nemesis.jsonl"))...)
}

func picture(path string, v models.Violation) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(v.Picture(f), f.Close())
}

func (r *round) serverLogs() map[string]string {
	logs := map[string]string{}
	for _, s := range r.stage.Ensemble.Servers() {
		logs[fmt.Sprintf("server-%d.log", s.ID())] = s.Logs()
	}
	return logs
}

// explain writes beside the histories what else is known.
func (r *round) explain(logs map[string]string) error {
	var errs []error
	for name, text := range logs {
		errs = append(errs, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644))
	}
	text, err := json.MarshalIndent(r.violations, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, "violations.json"), text, 0o644)
	}
	return errors.Join(append(errs, err)...)
}

// keep keeps what there is of a round that could not be played.
func (r *round) keep() error {
	r.lab.report.AddViolations(r.violations...)
	return r.explain(r.serverLogs())
}

// saveSchedule writes the round down, with the seed of the run.
func (r *round) saveSchedule() error {
	text, err := json.MarshalIndent(struct {
		Command string `json:"command"`
		Round   any    `json:"round"`
	}{r.lab.Command, r.Round}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, "schedule.json"), text, 0o644)
}
