// Command stackupdate is one worker of a deployment system: it applies updates to a
// stack, a set of resources described in ZooKeeper and made real in a cloud, of which a
// file takes the place here. Several workers work on the same stack; a lock in
// ZooKeeper makes sure that one update is applied at a time, and that an update which a
// worker left unfinished is finished by the next.
//
// Start as many as you like, on as many machines as can see the file:
//
//	stackupdate -servers 127.0.0.1:2181 -stack web -cloud /tmp/web.json -worker a -updates 10
//
// Every worker prints a timeline, one JSON object a line. Stop one with SIGSTOP while
// it holds the lock, kill another: the stack stays consistent, which
//
//	stackupdate -servers 127.0.0.1:2181 -stack web -cloud /tmp/web.json -check
//
// verifies.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
)

type config struct {
	servers string
	session time.Duration
	stack   string
	cloud   string
	worker  string
	updates int
	step    time.Duration
	check   bool
}

func main() {
	var cfg config
	flag.StringVar(&cfg.servers, "servers", "127.0.0.1:2181", "ZooKeeper servers, host:port,host:port/chroot")
	flag.DurationVar(&cfg.session, "session", 10*time.Second, "session timeout")
	flag.StringVar(&cfg.stack, "stack", "demo", "name of the stack")
	flag.StringVar(&cfg.cloud, "cloud", "cloud.json", "file that stands for the cloud")
	flag.StringVar(&cfg.worker, "worker", fmt.Sprintf("worker-%d", os.Getpid()), "name of this worker")
	flag.IntVar(&cfg.updates, "updates", 5, "number of updates to apply")
	flag.DurationVar(&cfg.step, "step", 5*time.Millisecond, "how long the cloud takes for one resource")
	flag.BoolVar(&cfg.check, "check", false, "verify the stack instead of updating it")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg, newTimeline(os.Stdout, cfg.worker)); err != nil {
		fmt.Fprintln(os.Stderr, "stackupdate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, cfg config, tl *timeline) error {
	cl, err := client.Connect(ctx, cfg.servers, client.WithSessionTimeout(cfg.session))
	if err != nil {
		return err
	}
	defer func() { _ = cl.Close() }()

	st, err := openStack(ctx, cl, cfg.stack, &cloud{path: cfg.cloud}, cfg.step)
	if err != nil {
		return err
	}
	if cfg.check {
		summary, err := st.verify(ctx)
		if err == nil {
			fmt.Println(summary)
		}
		return err
	}

	mutex := lock.NewMutex(cl, st.lockPath(), lock.WithIdentifier(cfg.worker))
	for i := range cfg.updates {
		if err := update(ctx, mutex, st, tl, fmt.Sprintf("%s.%d", cfg.worker, i+1)); err != nil {
			return err
		}
	}
	tl.add("done", 0, fmt.Sprintf("%d updates", cfg.updates))
	return nil
}

// update applies one update, again if the lock was lost on the way: an update that
// was applied before is recognised by its id.
func update(ctx context.Context, mutex *lock.Mutex, st *stack, tl *timeline, id string) error {
	for {
		tl.add("waits", 0, id)
		var token int64
		err := mutex.Do(ctx, func(ctx context.Context, held *lock.Held) error {
			token = held.Token()
			tl.add("holds", token, id)
			err := st.apply(ctx, held, id, tl)
			if err == nil && held.Err() == nil {
				tl.add("ends", token, id) // before the lock is given back
			}
			return err
		})
		switch {
		case err == nil:
			tl.add("applied", token, id)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errStaleToken):
			tl.add("refused", token, err.Error())
		case errors.Is(err, lock.ErrLost):
			tl.add("lost", token, err.Error())
		case client.Outcome(err) != client.Definite:
			tl.add("unsure", token, err.Error())
		default:
			return err
		}
	}
}
