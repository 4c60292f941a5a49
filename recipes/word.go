package recipes

import (
	"context"

	"github.com/zookit/zookit/client"
)

// leaveWord removes a node, and tells whoever waits for it that nobody was ahead of it when it was
// let through.
//
// Leaving word is to delete the node, make it once more and delete it
// again in one transaction: nobody ever sees it back, and a lasting watch on it tells
// of its creation, which no other event of the node could be taken for: its name is unique, and
// only its owner knows that it is to be made again. One-shot watches see a deletion, like any
// other. What word costs is a number of the directory's sequence; who finds that it can't be left,
// goes without.
func leaveWord(s *client.Session, path string) *Removal {
	word := true // tries come one after the other
	return Remove(s, path, func(ctx context.Context) error {
		if word {
			_, err := s.Txn().Delete(path, client.AnyVersion).
				Create(path, nil, client.WithMode(client.Ephemeral)).
				Delete(path, client.AnyVersion).Commit(ctx)
			if err == nil || client.Outcome(err) != client.Definite {
				return err
			}
			word = false
		}
		return pulled(s.Delete(ctx, path, client.AnyVersion))
	})
}
