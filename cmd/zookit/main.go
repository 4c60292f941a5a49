// Command zookit locks, elects and looks into a ZooKeeper ensemble, from any shell. See zookit help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/child"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == child.GuardCommand {
		os.Exit(child.GuardMain(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	env := app.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	err := run(ctx, env, os.Args[1:])
	stop()
	app.Report(os.Stderr, err)
	os.Exit(app.Code(err))
}
