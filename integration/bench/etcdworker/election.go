package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/zookit/zookit/integration/bench/work"
)

func (b bench) electionResign(ctx context.Context, c *work.Course) error {
	return b.inRoom(ctx, c, func(r *room) error {
		return c.Contend(ctx, work.Contest{
			InLine: func(ctx context.Context) (int, error) { return count(ctx, r.clients[0], c.Path) },
			Acquire: func(ctx context.Context, i int) (func(context.Context) error, error) {
				return campaign(ctx, r.sessions[i], c.Path, fmt.Sprintf("candidate-%d", i))
			},
		})
	})
}

func (b bench) electionCrash(ctx context.Context, c *work.Course) error {
	r, err := b.enter(ctx, 1, 1, work.CrashTimeout)
	if err != nil {
		return err
	}
	err = c.Crash(ctx, b.servers,
		func(ctx context.Context) (func(context.Context) error, error) {
			return campaign(ctx, r.sessions[0], c.Path, "next")
		},
		func(ctx context.Context) (int, error) { return count(ctx, r.clients[0], c.Path) })
	return errors.Join(err, r.close())
}

func campaign(ctx context.Context, s *concurrency.Session, path, id string) (resign func(context.Context) error, err error) {
	e := concurrency.NewElection(s, path)
	if err := e.Campaign(ctx, id); err != nil {
		return nil, err
	}
	return e.Resign, nil
}

// candidate leads until it is killed.
func candidate(ctx context.Context, servers, path string, leading func()) error {
	r, err := bench{servers}.enter(ctx, 1, 1, work.CrashTimeout)
	if err != nil {
		return err
	}
	if _, err := campaign(ctx, r.sessions[0], path, fmt.Sprintf("process-%d", os.Getpid())); err != nil {
		return errors.Join(err, r.close())
	}
	leading()
	<-ctx.Done()
	return r.close()
}
