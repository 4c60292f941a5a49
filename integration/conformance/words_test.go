package conformance

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
)

// words is the conversation about what the four-letter words tell of an empty server's first nodes.
func words(k *talk) {
	k.create("a", "/a")
	k.createAs("a", "/a/e", jute.FlagEphemeral)
	k.read("a", jute.OpGetChildren, "/a")
	k.words()
	k.addWatch("a", "/p", jute.AddWatchPersistent)
	k.addWatch("a", "/r", jute.AddWatchPersistentRecursive)
	k.read("a", jute.OpGetData, "/a")
	k.read("b", jute.OpExists, "/a")
	k.words()
	k.set("a", "/a")
	k.words()
	k.removeWatch("a", "/p", jute.WatchChildren)
	k.words()
	k.delete("a", "/a/e")
	k.delete("a", "/a")
	k.words()
}

// words writes down what the four-letter words tell.
func (k *talk) words() {
	k.t.Helper()
	told := regexp.MustCompile(`^(zk_(server_state|znode_count|ephemerals_count|watch_count|approximate_data_size|global_sessions|local_sessions)|` +
		`Mode|Node count|Total watches|tickTime|minSessionTimeout|maxSessionTimeout|serverId)\b|connections watching|^imok|^rw|^Connection stats`)
	for _, word := range []string{"ruok", "isro", "srvr", "wchs", "mntr", "conf", "crst"} {
		for line := range strings.Lines(k.word(word)) {
			if told.MatchString(line) {
				k.note("%s: %s", word, strings.TrimSpace(line))
			}
		}
	}
	k.note("wchc: %q", k.nested("wchc"))
	k.note("wchp: %q", k.nested("wchp"))
}

// word returns the answer to a four-letter word.
func (k *talk) word(word string) string {
	k.t.Helper()
	nc, err := net.Dial("tcp", k.addr)
	require.NoError(k.t, err)
	defer nc.Close()
	_, err = nc.Write([]byte(word))
	require.NoError(k.t, err)
	text, err := io.ReadAll(nc)
	require.NoError(k.t, err)
	return string(text)
}

// nested returns the answer to a word which is a list of lists, as sorted pairs with the sessions'
// numbers in the conversation, and with what is in no list.
func (k *talk) nested(word string) []string {
	k.t.Helper()
	var pairs []string
	outer := ""
	for line := range strings.Lines(k.word(word)) {
		name := strings.TrimRight(line, "\n")
		if id, err := strconv.ParseInt(strings.TrimSpace(name), 0, 64); err == nil {
			name = strings.Replace(name, strings.TrimSpace(name), fmt.Sprint(k.sessions[id]), 1)
		}
		if name == "" || name[0] != '\t' {
			outer = name
		}
		pairs = append(pairs, outer+" "+name)
	}
	slices.Sort(pairs)
	return pairs
}
