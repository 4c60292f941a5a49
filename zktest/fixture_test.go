package zktest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// handwritten is what somebody writes who is in a hurry.
const handwritten = `{
  "/stacks/42": "idle",
  "/workers": {
    "container": true,
    "/a": "10.0.0.1:8080",
    "/b": {"data": "10.0.0.2:8080", "ttl": "1m30s"}
  },
  "/secrets": {
    "acl": ["digest:ops:w4PIv8/Wzcq4qj4/MfEQ8pvUSS4=:cdrwa", "world:anyone:r"],
    "/key": {"base64": "3q2+7w=="}
  },
  "/queue": {"nextSequence": 17},
  "/stacks": {"/43/deep": ""},
  "data": "root"
}`

func load(t *testing.T, s *zktest.Server, document string) {
	t.Helper()
	require.NoError(t, s.Load(strings.NewReader(document)))
}

func save(t *testing.T, s *zktest.Server) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, s.Save(&out))
	return out.String()
}

// texts is the data of all nodes by path.
func texts(s *zktest.Server) map[string]string {
	out := map[string]string{}
	for path, n := range s.Dump() {
		out[path] = string(n.Data)
	}
	return out
}

func TestHandwrittenFixture(t *testing.T) {
	s := zktest.Start(t, zktest.WithFixture(handwritten))
	require.EqualValues(t, 1, s.Zxid(), "all in one transaction")
	require.Equal(t, map[string]string{
		"/stacks": "", "/stacks/42": "idle", "/stacks/43": "", "/stacks/43/deep": "", "/workers": "", "/workers/a": "10.0.0.1:8080",
		"/workers/b": "10.0.0.2:8080", "/secrets": "", "/secrets/key": "\xde\xad\xbe\xef", "/queue": "",
	}, texts(s))
	root, _ := s.Node("/")
	require.Equal(t, "root", string(root.Data))

	w := open(t, s.Addr())
	require.Equal(t, "/queue/item-0000000017", w.mustCreate("/queue/item-", jute.FlagPersistentSequential))
	_, code := w.create("/secrets/x", 0)
	require.Equal(t, jute.NoAuth, code)
	require.Equal(t, jute.OK, w.getData("/secrets", false))
	require.Equal(t, jute.OK, w.auth("digest", "ops:secret"))
	w.mustCreate("/secrets/x", 0)

	s.AdvanceClock(89 * time.Second)
	require.Contains(t, s.Dump(), "/workers/b")
	s.AdvanceClock(2 * time.Second)
	require.NotContains(t, s.Dump(), "/workers/b", "the TTL is over")
	require.NoError(t, s.Delete("/workers/a"))
	s.AdvanceClock(0) // which deletes what is due
	require.NotContains(t, s.Dump(), "/workers", "the container goes with its last child")
}

// What is saved is stable, says no more than it has to, and is loaded as it was.
func TestSaveAndLoadAreInverse(t *testing.T) {
	s := zktest.Start(t, zktest.WithFixture(handwritten))
	w := open(t, s.Addr())
	w.mustCreate("/workers/live", jute.FlagEphemeral)
	want := `{
  "data": "root",
  "/queue": {
    "nextSequence": 17
  },
  "/secrets": {
    "acl": ["digest:ops:w4PIv8/Wzcq4qj4/MfEQ8pvUSS4=:cdrwa", "world:anyone:r"],
    "/key": {
      "base64": "3q2+7w=="
    }
  },
  "/stacks": {
    "/42": "idle",
    "/43": {
      "/deep": ""
    }
  },
  "/workers": {
    "container": true,
    "nextSequence": 3,
    "/a": "10.0.0.1:8080",
    "/b": {
      "data": "10.0.0.2:8080",
      "ttl": "1m30s"
    }
  }
}
`
	require.Equal(t, want, save(t, s), "without the ephemeral node, which has counted")
	again := zktest.Start(t, zktest.WithFixture(save(t, s)))
	require.Equal(t, want, save(t, again))
	require.Equal(t, "{}\n", save(t, zktest.Start(t)))
}

// Data of every kind comes back, and names that JSON has to escape.
func TestSaveKeepsDataAndNames(t *testing.T) {
	s := zktest.Start(t)
	for i, data := range []string{"", " ", "<a & b>", "\"\\\n\t\x00\x7f", "\u2028 \ufffd é 🙂", "\xff", "\xc3", "null", `{"a": 1}`} {
		require.NoError(t, s.Create(fmt.Sprintf(`/d/"%d"\<é>`, i), []byte(data)))
	}
	document := save(t, s)
	require.Contains(t, document, `"<a & b>"`)
	require.Contains(t, document, base64.StdEncoding.EncodeToString([]byte("\xff")))
	require.Equal(t, texts(s), texts(zktest.Start(t, zktest.WithFixture(document))))
}

