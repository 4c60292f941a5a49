package main

import (
	"context"
	"fmt"
	"os"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/election"
	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) electionResign(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, c.SessionCount(), func(r *room) error {
		return c.Contend(ctx, work.Contest{
			InLine: func(ctx context.Context) (int, error) { return children(ctx, r.clients[0], c.Path) },
			Acquire: func(ctx context.Context, i int) (func(context.Context) error, error) {
				return campaign(ctx, r.of(i), c.Path, fmt.Sprintf("candidate-%d", i))
			},
		})
	})
}

func (b bench) electionCrash(ctx context.Context, c *work.Course) error {
	cl, err := b.dial(ctx, work.CrashTimeout)
	if err != nil {
		return err
	}
	defer cl.Close()
	return c.Crash(ctx, b.servers,
		func(ctx context.Context) (func(context.Context) error, error) {
			return campaign(ctx, cl, c.Path, "next")
		},
		func(ctx context.Context) (int, error) { return children(ctx, cl, c.Path) })
}

func campaign(ctx context.Context, cl *client.Client, path, id string) (resign func(context.Context) error, err error) {
	term, err := election.New(cl, path, id).Campaign(ctx)
	if err != nil {
		return nil, err
	}
	return term.Resign, nil
}

// candidate leads until it is killed.
func candidate(ctx context.Context, servers, path string, leading func()) error {
	cl, err := bench{servers}.dial(ctx, work.CrashTimeout)
	if err != nil {
		return err
	}
	defer cl.Close()
	if _, err := campaign(ctx, cl, path, fmt.Sprintf("process-%d", os.Getpid())); err != nil {
		return err
	}
	leading()
	<-ctx.Done()
	return nil
}
