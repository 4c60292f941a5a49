package barrier

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/zookit/zookit/client"
)

// member is a participant's node. Any ephemeral child of the directory is one: the libraries
// choose their names freely.
type member struct {
	name  string
	czxid int64
}

// memberReads is how many nodes are read at once.
const memberReads = 16

// members reads which of the children are members, in the order of their names. Those that have gone
// since are none.
func (e *entry) members(ctx context.Context, names []string) ([]member, error) {
	found := make([]member, len(names))
	errs := make([]error, len(names))
	slots := make(chan struct{}, memberReads)
	var readers sync.WaitGroup
	for i, name := range names {
		if name == readyName {
			continue
		}
		slots <- struct{}{}
		readers.Go(func() {
			defer func() { <-slots }()
			stat, ok, err := e.s.Exists(ctx, client.Join(e.d.dir, name))
			errs[i] = err
			if ok && stat.EphemeralOwner != 0 {
				found[i] = member{name, stat.Czxid}
			}
		})
	}
	readers.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(m member) bool { return m.name == "" }), nil
}
