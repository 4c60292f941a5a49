package work

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// maxLine bounds what a worker and its caller say in one line.
const maxLine = 1 << 20

// Func does one work: it prepares, measures by the Course and cleans up.
type Func func(ctx context.Context, c *Course) error

// Serve is a worker's loop: it reads specs from in and answers each with a sample on out, until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer, does map[string]Func) error {
	lines, answers := bufio.NewScanner(in), json.NewEncoder(out)
	lines.Buffer(nil, maxLine)
	mark := func(name string) error {
		if err := answers.Encode(struct {
			Mark string `json:"mark"`
		}{name}); err != nil {
			return err
		}
		if !lines.Scan() {
			return errors.Join(errors.New("the caller has gone"), lines.Err())
		}
		return nil
	}
	for lines.Scan() {
		sample := serveOne(ctx, lines.Bytes(), does, mark)
		if err := answers.Encode(sample); err != nil {
			return fmt.Errorf("worker: answering: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("worker: reading a spec: %w", err)
	}
	return nil
}

func serveOne(ctx context.Context, line []byte, does map[string]Func, mark func(string) error) Sample {
	var s Spec
	if err := json.Unmarshal(line, &s); err != nil {
		return Sample{Error: fmt.Sprintf("a spec that cannot be read: %v", err)}
	}
	if err := s.Check(); err != nil {
		return Sample{Error: err.Error()}
	}
	do, ok := does[s.Work]
	if !ok {
		return Sample{Error: ErrAbsent.Error()}
	}
	c := NewCourse(s, mark)
	sample, err := Sample{}, do(ctx, c)
	if err == nil {
		sample, err = c.Sample()
	}
	if err != nil {
		return Sample{Error: err.Error()}
	}
	return sample
}

// Candidate campaigns at a path, calls leading when it leads and returns when ctx ends.
type Candidate func(ctx context.Context, servers, path string, leading func()) error

// Main is the program of a worker: it reads the flags, serves and exits. Works are asked for once the servers are known; candidate
// may be nil.
func Main(works func(servers string) map[string]Func, candidate Candidate) {
	servers := flag.String("servers", "", "servers to connect to, `host:port,…`")
	path := flag.String("candidate", "", "campaign at this `path` instead of serving, and say when it leads")
	var profile profiles
	flag.StringVar(&profile.cpu, "cpuprofile", "", "write a CPU profile to this `file`")
	flag.StringVar(&profile.allocs, "allocprofile", "", "write a profile of all allocations to this `file`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := func() (err error) {
		switch {
		case *servers == "":
			return errors.New("no servers: give -servers host:port,…")
		case *path != "" && candidate != nil:
			return candidate(ctx, *servers, *path, func() { fmt.Println("leading") })
		}
		end, err := profile.begin()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		return Serve(ctx, os.Stdin, os.Stdout, works(*servers))
	}()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
