package inspect

import (
	"context"
	"fmt"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
)

// counterOf reports a number.
func counterOf(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	for _, layout := range []counter.Layout{counter.Text, counter.Long, counter.Int} {
		n, err := counter.New(cl, s.path, counter.WithLayout(layout)).Value(ctx)
		if err == nil {
			r.Value, r.Layout = &n, layout.String()
			return nil
		}
	}
	return fmt.Errorf("%s: %w: its %d bytes are no number of any counter", s.path, client.ErrBadArgument, len(s.data))
}

// documentOf reports a node of settings.
func documentOf(ctx context.Context, cl *client.Client, s *sight, _ finding, r *report) error {
	kept, err := revisions(ctx, cl, s.path)
	r.Document = &document{Version: s.stat.Version, Modified: s.stat.Mtime.UTC(), Bytes: len(s.data), Revisions: kept}
	return err
}

// barrierNode reports a barrier, which is closed as long as its node is there: its holder is who has closed it.
func barrierNode(_ context.Context, _ *client.Client, s *sight, _ finding, r *report) error {
	r.Holders = append(r.Holders, partyOf(s.path, s.data, s.stat))
	return nil
}

// plainNode reports a node that is none of all this, as far as can be told.
func plainNode(_ context.Context, _ *client.Client, s *sight, _ finding, r *report) error {
	r.Summary = fmt.Sprintf("none of the recipes, as far as its nodes tell: %s, %s", counted(len(s.children), "child node"), counted(len(s.data), "byte"))
	if len(s.children) == 0 {
		r.Summary = fmt.Sprintf("a node with %s of data and no children: if it is a barrier it is closed, if it is a lock it is free", counted(len(s.data), "byte"))
	}
	return nil
}
