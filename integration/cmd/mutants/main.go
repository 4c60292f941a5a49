// Command mutants plants each of the known defects into zookit and has the simulation look for it. It prints a
// row for each, as a table in Markdown, and its exit status is 0 only if all were found.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/zookit/zookit/integration/faults/mutants"
)

func main() {
	var (
		root  = flag.String("root", "..", "folder of the module zookit")
		only  = flag.String("mutant", "", "names, separated by commas, of the only mutants to plant")
		seeds = flag.Int("seeds", 200, "how many schedules a mutant may survive")
		seed  = flag.Uint64("seed", 1, "the first schedule's seed")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(*only, ",") {
		wanted[name] = name != ""
	}
	hunt := mutants.Hunt{Root: *root, Seeds: *seeds, Seed: *seed}
	failed := 0
	fmt.Println("| defect | what is wrong | found by workload | schedules | as |")
	fmt.Println("|---|---|---|---|---|")
	for _, m := range mutants.All() {
		if *only != "" && !wanted[m.Name] {
			continue
		}
		delete(wanted, m.Name)
		find, err := hunt.Run(ctx, m)
		if err != nil {
			failed++
			fmt.Printf("| %s | %s | %s | – | NOT FOUND: %v |\n", m.Name, m.Doc, m.Workload, err)
			continue
		}
		fmt.Printf("| %s | %s | %s | %d | %s |\n", m.Name, m.Doc, m.Workload, find.Schedules, find.As)
	}
	for name, there := range wanted {
		if there {
			failed++
			fmt.Fprintf(os.Stderr, "mutants: there is no mutant %q\n", name)
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}
