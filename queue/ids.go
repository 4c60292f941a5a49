package queue

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"time"

	"github.com/zookit/zookit/client"
)

// shards is over how many nodes the ids are spread, so that none has too many children.
const shards = 256

// sweepEvery is after how many acknowledged ids a consumer deletes, in one shard, those that need not be
// remembered any more.
const sweepEvery = 64

func (c *core) shard(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // which never fails
	return client.Join(c.path, fmt.Sprintf("ids/%02x", h.Sum32()%shards))
}

func (c *core) idPath(id string) string { return client.Join(c.shard(id), "i"+url.PathEscape(id)) }

func (c *core) mkShard(ctx context.Context, id string) error {
	_, err := c.cl.Idempotent().Create(ctx, c.shard(id), nil)
	switch {
	case errors.Is(err, client.ErrNodeExists):
		return nil
	case errors.Is(err, client.ErrNoNode):
		c.reset()
		return c.ready(ctx)
	}
	return err
}

// known notes which of the entries have an id that the queue knows: the one that was
// found, and, in one request, the others.
func (c *core) known(ctx context.Context, some []*entry, twice []bool, found int) (again bool, err error) {
	twice[found] = true
	if len(some) == 1 {
		return true, nil
	}
	r := c.reads(c.cl.Ops)
	var asked []int
	for i, e := range some {
		if !twice[i] && e.named {
			r.get(c.idPath(e.id))
			asked = append(asked, i)
		}
	}
	results, err := r.do(ctx)
	if err != nil {
		return false, c.unsent(err)
	}
	seen := map[string]bool{some[found].id: true}
	for i, at := range asked {
		twice[at] = results[i].Err == nil || seen[some[at].id]
		seen[some[at].id] = true
	}
	return true, nil
}

// forgetID adds what becomes of the node of an id when its item leaves the queue.
func (c *core) forgetID(p *plan, i int, it *candidate, keep time.Duration) {
	if keep > 0 {
		p.note(roleID, i).Set(c.idPath(it.id), []byte(fmt.Sprintf("k=%d", keep/time.Second)), client.AnyVersion)
	} else {
		p.note(roleID, i).Delete(c.idPath(it.id), client.AnyVersion)
	}
}

// sweep deletes, now and then, ids that need not be remembered any more, in the shard of one that has just gone.
// It is nobody's task in particular: who acknowledges items with ids pays for it by the number of them.
func (c *core) sweep(ctx context.Context, id string) {
	if c.gone.Add(1)%sweepEvery != 0 {
		return
	}
	if err := c.sweepShard(ctx, c.shard(id)); err != nil {
		c.cl.Logger().Debug("ids that are over were not deleted", "path", c.path, "err", err)
	}
}

// Swept ones are gone for as long as it said; an id in use has no such mark.
func (c *core) sweepShard(ctx context.Context, shard string) error {
	names, _, err := c.cl.Children(ctx, shard)
	if err != nil || len(names) == 0 {
		return err
	}
	r := c.reads(c.cl.Ops)
	for _, name := range names[:min(len(names), maxBatch)] {
		r.get(client.Join(shard, name))
	}
	found, err := r.do(ctx)
	if err != nil {
		return err
	}
	t := c.cl.Txn()
	for _, f := range found {
		var seconds int64
		if f.Err != nil || len(f.Data) == 0 {
			continue
		}
		if n, err := fmt.Sscanf(string(f.Data), "k=%d", &seconds); n != 1 || err != nil || seconds < 0 {
			continue
		}
		if time.Since(f.Stat.Mtime) > time.Duration(seconds)*time.Second {
			t.Delete(f.Path, f.Stat.Version)
		}
	}
	_, err = t.Commit(ctx)
	return err
}
