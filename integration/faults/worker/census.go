package worker

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// patience is how long what was closed may take to go.
const patience = 10 * time.Second

// people are the goroutines and open files of a process.
type people struct {
	goroutines int
	files      int // -1 where the system does not tell
}

func census() people {
	p := people{goroutines: runtime.NumGoroutine(), files: -1}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.files = len(open)
	}
	return p
}

// openFiles says what is open.
func openFiles() []string {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var to []string
	for _, f := range open {
		if name, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil {
			to = append(to, name)
		}
	}
	return to
}

// leftBehind tells what is there that was not before, and does not go.
func (p people) leftBehind(ctx context.Context) []string {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	until := time.NewTimer(patience)
	defer until.Stop()
	for {
		now := census()
		if now.goroutines <= p.goroutines && now.files <= p.files {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		case <-until.C:
			return now.beyond(p)
		}
	}
}

func (p people) beyond(before people) []string {
	var left []string
	if p.files > before.files {
		left = append(left, fmt.Sprintf("%d open files, where there were %d: %v", p.files, before.files, openFiles()))
	}
	if p.goroutines > before.goroutines {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		left = append(left, fmt.Sprintf("%d goroutines, where there were %d:\n%s", p.goroutines, before.goroutines, stacks.String()))
	}
	return left
}
