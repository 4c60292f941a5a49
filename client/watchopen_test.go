package client

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/wire"
)

// Where the claim has to be checked first the table is readied when that has been answered,
// and the connection may have been lost by then: then nothing is asked for over it, and
// nothing is taken to stand.
func TestWatchTableOpenedTooLate(t *testing.T) {
	c := &Client{set: defaults()}
	c.Ops.c = c
	table := newWatchTable(&Session{c: c})
	watchers := map[*Watcher]struct{}{newWatcher(c, "/n", WatchPersistent, 1): {}}
	var asked [][]*wire.Call
	open := func(first ...*wire.Call) { asked = append(asked, first) }

	before := table.lost()
	table.flush(false)
	table.open(before, watchers, open)
	require.Equal(t, [][]*wire.Call{nil}, asked, "opened, without a request")
	require.False(t, table.up)
	require.Empty(t, table.covers)

	table.open(table.lost(), watchers, open)
	require.Len(t, asked, 2)
	require.Len(t, asked[1], 1)
	require.True(t, table.up)
	require.Len(t, table.covers, 1)
}
