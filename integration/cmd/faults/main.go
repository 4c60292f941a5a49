// Command faults runs the fault laboratory on real servers: all workloads under every fault alone, then under mixed
// ones, and a report. Its exit status is 1 if a promise was not kept, and 2 if it could not do its work. Use
// scripts/faults, which builds the program for the workers too.
package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/zookit/zookit/integration/faults/clock"
	"github.com/zookit/zookit/integration/faults/lab"
	"github.com/zookit/zookit/integration/faults/nemesis"
	"github.com/zookit/zookit/integration/faults/report"
	"github.com/zookit/zookit/integration/faults/stage"
	"github.com/zookit/zookit/integration/faults/worker"
	"github.com/zookit/zookit/integration/faults/workload"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == stage.Role {
		if err := worker.Main(context.Background(), os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run())
}

func run() int {
	var (
		minutes = flag.Float64("minutes", 10, "how long to run")
		seed    = flag.String("seed", "", "decides the schedule; fresh, which is the default, is a new one; several, separated by commas, are shared out among the stages")
		works   = flag.String("workload", "", "names of workloads, separated by commas; all if empty")
		faults  = flag.String("fault", "", "names of faults, separated by commas; all if empty")
		only    = flag.Int("round", 0, "play only the round of this number of the seed's schedule, again and again")
		stages  = flag.Int("stages", 3, "ensembles that run side by side")
		servers = flag.Int("servers", 3, "servers of each")
		procs   = flag.Int("processes", 3, "worker processes of each")
		session = flag.Duration("session", 3*time.Second, "timeout of the workers' sessions")
		pace    = flag.Duration("pace", 100*time.Millisecond, "how long clients hold and pause, on average")
		out     = flag.String("out", "out/faults", "folder for the report, and for what shows violations")
		program = flag.String("worker", "", "program of the worker processes; this one if empty")
		jumps   = flag.Bool("jumps", worker.Jumps, "the worker's program was built with a clock that can be set")
		believe = flag.Bool("unconfirmed", false, "have clients do without confirmations, to see that the laboratory finds it")
		overlay = flag.String("overlay", "", "write the overlay for a Go whose clock can be set into this folder, print its name, and do nothing else")
		list    = flag.Bool("list", false, "print the workloads and faults, and do nothing")
	)
	flag.Parse()
	switch {
	case *list:
		printList()
		return 0
	case *overlay != "":
		return writeOverlay(*overlay)
	}
	seeds, err := readSeeds(*seed)
	if err != nil {
		return fail(err)
	}
	named := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(seeds)), ","), "[]")
	if *program == "" {
		self, err := os.Executable()
		if err != nil {
			return fail(err)
		}
		*program = self
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second interrupt is for good
	folder := filepath.Join(*out, fmt.Sprintf("%s-%s", time.Now().UTC().Format("20060102-150405"), named))
	command := fmt.Sprintf("make faults MINUTES=%g SEED=%s", *minutes, named)
	if *works != "" {
		command += " WORKLOAD=" + *works
	}
	if *faults != "" {
		command += " FAULT=" + *faults
	}
	if *believe {
		command += " ARGS=-unconfirmed"
	}
	if *only > 0 {
		command += fmt.Sprintf(" ARGS='-round %d'", *only)
	}
	fmt.Printf("faults: %s\nfaults: what shows violations goes to %s\n", command, folder)
	r, err := lab.Run(ctx, lab.Options{
		For: time.Duration(*minutes * float64(time.Minute)), Seeds: seeds, Stages: *stages, Pace: *pace,
		Settings: stage.Settings{Servers: *servers, Members: *procs, Worker: *program, Session: *session, Jumps: *jumps},
		Works:    split(*works), Faults: split(*faults), Round: *only, Unconfirmed: *believe, Out: folder, Command: command,
		Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
	})
	if r == nil {
		return fail(err)
	}
	if err := write(r, folder); err != nil {
		return fail(err)
	}
	fmt.Printf("\n%s\nreport: %s\n", r.Markdown(), filepath.Join(folder, "report.md"))
	switch {
	case len(r.Violations) > 0:
		return 1
	case err != nil, len(r.Troubles) > 0:
		return fail(errors.Join(errors.New("the laboratory had trouble"), err))
	default:
		return 0
	}
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "faults:", err)
	return 2
}

func split(names string) []string {
	return strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
}

func readSeeds(list string) ([]uint64, error) {
	words := split(list)
	if len(words) == 0 {
		words = []string{"fresh"}
	}
	var seeds []uint64
	for _, word := range words {
		seed := freshSeed()
		if word != "fresh" {
			var err error
			if seed, err = strconv.ParseUint(word, 10, 64); err != nil {
				return nil, fmt.Errorf("seed %q: want a number, or fresh", word)
			}
		}
		seeds = append(seeds, seed)
	}
	return seeds, nil
}

func freshSeed() uint64 {
	var b [4]byte // few digits to type
	_, _ = rand.Read(b[:])
	return uint64(binary.BigEndian.Uint32(b[:])) + 1
}

func write(r *report.Report, folder string) error {
	text, err := r.JSON()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "report.json"), append(text, '\n'), 0o644),
		os.WriteFile(filepath.Join(folder, "report.md"), []byte(r.Markdown()), 0o644))
}

// writeOverlay is for scripts/faults.
func writeOverlay(folder string) int {
	goroot, err := exec.CommandContext(context.Background(), "go", "env", "GOROOT").Output()
	if err != nil {
		return fail(fmt.Errorf("go env GOROOT: %w", err))
	}
	list, err := clock.Overlay(strings.TrimSpace(string(goroot)), folder)
	if err != nil {
		return fail(err)
	}
	fmt.Println(list)
	return 0
}

func printList() {
	fmt.Println("workloads:")
	for _, w := range workload.All() {
		fmt.Printf("  %-28s %s\n", w.Name, w.Doc)
	}
	fmt.Println("faults:")
	for _, k := range nemesis.All() {
		fmt.Printf("  %-28s %s\n", k.Name, k.Doc)
	}
}
