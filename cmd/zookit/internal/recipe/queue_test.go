package recipe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/queue"
)

// Items that Curator has put into one node are printed together, and none is written over.
func TestItemOfSeveral(t *testing.T) {
	first := append(make([]byte, 0, 16), "one"...)
	it := itemOf(queue.Entry[[]byte]{ID: "a", Value: first, More: [][]byte{[]byte("two"), {0xff}}})
	require.Equal(t, "one\ntwo\n\xff", string(it.Raw()))
	require.Equal(t, "one\x00", string(first[:4]))
	require.Equal(t, "two", *it.More[0].Text)
	require.Equal(t, []byte{0xff}, it.More[1].Bytes)
	require.Len(t, it.Table().Rows, 6)
}

// After a put that has failed in the middle the ids of what is there are told.
func TestIDsThatAreThere(t *testing.T) {
	all := ids{"a", "b", "c"}
	require.Equal(t, ids{"a", "c"}, all.of([]bool{true, false, true}))
	require.Empty(t, all.of(nil))
}

func TestSplit(t *testing.T) {
	require.Equal(t, [][]byte{[]byte("a"), []byte(" b ")}, split([]byte("a\r\n\n b \n\r\n")))
	require.Empty(t, split(nil))
}
