package stage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// until looks until nothing is found, or for too long: then it returns what was found last.
func (st *Stage) until(ctx context.Context, look func() ([]string, error)) []string {
	ctx, cancel := context.WithTimeout(ctx, st.Settle+2*st.Session)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := look()
		if err == nil && len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		if err != nil {
			left = append(left, err.Error())
		}
		return left
	}
}

// Left waits until nothing is left below a node that its works do not keep, and returns what is: nodes
// that are ephemeral, or for which keeps, which gets the path below the node, is false.
func (st *Stage) Left(ctx context.Context, root string, keeps func(name string, s client.Stat) bool) []string {
	return st.until(ctx, func() ([]string, error) {
		if err := st.watcher.Sync(ctx, root); err != nil {
			return nil, err
		}
		var left []string
		err := st.walk(ctx, root, func(p string, s client.Stat) {
			if name := strings.TrimPrefix(strings.TrimPrefix(p, root), "/"); !keeps(name, s) {
				left = append(left, fmt.Sprintf("node %s (session %#x, made %v ago)", p, uint64(s.EphemeralOwner), time.Since(s.Ctime).Round(time.Second)))
			}
		})
		return left, err
	})
}

func (st *Stage) walk(ctx context.Context, p string, visit func(string, client.Stat)) error {
	names, s, err := st.watcher.Children(ctx, p)
	if err != nil {
		if errors.Is(err, client.ErrNoNode) {
			return nil
		}
		return err
	}
	visit(p, s)
	for _, name := range names {
		if err := st.walk(ctx, path.Join(p, name), visit); err != nil {
			return err
		}
	}
	return nil
}

// Watches waits until no server has a watch, and returns those that there are.
func (st *Stage) Watches(ctx context.Context) []string {
	return st.until(ctx, func() ([]string, error) {
		var left []string
		for _, s := range st.Ensemble.Servers() {
			n, err := s.Watches(ctx)
			if err != nil {
				return nil, err
			}
			if n == 0 {
				continue
			}
			paths, err := s.FourLetter(ctx, "wchp")
			if err != nil {
				return nil, err
			}
			left = append(left, fmt.Sprintf("%d watches on %v: %s", n, s, strings.Join(strings.Fields(paths), " ")))
		}
		return left, nil
	})
}

var sessionLine = regexp.MustCompile(`0x[0-9a-f]+`)

// Sessions waits until the leader has no session but the stage's own, and returns the others.
func (st *Stage) Sessions(ctx context.Context) []string {
	return st.until(ctx, func() ([]string, error) {
		leader, err := st.Ensemble.Leader(ctx)
		if err != nil {
			return nil, err
		}
		dump, err := leader.FourLetter(ctx, "dump")
		if err != nil {
			return nil, err
		}
		own := "0x" + strconv.FormatUint(uint64(st.watcher.State().SessionID), 16)
		tracked, _, _ := strings.Cut(dump, "ephemeral nodes dump")
		var left []string
		for _, id := range sessionLine.FindAllString(tracked, -1) {
			if id != own && id != "0x0" && !slices.Contains(left, "session "+id) {
				left = append(left, "session "+id)
			}
		}
		return left, nil
	})
}
