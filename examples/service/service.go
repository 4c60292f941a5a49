package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/group"
)

// service is one of those that share the work.
type service struct {
	cl     *client.Client
	root   string
	name   string
	shards []string
	out    *journal

	settings *config.Value[settings]
}

func (s *service) dir(name string) string { return client.Join(s.root, name) }

// serve works until ctx ends.
func (s *service) serve(ctx context.Context) error {
	var err error
	if s.settings, err = config.Watch(ctx, s.cl, s.dir("settings"), settingsOptions()...); err != nil {
		return err
	}
	defer s.settings.Close()
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	member, err := group.Join(ctx, s.cl, s.dir("members"), s.name, fmt.Appendf(nil, "%s, pid %d", host, os.Getpid()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var reports sync.WaitGroup
	defer reports.Wait()
	defer cancel()
	reports.Go(func() { s.followSettings(ctx) })
	reports.Go(func() { s.followMembers(ctx) })
	err = group.NewPartitioner(s.cl, s.dir("work"), s.name, s.shards).Run(ctx, s.own)
	farewell, stop := context.WithTimeout(context.WithoutCancel(ctx), s.patience())
	defer stop()
	if left := member.Leave(farewell); left != nil {
		s.out.say("leaving: %v", left)
	}
	return err
}

func (s *service) followSettings(ctx context.Context) {
	for now, err := range s.settings.Updates(ctx) {
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.out.say("settings: %v; it stays at every %v, step %d", err, now.interval(), now.Step)
		default:
			s.out.say("settings: every %v, step %d", now.interval(), now.Step)
		}
	}
}

func (s *service) followMembers(ctx context.Context) {
	for members, err := range group.Watch(ctx, s.cl, s.dir("members")) {
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.out.say("members: %v", err)
		default:
			s.out.say("members: %s", ids(members))
		}
	}
}

func ids(members []group.Info) string {
	var all []string
	for _, m := range members {
		all = append(all, m.ID)
	}
	return strings.Join(all, " ")
}

// show prints what there is.
func (s *service) show(ctx context.Context) error {
	members, err := group.Members(ctx, s.cl, s.dir("members"))
	if err != nil {
		return err
	}
	for _, m := range members {
		s.out.say("member %s: %s", m.ID, m.Data)
	}
	now, _, err := config.New(s.cl, s.dir("settings"), settingsOptions()...).Get(ctx)
	if err != nil {
		return err
	}
	s.out.say("settings: every %v, step %d", now.interval(), now.Step)
	for _, shard := range s.shards {
		c, _, err := s.load(ctx, shard)
		if err != nil {
			return err
		}
		s.out.say("%s: %d, by %s", shard, c.Count, c.By)
	}
	return nil
}
