// Command rivals runs the fault laboratory for zookit, Kazoo, Curator and go-zookeeper's Lock, each with the same workloads
// under the same schedule, and prints the violations side by side. Use scripts/rivals, which builds what it needs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/zookit/zookit/integration/faults/report"
	"github.com/zookit/zookit/integration/faults/rivals"
)

func main() {
	if rivals.IsWorker(os.Args) {
		if err := rivals.GoZK(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "rivals:", err)
		os.Exit(1)
	}
}

// contender is a library and what the laboratory has found of it.
type contender struct {
	name, worker string
	works        []string
	found        *report.Report
	trouble      error
}

func run() error {
	var (
		lab     = flag.String("laboratory", "out/bin/faults", "program of the laboratory")
		minutes = flag.Float64("minutes", 5, "how long to run, for each library")
		seed    = flag.Uint64("seed", 1, "the schedule, the same for all")
		faults  = flag.String("fault", "", "names of faults, separated by commas; all if empty")
		work    = flag.String("workload", "mutex-history,rwlock,semaphore,election", "workloads, as far as a library has recipes for them")
		out     = flag.String("out", "out/rivals", "folder for all that is left")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	works := strings.Split(*work, ",")
	all := []*contender{{name: "zookit", works: works}}
	for _, r := range rivals.All() {
		c := &contender{name: r.Name}
		for _, w := range works {
			if slices.Contains(r.Works, w) {
				c.works = append(c.works, w)
			}
		}
		if c.worker, c.trouble = r.Prepare(ctx, filepath.Join(*out, "programs"), self); len(c.works) > 0 {
			all = append(all, c)
		}
	}
	for _, c := range all {
		if c.trouble != nil || ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "rivals: %s, %g minutes\n", c.name, *minutes)
		c.found, c.trouble = c.play(ctx, *lab, filepath.Join(*out, c.name), *minutes, *seed, *faults)
	}
	fmt.Print(table(all, works, *minutes, *seed))
	return context.Cause(ctx)
}

// play runs the laboratory for a library.
func (c *contender) play(ctx context.Context, lab, out string, minutes float64, seed uint64, faults string) (*report.Report, error) {
	if err := os.RemoveAll(out); err != nil {
		return nil, err
	}
	args := []string{
		"-minutes", fmt.Sprint(minutes), "-seed", fmt.Sprint(seed), "-workload", strings.Join(c.works, ","), "-fault", faults, "-out", out,
	}
	if c.worker != "" {
		worker, err := filepath.Abs(c.worker)
		if err != nil {
			return nil, err
		}
		args = append(args, "-worker", worker, "-jumps=false")
	}
	cmd := exec.CommandContext(ctx, lab, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	text, failed := cmd.CombinedOutput()
	reports, err := filepath.Glob(filepath.Join(out, "*", "report.json"))
	if err != nil || len(reports) != 1 {
		return nil, errors.Join(failed, err, fmt.Errorf("no report: %s", text[max(0, len(text)-2000):]))
	}
	content, err := os.ReadFile(reports[0])
	if err != nil {
		return nil, err
	}
	found := &report.Report{}
	return found, json.Unmarshal(content, found)
}

// table is the result in Markdown.
func table(all []*contender, works []string, minutes float64, seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%g minutes each, schedule %d. A cell is the number of violations and, in brackets, of grants.\n\n", minutes, seed)
	fmt.Fprintf(&b, "| | %s | others | faults | \n|---|%s\n", strings.Join(works, " | "), strings.Repeat("---|", len(works)+2))
	rules := map[string]bool{}
	for _, c := range all {
		fmt.Fprintf(&b, "| %s |", c.name)
		if c.found == nil {
			fmt.Fprintf(&b, " not run: %v |\n", c.trouble)
			continue
		}
		for _, w := range works {
			i := slices.IndexFunc(c.found.Works, func(one *report.Work) bool { return one.Name == w })
			if i < 0 {
				b.WriteString(" – |")
				continue
			}
			fmt.Fprintf(&b, " %d (%d) |", c.found.Works[i].Violations, c.found.Works[i].Grants)
		}
		others, faults := 0, 0
		for _, v := range c.found.Violations {
			rules[c.name+": "+v.Rule] = true
			if v.Work == "" {
				others++
			}
		}
		for _, f := range c.found.Faults {
			faults += f.Single + f.Mixed
		}
		fmt.Fprintf(&b, " %d | %d |\n", others, faults)
	}
	b.WriteString("\nRules that were broken:\n\n")
	var broken []string
	for rule := range rules {
		broken = append(broken, rule)
	}
	slices.Sort(broken)
	for _, rule := range broken {
		fmt.Fprintln(&b, "-", rule)
	}
	return b.String()
}
