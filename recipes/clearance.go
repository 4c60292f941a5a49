package recipes

import (
	"context"
	"errors"
	"fmt"

	"github.com/zookit/zookit/client"
)

// removeAll starts the removal of nodes that this process created under session s: all
// of them in one transaction, so that nobody sees a part of them go.
func removeAll(s *client.Session, paths []string) *Removal {
	if len(paths) == 1 {
		return Remove(s, paths[0], nil)
	}
	return Remove(s, fmt.Sprintf("%s and %d more", paths[0], len(paths)-1), func(ctx context.Context) error {
		return deleteAll(ctx, s, paths)
	})
}

// deleteAll deletes nodes. It returns nil when none of them is left, whoever deleted them.
func deleteAll(ctx context.Context, s *client.Session, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	txn := s.Txn()
	for _, p := range paths {
		txn.Delete(p, client.AnyVersion)
	}
	if _, err := txn.Commit(ctx); !errors.Is(err, client.ErrNoNode) {
		return err
	}
	// One is gone, so the transaction will not do: somebody has deleted it, or an earlier
	// try whose answer was lost has deleted them all.
	each := s.Batch()
	for _, p := range paths {
		each.Delete(p, client.AnyVersion)
	}
	done, err := each.Do(ctx)
	if err == nil || done == nil {
		return err
	}
	for _, d := range done {
		if d.Err != nil && !errors.Is(d.Err, client.ErrNoNode) {
			return d.Err
		}
	}
	return nil
}
