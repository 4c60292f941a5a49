package configs

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

// place is the server and who is there.
type place struct {
	cl             *client.Client
	kazoo, curator *process
}

// TestConfigs: settings of the three kinds on one server.
func TestConfigs(t *testing.T) {
	python, java := trial.Kazoo(t), trial.Curator(t, "testdata/curator")
	e := ensemble.Start(t, 1)
	p := &place{
		cl:      trial.Connect(t, e.Connect(), client.WithSessionTimeout(40*time.Second)),
		kazoo:   launch(t, "kazoo", python, "-B", "testdata/kazoo/peer.py", e.Connect()),
		curator: launch(t, "curator", append(java, "Peer", e.Connect())...),
	}
	t.Run("each sees what each writes", p.eachSeesWhatEachWrites)
	t.Run("SharedValue", p.sharedValue)
	t.Run("nobody loses an update", p.nobodyLosesAnUpdate)
	t.Run("histories are in nobody's way", p.historiesAreInNobodysWay)
}

func (p *place) value(t *testing.T, path string) *config.Value[string] {
	t.Helper()
	v, err := config.Watch(trial.Within(t, patience), p.cl, path, config.WithCodec[string](recipes.Text{}), config.WithDefault(gone))
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v
}

// shows waits until a value is this.
func shows[T any](t *testing.T, want T, load func() T) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Equal(c, want, load()) }, patience, 5*time.Millisecond)
}

// A document is written, deleted and made again by each kind: zookit's Watch and Tree, Kazoo's DataWatch and TreeCache, and
// Curator's NodeCache and TreeCache all see it.
func (p *place) eachSeesWhatEachWrites(t *testing.T) {
	const dir, path = "/each", "/each/document"
	ctx := trial.Within(t, 3*patience)
	trial.MakeDirectory(t, ctx, p.cl, dir)
	value := p.value(t, path)
	tree, err := config.WatchTree(ctx, p.cl, dir, recipes.MirrorConfig{})
	require.NoError(t, err)
	t.Cleanup(tree.Close)
	inTree := func() string {
		data, ok := tree.Get("document")
		if !ok {
			return gone
		}
		return string(data)
	}
	for _, peer := range []*process{p.kazoo, p.curator} {
		peer.begin(t, "watch", "data", path)
		peer.begin(t, "watch", "tree", dir)
		peer.sees(t, "tree "+dir, "")
	}
	all := func(want string) {
		t.Helper()
		shows(t, want, value.Load)
		shows(t, want, inTree)
		for _, peer := range []*process{p.kazoo, p.curator} {
			peer.sees(t, "data "+path, want)
			peer.sees(t, "tree "+path, want)
		}
	}
	for round := range 3 {
		for kind, write := range map[string]func(string){
			"zookit":  func(data string) { require.NoError(t, value.Set(ctx, data)) },
			"kazoo":   func(data string) { p.kazoo.do(t, "set", path, encode(data)) },
			"curator": func(data string) { p.curator.do(t, "set", path, encode(data)) },
		} {
			text := fmt.Sprintf("%s, round %d: ü", kind, round)
			write(text)
			all(text)
			if round == 1 { // it is made again by the next
				p.kazoo.do(t, "delete", path)
				all(gone)
			}
		}
	}
	require.NoError(t, value.Err())
}

// Curator's SharedValue and a document of bytes are one.
func (p *place) sharedValue(t *testing.T) {
	const path = "/shared/value"
	ctx := trial.Within(t, patience)
	raw := config.WithCodec[[]byte](recipes.Raw{})
	require.NoError(t, config.New(p.cl, path, raw).Set(ctx, []byte("first")))
	value, err := config.Watch(ctx, p.cl, path, raw)
	require.NoError(t, err)
	t.Cleanup(value.Close)
	p.curator.begin(t, "watch", "shared", path)
	p.curator.sees(t, "shared "+path, "first")
	for round := range 5 {
		ours := fmt.Sprintf("ours %d", round)
		require.NoError(t, value.Set(ctx, []byte(ours)))
		p.curator.sees(t, "shared "+path, ours)
		theirs := fmt.Sprintf("theirs %d", round)
		p.curator.do(t, "shared", path, encode(theirs))
		shows(t, []byte(theirs), value.Load)
	}
}

// All kinds count up one number at once: by Update, Curator's SharedCount, Kazoo's Counter.
func (p *place) nobodyLosesAnUpdate(t *testing.T) {
	const path, each = "/shared/count", 40
	ctx := trial.Within(t, patience)
	count := config.WithCodec[int32](config.Count{})
	first := config.New(p.cl, path, count)
	require.NoError(t, first.Set(ctx, 0))
	p.kazoo.begin(t, "add", path, fmt.Sprint(each))
	p.curator.begin(t, "add", path, fmt.Sprint(each))
	var own sync.WaitGroup
	for range 2 {
		own.Go(func() {
			d := config.New(p.cl, path, count)
			for range each {
				if _, err := d.Update(ctx, func(n int32) (int32, error) { return n + 1, nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	own.Wait()
	require.Empty(t, p.kazoo.outcome(t, "kazoo's"))
	require.Empty(t, p.curator.outcome(t, "curator's"))
	data, _, err := p.cl.Get(ctx, path)
	require.NoError(t, err)
	require.Equal(t, uint32(4*each), binary.BigEndian.Uint32(data))
}

// Those who watch or list the settings meet the documents and nothing else; roll-backs are
// writes like others.
func (p *place) historiesAreInNobodysWay(t *testing.T) {
	const dir, path = "/quiet", "/quiet/document"
	ctx := trial.Within(t, patience)
	trial.MakeDirectory(t, ctx, p.cl, dir)
	p.kazoo.begin(t, "children", dir)
	p.kazoo.sees(t, "children "+dir, "")
	d := config.New(p.cl, path, config.WithCodec[string](recipes.Text{}))
	for n := range config.DefaultHistory + 5 {
		require.NoError(t, d.Set(ctx, fmt.Sprint(n)))
	}
	p.kazoo.sees(t, "children "+dir, "document")
	p.curator.begin(t, "watch", "tree", dir)
	p.curator.sees(t, "tree "+path, fmt.Sprint(config.DefaultHistory+4))
	revisions, err := d.History(ctx)
	require.NoError(t, err)
	require.Len(t, revisions, config.DefaultHistory)
	require.NoError(t, d.RollBack(ctx, revisions[2].ID))
	p.curator.sees(t, "tree "+path, fmt.Sprint(config.DefaultHistory+1))
	for _, peer := range []*process{p.kazoo, p.curator} {
		peer.mu.Lock()
		for what := range peer.shown {
			require.NotContains(t, what, "zookit", peer.kind)
		}
		peer.mu.Unlock()
	}
}
