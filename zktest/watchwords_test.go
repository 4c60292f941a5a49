package zktest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

func TestWordsOnWatches(t *testing.T) {
	s := zktest.Start(t)
	require.Equal(t, "\n", word(t, s, "wchc"))
	require.Equal(t, "\n", word(t, s, "wchp"))
	w, other := open(t, s.Addr()), open(t, s.Addr())
	first, second := fmt.Sprintf("0x%x", w.sess.SessionID), fmt.Sprintf("0x%x", other.sess.SessionID)
	w.exists("/b", true)
	w.addWatch("/a", jute.AddWatchPersistentRecursive)
	w.children("/", true)
	other.exists("/b", true)
	require.Equal(t, first+"\n\t/a\n\t/b\n"+second+"\n\t/b\n\n", word(t, s, "wchc"), "data watches only")
	require.Equal(t, "/a\n\t"+first+"\n/b\n\t"+first+"\n\t"+second+"\n\n", word(t, s, "wchp"))
	require.NoError(t, s.Create("/b", nil))
	require.Equal(t, first+"\n\t/a\n"+second+"\n\n", word(t, s, "wchc"), "who has had a watch stays")
	require.True(t, s.DropConnection(other.sess.SessionID))
	require.Equal(t, first+"\n\t/a\n\n", word(t, s, "wchc"))
}

func TestWordsThatResetCounts(t *testing.T) {
	s := zktest.Start(t)
	w := open(t, s.Addr())
	w.mustCreate("/a", 0)
	require.Contains(t, word(t, s, "cons"), "(queued=0,recved=2,sent=2,")
	require.Equal(t, "Connection stats reset.\n", word(t, s, "crst"))
	require.Contains(t, word(t, s, "cons"), "(queued=0,recved=0,sent=0,")
	require.NotContains(t, word(t, s, "srvr"), "\nReceived: 1\n")
	require.Equal(t, "Server stats reset.\n", word(t, s, "srst"))
	require.Contains(t, word(t, s, "srvr"), "\nReceived: 1\nSent: 1\n")
}