// A container that holds only ephemeral nodes must not be deleted as soon as it is loaded.
func TestSavedContainerOfEphemeralNodesStays(t *testing.T) {
	s := zktest.Start(t, zktest.WithFixture(`{"/locks": {"container": true}}`))
	w := open(t, s.Addr())
	w.mustCreate("/locks/n-", jute.FlagEphemeralSequential)
	document := save(t, s)
	require.NotContains(t, document, "nextSequence")
	again := zktest.Start(t, zktest.WithFixture(document))
	again.AdvanceClock(time.Hour)
	require.Contains(t, again.Dump(), "/locks")
}

func TestSequencesAfterLoad(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{`{"/q": ""}`, "/q/x-0000000000"},
		{`{"/q": {"/a": "", "/b": ""}}`, "/q/x-0000000002"},
		{`{"/q": {"/x-0000000041": "", "/x-0000000007": "", "/a": ""}}`, "/q/x-0000000042"},
		{`{"/q": {"/x-9999999999": ""}}`, "/q/x-0000000001"}, // nobody has ever counted that far
		{`{"/q": {"/x-0000000041": "", "nextSequence": 5}}`, "/q/x-0000000005"},
		{`{"/q": {"nextSequence": -5}}`, "/q/x--000000005"},
		{`{"/q": {"/x-2147483646": ""}}`, "/q/x-2147483647"},
		{`{"/q": {"nextSequence": 2147483647}}`, "/q/x-2147483647"},
	} {
		s := zktest.Start(t, zktest.WithFixture(c.document))
		document := save(t, s)
		require.Equal(t, c.want, open(t, s.Addr()).mustCreate("/q/x-", jute.FlagPersistentSequential), c.document)
		again := zktest.Start(t, zktest.WithFixture(document))
		require.Equal(t, c.want, open(t, again.Addr()).mustCreate("/q/x-", jute.FlagPersistentSequential), document)
	}
	s := zktest.Start(t)
	require.NoError(t, s.Create("/q", nil))
	require.NoError(t, s.SetNextSequence("/q", math.MaxInt32))
	load(t, s, `{"/q": {"/x-0000000003": ""}}`)
	require.Equal(t, "/q/y-2147483647", open(t, s.Addr()).mustCreate("/q/y-", jute.FlagPersistentSequential), "a counter never goes back by itself")
}

// A load adds to what is there, and changes only what it speaks of.
func TestLoadIntoATree(t *testing.T) {
	s := zktest.Start(t, zktest.WithFixture(`{"/a": {"data": "1", "/b": "2", "/c": {"data": "3", "ttl": "1h"}}}`), zktest.WithFixture(`{"/d": "4"}`))
	w := open(t, s.Addr())
	for _, path := range []string{"/a", "/a/b", "/a/new"} {
		w.exists(path, true)
	}
	zxid := s.Zxid()
	load(t, s, `{"/a": {"/b": {"acl": ["world:anyone:r"]}, "/c": {"data": "three", "ttl": "1h"}, "/new/deep": "x"}}`)
	require.Equal(t, zxid+1, s.Zxid())
	require.Equal(t, map[string]string{"/a": "1", "/a/b": "2", "/a/c": "three", "/a/new": "", "/a/new/deep": "x", "/d": "4"}, texts(s))
	ev := w.event()
	require.Equal(t, []any{jute.EventNodeCreated, "/a/new"}, []any{ev.Type, ev.Path})
	load(t, s, `{"/a": "one"}`)
	ev = w.event()
	require.Equal(t, []any{jute.EventNodeDataChanged, "/a"}, []any{ev.Type, ev.Path})
	b, _ := s.Node("/a/b")
	require.Equal(t, []int32{0, 1}, []int32{b.Stat.Version, b.Stat.Aversion})
	c, _ := s.Node("/a/c")
	require.EqualValues(t, 1, c.Stat.Version)
	s.Wipe()
	require.Empty(t, s.Dump())
}

func TestLoadFailures(t *testing.T) {
	broken := errors.New("broken")
	s := zktest.Start(t)
	require.ErrorIs(t, s.Load(iotest.ErrReader(broken)), broken)
	require.ErrorIs(t, s.Save(brokenWriter{broken}), broken)
	_, err := zktest.NewServer(zktest.WithFixture(`{`))
	require.ErrorContains(t, err, "zktest: fixture: line 1")
	_, err = zktest.NewServer(zktest.WithFixture(`{"/a": ""}`), zktest.WithFixture(`{"/a": {"container": true}}`))
	require.ErrorContains(t, err, "no container")
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }
