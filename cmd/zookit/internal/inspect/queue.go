package inspect

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

// mostLeases is how many leases are read one by one; the others are counted.
const mostLeases = 1000

// queueOf reports a queue.
func queueOf(ctx context.Context, cl *client.Client, s *sight, f finding, r *report) error {
	r.Queue = &depth{}
	side, leases := s.path, s.at("leases")
	var err error
	switch f.queue {
	case queue.Native:
		err = native(ctx, cl, s.path, r.Queue)
	case queue.KazooLockingQueue:
		side, leases = s.path+queueBeside, s.at("taken")
		var names [][]string
		if names, err = listings(ctx, cl, s.at("entries")); err == nil {
			err = flat(ctx, cl, s.at("entries"), queue.KazooQueue, names[0], r.Queue)
		}
	default:
		side, leases = s.path+queueBeside, ""
		err = flat(ctx, cl, s.path, f.queue, s.children, r.Queue)
	}
	if err != nil {
		return err
	}
	if leases != "" {
		if err := leased(ctx, cl, leases, r); err != nil {
			return err
		}
	}
	var dead depth
	if err := native(ctx, cl, client.Join(side, "dead"), &dead); err != nil {
		return err
	}
	r.Queue.Dead = dead.Items
	for _, role := range []string{"consumer", "producer"} {
		standing, err := lineOf(ctx, cl, client.Join(side, role+"s"), role)
		if err != nil {
			return err
		}
		r.Waiting = append(r.Waiting, standing...)
	}
	bound, _, err := cl.Get(ctx, client.Join(side, "bound"))
	if n, malformed := strconv.Atoi(string(bound)); err == nil && malformed == nil {
		r.Limit = &n
	}
	if errors.Is(err, client.ErrNoNode) {
		return nil
	}
	return err
}

// lineOf are those who stand in a line of a queue's.
func lineOf(ctx context.Context, cl *client.Client, dir, role string) ([]party, error) {
	all, err := contenders(ctx, cl, dir, recipes.Curator)
	out := make([]party, 0, len(all))
	for _, d := range all {
		p := standing(d)
		p.Role, p.Token = role, 0 // a place, and no grant
		out = append(out, p)
	}
	return out, err
}

// leased adds who has leased which item.
func leased(ctx context.Context, cl *client.Client, dir string, r *report) error {
	names, err := listings(ctx, cl, dir)
	if err != nil {
		return err
	}
	r.Queue.Leased = len(names[0])
	found, err := contents(ctx, cl, dir, names[0][:min(len(names[0]), mostLeases)])
	if err != nil {
		return err
	}
	for i, f := range found {
		if f.Exists {
			p := partyOf(f.Path, f.Data, f.Stat)
			p.Token, p.Item = f.Stat.Czxid, names[0][i] // the node below the item is of the same transaction
			r.Holders = append(r.Holders, p)
		}
	}
	slices.SortFunc(r.Holders, func(a, b party) int { return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.Path, b.Path)) })
	return nil
}

// native counts the items of a queue in the native layout, by what its segments and buckets say of the number of their children. A
// queue that does not exist has none.
func native(ctx context.Context, cl *client.Client, path string, d *depth) error {
	segments, delayed := client.Join(path, "segments"), client.Join(path, "delayed")
	top, err := listings(ctx, cl, segments, delayed)
	if err != nil {
		return err
	}
	levels := make([]string, len(top[0]))
	for i, name := range top[0] {
		levels[i] = client.Join(segments, name)
	}
	lists, err := listings(ctx, cl, levels...)
	if err != nil {
		return err
	}
	var firsts []string // of each level, the first segment that has items
	for i, level := range levels {
		found, err := stats(ctx, cl, level, lists[i])
		if err != nil {
			return err
		}
		first := ""
		for _, f := range found { // in the order of their numbers
			d.Items += f.Stat.NumChildren
			if first == "" && f.Stat.NumChildren > 0 {
				first = f.Path
			}
		}
		if first != "" {
			firsts = append(firsts, first)
		}
	}
	for _, first := range firsts {
		if err := older(ctx, cl, first, d); err != nil {
			return err
		}
	}
	return later(ctx, cl, delayed, top[1], d)
}

// older looks for the oldest item in a directory: the one with the lowest number.
func older(ctx context.Context, cl *client.Client, dir string, d *depth) error {
	names, err := listings(ctx, cl, dir)
	if err != nil {
		return err
	}
	return oldest(ctx, cl, dir, names[0], d)
}

func oldest(ctx context.Context, cl *client.Client, dir string, names []string, d *depth) error {
	if len(names) == 0 {
		return nil
	}
	stat, ok, err := cl.Exists(ctx, client.Join(dir, slices.MinFunc(names, byNumber)))
	if err == nil && ok && (d.Oldest.IsZero() || stat.Ctime.Before(d.Oldest)) {
		d.Oldest = stat.Ctime.UTC()
	}
	return err
}

// byNumber is the order of the numbers that the servers have appended.
func byNumber(a, b string) int {
	return cmp.Compare(a[max(0, len(a)-10):], b[max(0, len(b)-10):])
}

// later counts the delayed items of the native layout, and finds out when the next is due.
func later(ctx context.Context, cl *client.Client, delayed string, buckets []string, d *depth) error {
	found, err := stats(ctx, cl, delayed, buckets)
	if err != nil {
		return err
	}
	for _, f := range found { // in the order of their minutes
		d.Items += f.Stat.NumChildren
		d.Delayed += f.Stat.NumChildren
		if f.Stat.NumChildren == 0 || !d.NextDue.IsZero() {
			continue
		}
		names, err := listings(ctx, cl, f.Path)
		if err != nil {
			return err
		}
		if len(names[0]) > 0 {
			due, _, _ := strings.Cut(slices.Min(names[0]), "-")
			if ms, err := strconv.ParseInt(due, 10, 64); err == nil {
				d.NextDue = time.UnixMilli(ms).UTC()
			}
		}
	}
	return nil
}

// flat counts the items of a library's queue, which are all in one directory.
func flat(ctx context.Context, cl *client.Client, dir string, layout queue.Layout, names []string, d *depth) error {
	var form *regexp.Regexp
	for _, one := range itemNames {
		if one.layout == layout {
			form = one.name
		}
	}
	var ready []string
	for _, name := range names {
		if !form.MatchString(name) {
			continue
		}
		d.Items++
		if layout == queue.CuratorDelayQueue {
			ms, _ := strconv.ParseInt(strings.Split(name, "|")[1], 16, 64)
			if due := time.UnixMilli(ms).UTC(); due.After(time.Now()) {
				d.Delayed++
				if d.NextDue.IsZero() || due.Before(d.NextDue) {
					d.NextDue = due
				}
				continue
			}
		}
		ready = append(ready, name)
	}
	return oldest(ctx, cl, dir, ready, d)
}
