package counter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

// CURATOR-688: with version -1, which ZooKeeper takes for any, nothing is changed but by a Set and what comes behind it.
func TestVersionsUsedUp(t *testing.T) {
	t.Parallel()
	add := func() *change[int64] { return &change[int64]{op: "add", done: make(chan struct{})} }
	set := &change[int64]{op: "set", blind: true, done: make(chan struct{})}
	r := &register[int64]{path: "/n", current: &round[int64]{live: 2}}
	now := state[int64]{version: client.AnyVersion}
	early, late := add(), add()
	_, err := r.guarded([]*change[int64]{early}, now)
	require.ErrorIs(t, err, ErrVersionsUsedUp)
	left, err := r.guarded([]*change[int64]{early, set, late}, now)
	require.NoError(t, err)
	require.Equal(t, []*change[int64]{set, late}, left)
	require.ErrorIs(t, early.err, ErrVersionsUsedUp)
	require.Equal(t, client.Definite, client.Outcome(harmless("add", "/n", &client.OpError{Outcome: client.Definite, Err: early.err})))
	now.absent = true
	left, err = r.guarded([]*change[int64]{late}, now)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// FuzzDecode: no data of a node makes a panic, and what is read is written as it was, but for Kazoo's spaces and signs.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "7", "-7", " 7\n", "\x00\x00\x00\x07", "\x80\x00\x00\x00\x00\x00\x00\x00", "1e3"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for l := Long; l.known(); l++ {
			n, err := l.decode(data)
			if err != nil {
				require.ErrorIs(t, err, ErrLayoutConflict)
				continue
			}
			require.True(t, l.fits(n))
			again, err := l.decode(l.encode(n))
			require.NoError(t, err)
			require.Equal(t, n, again)
			if l != Text {
				require.Equal(t, data, l.encode(n))
			}
		}
	})
}
