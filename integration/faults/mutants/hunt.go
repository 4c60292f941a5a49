package mutants

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Hunt looks for planted defects by the simulation.
type Hunt struct {
	// Root is the folder of the module zookit.
	Root string
	// Seeds is how many schedules a mutant may survive, the first of which has the seed Seed.
	Seeds int
	Seed  uint64
}

// Find is how a mutant was found.
type Find struct {
	// Schedules is how many it took.
	Schedules int
	// As is the first promise that was seen broken.
	As string
}

// ErrSurvived is returned for a mutant that was not found.
var ErrSurvived = errors.New("it has survived all schedules")

// Run plants a mutant and looks for it. The error is [ErrSurvived], or what went wrong.
func (h Hunt) Run(ctx context.Context, m Mutant) (Find, error) {
	dir, err := os.MkdirTemp("", "zookit-mutant-")
	if err != nil {
		return Find{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := m.Overlay(h.Root, dir)
	if err != nil {
		return Find{}, err
	}
	program := filepath.Join(dir, "sim.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", program, "./faults/sim")
	build.Dir = filepath.Join(h.Root, "integration")
	if out, err := build.CombinedOutput(); err != nil {
		return Find{}, fmt.Errorf("mutant %s: %w\n%s", m.Name, err, out)
	}
	sim := exec.CommandContext(ctx, program, "-test.run", "^TestSchedules$", "-test.v", "-test.failfast", "-test.timeout", "30m",
		"-sim.workload", m.Workload, "-sim.seeds", fmt.Sprint(h.Seeds), "-sim.seed", fmt.Sprint(h.Seed), "-sim.out", filepath.Join(dir, "out"))
	sim.Dir = build.Dir
	out, err := sim.CombinedOutput()
	if ctx.Err() != nil {
		return Find{}, context.Cause(ctx)
	}
	return verdict(m, out, err)
}

// verdict reads what the simulation has printed.
func verdict(m Mutant, out []byte, failed error) (Find, error) {
	tried := bytes.Count(out, []byte("=== RUN   TestSchedules/"))
	_, said, found := strings.Cut(string(out), "to run it again:")
	switch {
	case failed == nil && tried > 0:
		return Find{}, ErrSurvived
	case !found:
		return Find{}, fmt.Errorf("mutant %s: the simulation itself has failed: %w\n%s", m.Name, failed, last(out))
	}
	_, said, _ = strings.Cut(said, "\n")
	first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	return Find{Schedules: tried, As: strings.TrimSpace(first)}, nil
}

// last is the end of a long text.
func last(out []byte) []byte { return out[max(0, len(out)-4000):] }
