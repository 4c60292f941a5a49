// Command demo runs several workers of examples/stackupdate on an ensemble of three
// servers, kills one that holds the lock and freezes another past its session. The
// servers are real where a Docker engine answers, or where there is Java with
// ZooKeeper's jars, and package zktest's in this process elsewhere; -real insists on
// the former, -embedded on the latter. It prints what happens and ends with "stack consistent: …", or with an exit
// status other than 0 if two workers overlapped or an update was lost or doubled.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	var (
		number  = flag.Int("servers", 3, "number of ZooKeeper servers")
		workers = flag.Int("workers", 8, "number of workers, at least 3")
		updates = flag.Int("updates", 4, "updates that each worker applies")
		session = flag.Duration("session", 4*time.Second, "session timeout of the workers")
		limit   = flag.Duration("limit", 3*time.Minute, "when to give up")
		insist  = flag.Bool("real", false, "fail where no real ZooKeeper can be run, in place of using the embedded server")
		inside  = flag.Bool("embedded", false, "use the embedded server, also where a real ZooKeeper can be run")
	)
	flag.Parse()
	want := whatIsHere
	switch {
	case *insist && *inside:
		fmt.Fprintln(os.Stderr, "demo: -real and -embedded exclude each other: give one of them")
		os.Exit(2)
	case *insist:
		want = realOnes
	case *inside:
		want = embedded
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, *limit, fmt.Errorf("not done within %v", *limit))
	defer cancel()
	d := &demo{workers: *workers, updates: *updates, session: *session}
	if err := d.run(ctx, want, *number); err != nil {
		fmt.Fprintln(os.Stderr, "demo failed:", err)
		os.Exit(1)
	}
}

type demo struct {
	workers, updates int
	session          time.Duration
	dir              string
	binary           string
	connect          string
	cloud            string
}

func (d *demo) run(ctx context.Context, want kind, number int) error {
	if d.workers < 3 || d.updates < 2 {
		return fmt.Errorf("%d workers with %d updates each are too few to kill one and freeze one", d.workers, d.updates)
	}
	dir, err := os.MkdirTemp("", "zookit-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d.dir, d.binary, d.cloud = dir, filepath.Join(dir, "stackupdate"), filepath.Join(dir, "cloud.json")

	fmt.Println("building the worker")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", d.binary, "github.com/zookit/zookit/examples/stackupdate").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	fmt.Printf("starting %d servers\n", number)
	s, err := openServers(ctx, want, number)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	d.connect = s.connect
	fmt.Printf("%s at %s\n", s.name, d.connect)
	fmt.Printf("%d workers apply %d updates each to one stack; one will be killed and one frozen while it holds the lock\n\n", d.workers, d.updates)

	story := newStory()
	if err := d.play(ctx, story); err != nil {
		return err
	}
	summary, err := d.verify(ctx, story)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\n", summary)
	return nil
}

// verify asks the worker program to compare the stack with the cloud, and compares
// the workers' own accounts with each other and with the cloud.
func (d *demo) verify(ctx context.Context, s *story) (string, error) {
	if err := s.overlaps(); err != nil {
		return "", err
	}
	if err := s.faults(); err != nil {
		return "", err
	}
	if err := s.updates(d.cloud); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, d.binary, append(d.args(), "-check")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func (d *demo) args() []string {
	return []string{"-servers", d.connect, "-stack", "demo", "-cloud", d.cloud, "-session", d.session.String()}
}
