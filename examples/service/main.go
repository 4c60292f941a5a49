// Command service is a small service with everything that a service shares through ZooKeeper: settings
// that change while it runs, a list of who is there, and work that is divided over whoever is there. Its work is
// to count: each of a number of shards has a counter, which only the owner of the shard adds to.
//
// Start it three times, in three terminals, and play:
//
//	go run ./examples/service -name a -embedded    # says the address of a ZooKeeper that it starts itself
//	go run ./examples/service -name b -servers ADDRESS
//	go run ./examples/service -name c -servers ADDRESS
//
// Or leave -embedded out and give all of them the -servers of an ensemble. Each prints who is there, which shards it owns and
// which settings are in force. From a fourth terminal:
//
//	go run ./examples/service -servers ADDRESS -set '{"interval_ms":100,"step":5}'
//	go run ./examples/service -servers ADDRESS -show
//
// End one with Ctrl-C: its shards move at once. Kill another with SIGKILL: they move when its session is over.
// Stop one with SIGSTOP for longer than its session, and let it go on: what it would still have added is refused,
// since each addition is a transaction that checks the ownership. Cut it off, start it again under its old name:
// no shard ever has two owners, and each comes to have one again.
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
	"github.com/zookit/zookit/zktest"
)

type options struct {
	servers  string
	embedded bool
	session  time.Duration
	root     string
	name     string
	shards   int
	set      string
	show     bool
}

func main() {
	var o options
	flag.StringVar(&o.servers, "servers", "127.0.0.1:2181", "ZooKeeper servers, host:port,host:port/chroot")
	flag.BoolVar(&o.embedded, "embedded", false, "start a ZooKeeper in this process, which ends with it")
	flag.DurationVar(&o.session, "session", 10*time.Second, "session timeout")
	flag.StringVar(&o.root, "root", "/service", "node below which everything is")
	flag.StringVar(&o.name, "name", fmt.Sprintf("worker-%d", os.Getpid()), "name of this one; each has its own")
	flag.IntVar(&o.shards, "shards", 12, "number of shards; the same for all")
	flag.StringVar(&o.set, "set", "", "change the settings to this JSON, and end")
	flag.BoolVar(&o.show, "show", false, "print members, settings and shards, and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, newJournal(os.Stdout, o.name)); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out *journal) error {
	if o.embedded {
		srv, err := zktest.NewServer()
		if err != nil {
			return err
		}
		defer func() { _ = srv.Close() }()
		o.servers = srv.Addr()
		out.say("ZooKeeper at %s", o.servers)
	}
	cl, err := client.Connect(ctx, o.servers, client.WithSessionTimeout(o.session))
	if err != nil {
		return err
	}
	defer func() { _ = cl.Close() }()
	s := &service{cl: cl, root: o.root, name: o.name, out: out}
	for i := range o.shards {
		s.shards = append(s.shards, fmt.Sprintf("shard-%02d", i))
	}
	switch {
	case o.set != "":
		return s.set(ctx, o.set)
	case o.show:
		return s.show(ctx)
	}
	return s.serve(ctx)
}
