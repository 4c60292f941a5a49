// Package peers lists the libraries that the performance laboratory measures: zookit and what a user would take
// instead of it.
//
// A peer is a subpackage with a function Start, of Program's type, and with NewServers where it does not
// work on ZooKeeper; it is added to the list here. See package work for what its program has to do.
package peers

import (
	"context"
	"io"
	"os/exec"

	"github.com/zookit/zookit/integration/bench/peers/curator"
	"github.com/zookit/zookit/integration/bench/peers/etcd"
	"github.com/zookit/zookit/integration/bench/peers/kazoo"
)

// Program is a worker.
type Program struct {
	// Name is unique, and short: it heads a column.
	Name string
	// Start makes the command of a worker, with its standard error set up and its other streams left to the caller, who also starts
	// it. The folder dir is the worker's for what it compiles; it lives longer than the process, and a later Start in the
	// same folder may use what is there. Where the library is not installed the error is work.ErrAbsent.
	Start func(ctx context.Context, dir, servers string) (*exec.Cmd, error)
	// NewServers starts servers of the peer's own, with their data below dir, in processes of their own, so that
	// the CPU of the worker is the client's. The string takes the place of ZooKeeper's servers. Nil stands for ZooKeeper.
	NewServers func(ctx context.Context, dir string) (servers string, stop io.Closer, err error)
}

// Ours is the name of zookit's program.
const Ours = "zookit"

// All returns the peers that there are, zookit first.
func All() []Program {
	return []Program{
		{Name: Ours, Start: goWorker("zookitworker")},
		{Name: "go-zookeeper", Start: goWorker("gozkworker")},
		{Name: "Kazoo", Start: kazoo.Start},
		{Name: "Curator", Start: curator.Start},
		{Name: "etcd", Start: goWorker("etcdworker"), NewServers: etcd.NewServers},
	}
}

// With is the program with further arguments.
func (p Program) With(args ...string) Program {
	start := p.Start
	p.Start = func(ctx context.Context, dir, servers string) (*exec.Cmd, error) {
		cmd, err := start(ctx, dir, servers)
		if err == nil {
			cmd.Args = append(cmd.Args, args...)
		}
		return cmd, err
	}
	return p
}
