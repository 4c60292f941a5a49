package election

import (
	"fmt"
	"unicode/utf8"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Option changes how an [Election] works. An option that cannot be is reported by the
// election's first call, not ignored.
type Option func(*settings) error

// settings are what options set.
type settings struct {
	layout   recipes.Layout
	selector bool
	dataDir  string
	short    int
}

const maxID = 64 << 10

// WithLayout says in whose znodes the candidates are written. All programs that take part have
// to use the same. Default: recipes.Curator, the names of Curator's LeaderLatch.
// recipes.Kazoo is for taking part with Kazoo's Election.
func WithLayout(layout recipes.Layout) Option {
	return func(s *settings) error {
		s.layout = layout
		return nil
	}
}

// WithLeaderSelector uses the names of Curator's LeaderSelector, which are those of its mutex,
// instead of its LeaderLatch's. The two do not see each other, and this package takes the other
// for [ErrLayoutConflict]. With a layout other than Curator's it is client.ErrBadArgument.
func WithLeaderSelector() Option {
	return func(s *settings) error {
		s.selector = true
		return nil
	}
}

// WithData says in which directory a leader's data lives, see [Term.Publish]; the directory and
// its parents are made when data is first published. All programs that publish or look have to
// name the same one. It must not be the election's path or lie below it: everything there counts
// as a candidate to Curator. Of each term there is one ephemeral node in it, which has the name
// of the leader's node; nothing else in the directory is touched. Default: none; nothing can be
// published, and looking at the leader takes a read and a watch less.
func WithData(dir string) Option {
	return func(s *settings) error {
		if err := client.CheckPath(dir); err != nil {
			return fmt.Errorf("the directory for data: %w", err)
		}
		s.dataDir = dir
		return nil
	}
}

// WithShortLine says how many candidates an election may have for them to be listed whenever a leader goes. With more of them
// who leaves tells the next instead: that is two requests more, and does not grow with their number; see
// recipes.LineConfig. Negative: they are never listed. Default: 64.
func WithShortLine(candidates int) Option {
	return func(s *settings) error {
		s.short = candidates
		return nil
	}
}

// config checks what the options have set, together, and makes a line's settings of it.
func (s *settings) config(path, id string) (recipes.LineConfig, error) {
	cfg := recipes.LineConfig{Layout: s.layout, Data: []byte(id), ShortLine: s.short}
	if s.layout == recipes.Curator && !s.selector {
		cfg.Kind = recipes.KindLatch
	}
	switch {
	case s.selector && s.layout != recipes.Curator:
		return cfg, fmt.Errorf("%w: LeaderSelector is Curator's, and the layout is %s", client.ErrBadArgument, s.layout)
	case len(id) > maxID:
		return cfg, fmt.Errorf("%w: the id has %d bytes, at most %d are allowed: it is stored in the candidate's node", client.ErrBadArgument, len(id), maxID)
	case !utf8.ValidString(id):
		return cfg, fmt.Errorf("%w: the id %q is not UTF-8", client.ErrBadArgument, id)
	case s.dataDir != "" && within(s.dataDir, path):
		return cfg, fmt.Errorf("%w: the directory for data, %s, lies within the election's path, where it would be taken for a candidate", client.ErrBadArgument, s.dataDir)
	}
	return cfg, nil
}

// within tells whether path is dir or lies below it.
func within(path, dir string) bool {
	if dir == "/" {
		return true
	}
	return path == dir || len(path) > len(dir) && path[:len(dir)+1] == dir+"/"
}
