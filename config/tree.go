package config

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// Tree is settings of which each is a node of its own, below one node: a live copy of all of them, on a
// [recipes.Mirror]. Make it with [WatchTree] and close it when it is no longer needed. Safe for concurrent use.
type Tree struct {
	mirror *recipes.Mirror
}

// WatchTree reads everything below path and follows it until [Tree.Close]. It returns when all has been read; path need
// not exist. ctx bounds the call only. cfg says how deep it goes and how large it may be; its zero value
// is all, within [recipes.DefaultMirrorNodes]. It costs one watch on the server, and one read for each change of
// a node.
//
// Errors are those of [recipes.StartMirror].
func WatchTree(ctx context.Context, cl *client.Client, path string, cfg recipes.MirrorConfig) (*Tree, error) {
	if cfg.NoData {
		return nil, fmt.Errorf("config tree %s: %w: NoData: settings are data", path, client.ErrBadArgument)
	}
	m, err := recipes.StartMirror(ctx, cl, path, cfg)
	if err != nil {
		return nil, fmt.Errorf("config tree: %w", err)
	}
	return &Tree{mirror: m}, nil
}

// Path returns the path of the node above the settings.
func (t *Tree) Path() string { return t.mirror.Path() }

// State returns what the tree knows of itself: whether it is in sync, and what is wrong.
func (t *Tree) State() recipes.MirrorState { return t.mirror.State() }

// Close ends the tree and waits for its goroutine; what it has shows on. It may be called again, and at any time.
func (t *Tree) Close() { t.mirror.Close() }

// Load returns all settings as they are. While nothing changes that costs nothing.
func (t *Tree) Load() Settings { return Settings{t.mirror.Path(), t.mirror.Snapshot()} }

// Get returns the data of one setting, and whether it exists. name is its path below the tree's, such as
// "db/pool/max". The data must not be changed.
func (t *Tree) Get(name string) ([]byte, bool) {
	n, ok := t.mirror.Get(client.Join(t.mirror.Path(), name))
	if !ok {
		return nil, false
	}
	return n.Data, true
}

// Updates yields the present settings and then, after each change, all of them again, always the most recent: what
// changes while the consumer is busy comes at once. An error (of [recipes.MirrorState]) comes with what there is. The sequence
// ends with ctx, whose error comes last, after Close, or with the client's end, whose error comes last.
func (t *Tree) Updates(ctx context.Context) iter.Seq2[Settings, error] {
	return func(yield func(Settings, error) bool) {
		var shown *recipes.MirrorSnapshot
		for _, err := range t.mirror.Changes(ctx) {
			now := t.mirror.Snapshot()
			if err == nil && shown != nil && shown.Version() == now.Version() {
				continue
			}
			shown = now
			if !yield(Settings{t.mirror.Path(), now}, err) {
				return
			}
		}
	}
}

// Changes yields what is there, and then each change by itself; see [recipes.Mirror.Changes].
func (t *Tree) Changes(ctx context.Context) iter.Seq2[recipes.MirrorChange, error] {
	return t.mirror.Changes(ctx)
}

// Settings are those of a [Tree] at one moment. They never change. Safe for concurrent use.
type Settings struct {
	root string
	snap *recipes.MirrorSnapshot
}

// Get returns the data of a setting, and whether it exists. The data must not be changed.
func (s Settings) Get(name string) ([]byte, bool) {
	n, ok := s.snap.Get(client.Join(s.root, name))
	if !ok {
		return nil, false
	}
	return n.Data, true
}

// Text returns a setting as text, or otherwise if it does not exist.
func (s Settings) Text(name, otherwise string) string {
	data, ok := s.Get(name)
	if !ok {
		return otherwise
	}
	return string(data)
}

// Names returns the names of what is directly below a setting, sorted; "" is the tree itself. The slice must not be
// written to.
func (s Settings) Names(name string) []string {
	if name == "" {
		return s.snap.Children(s.root)
	}
	return s.snap.Children(client.Join(s.root, name))
}

// All yields the settings below the root by name, sorted, each before those below it, with their data.
func (s Settings) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for n := range s.snap.All() {
			if n.Path == s.root {
				continue
			}
			if !yield(strings.TrimPrefix(n.Path, strings.TrimSuffix(s.root, "/")+"/"), n.Data) {
				return
			}
		}
	}
}

// Unmarshal sets the fields of the struct that into points to from the settings of their names, as [Bind] names and
// reads them: field MaxConns `json:"max_conns"` of Pool `json:"pool"` from setting pool/max_conns, as text.
// Fields that have no setting, or an empty one, stay as they are. The error, [ErrBadDocument], names all settings that cannot
// be read; what can be read is set nevertheless.
func (s Settings) Unmarshal(into any) error {
	fields, err := structFields(into)
	if err != nil {
		return err
	}
	var wrong []error
	for _, f := range fields {
		name := strings.ReplaceAll(f.name, ".", "/")
		data, ok := s.Get(name)
		if !ok || len(data) == 0 {
			continue
		}
		if err := f.parse(into, string(data)); err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %s: %w", ErrBadDocument, client.Join(s.root, name), err))
		}
	}
	return errors.Join(wrong...)
}
