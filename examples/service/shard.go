package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/group"
)

// counter is what a shard's node holds.
type counter struct {
	Count int    `json:"count"`
	By    string `json:"by"`
	Token int64  `json:"token"` // of the owner; it never goes back
}

// patience bounds what is done when the service is to end.
func (s *service) patience() time.Duration { return 2 * time.Second }

// own works on a shard for as long as it is this one's.
func (s *service) own(ctx context.Context, shard *group.Partition) error {
	s.out.say("owns %s", shard.Name())
	defer func() { s.out.say("gives up %s: %v", shard.Name(), context.Cause(ctx)) }()
	for {
		switch err := s.add(ctx, shard); {
		case ctx.Err() != nil:
			return nil
		case err != nil: // the next round looks at what is there
			s.out.say("%s: %v", shard.Name(), err)
		}
		pause := time.NewTimer(s.settings.Load().interval())
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil
		}
	}
}

// add adds once, by a transaction that only the owner of the shard can make.
func (s *service) add(ctx context.Context, shard *group.Partition) error {
	c, version, err := s.load(ctx, shard.Name())
	if err != nil {
		return err
	}
	if c.Token > shard.Token() {
		return fmt.Errorf("it has had the later owner %s", c.By)
	}
	c = counter{Count: c.Count + s.settings.Load().Step, By: s.name, Token: shard.Token()}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	path := client.Join(s.dir("shards"), shard.Name())
	txn := shard.Txn()
	if version < 0 {
		_, err := s.cl.Create(ctx, s.dir("shards"), nil, client.WithParents())
		if err != nil && !errors.Is(err, client.ErrNodeExists) {
			return err
		}
		txn.Create(path, data)
	} else {
		txn.Set(path, data, version)
	}
	_, err = txn.Commit(ctx)
	return err
}

// load reads a shard's counter and its version, which is -1 if there is none yet.
func (s *service) load(ctx context.Context, shard string) (c counter, version int32, err error) {
	data, stat, err := s.cl.Get(ctx, client.Join(s.dir("shards"), shard))
	if errors.Is(err, client.ErrNoNode) {
		return c, -1, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return c, 0, fmt.Errorf("counter of %s: %w", shard, err)
	}
	return c, stat.Version, nil
}
