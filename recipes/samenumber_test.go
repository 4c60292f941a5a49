package recipes_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

// byHand makes nodes one after the other.
func byHand(t *testing.T, srv *zktest.Server, names ...string) {
	t.Helper()
	for _, name := range names {
		require.NoError(t, srv.Create(dir+"/"+name, nil))
	}
}

// order lists the line, and says what the contenders are called and how many of their nodes were read.
func order(t *testing.T, srv *zktest.Server, l *recipes.Line) (names []string, reads int) {
	t.Helper()
	srv.ResetRequests()
	line, err := l.Contenders(t.Context())
	require.NoError(t, err)
	for _, c := range line {
		names = append(names, c.Name)
	}
	return names, len(srv.Requests(zktest.Match{Ops: []zktest.Op{zktest.OpExists}}))
}

// Contenders with one number, which somebody has made by hand, are where that number is, in
// the order in which they came; only they are read, and nobody else is put elsewhere.
func TestOneNumberIsOrderedByAge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		came, want []string
		reads      int
	}{
		"none":          {[]string{"b-lock-0000000002", "a-lock-0000000004", "c-lock-0000000003"}, []string{"b-lock-0000000002", "c-lock-0000000003", "a-lock-0000000004"}, 0},
		"two":           {[]string{"b-lock-0000000003", "c-lock-0000000004", "d-lock-0000000005", "a-lock-0000000003"}, []string{"b-lock-0000000003", "a-lock-0000000003", "c-lock-0000000004", "d-lock-0000000005"}, 2},
		"two and three": {[]string{"z-lock-0000000001", "c-lock-0000000007", "b-lock-0000000007", "y-lock-0000000005", "x-lock-0000000001", "a-lock-0000000007"}, []string{"z-lock-0000000001", "x-lock-0000000001", "y-lock-0000000005", "c-lock-0000000007", "b-lock-0000000007", "a-lock-0000000007"}, 5},
		"used up":       {[]string{"c-lock-2147483646", "b-lock-2147483647", "a-lock-2147483647", "d-lock--000000001"}, []string{"c-lock-2147483646", "b-lock-2147483647", "a-lock-2147483647", "d-lock--000000001"}, 4},
		// As a leader gives them out that has several creates in flight, time and again.
		"beyond the end": {[]string{"b-lock--2147483647", "c-lock--2147483648", "a-lock--2147483647"}, []string{"b-lock--2147483647", "c-lock--2147483648", "a-lock--2147483647"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := zktest.Start(t)
			byHand(t, srv, c.came...)
			names, reads := order(t, srv, newLine(t, connect(t, srv), recipes.LineConfig{}))
			require.Equal(t, c.want, names)
			require.Equal(t, c.reads, reads)
		})
	}
}

// The reader that a writer is becoming has its number, and is younger than those who wait: it
// stays before them, and nobody is read for that.
func TestDowngradedKeepsItsPlace(t *testing.T) {
	t.Parallel()
	for layout, format := range map[recipes.Layout][2]string{
		recipes.Curator: {"_c_%s-__WRIT__%010d", "_c_%s-__READ__%010d"},
		recipes.Kazoo:   {"%032s__lock__%010d", "%032s__rlock__%010d"},
	} {
		srv := zktest.Start(t)
		writer, waits, reader := fmt.Sprintf(format[0], "b", 3), fmt.Sprintf(format[0], "c", 4), fmt.Sprintf(format[1], "a", 3)
		byHand(t, srv, writer, waits, reader)
		l := newLine(t, connect(t, srv), readers(layout))
		names, reads := order(t, srv, l)
		require.Equal(t, []string{writer, reader, waits}, names)
		require.Zero(t, reads)
		require.NoError(t, srv.Delete(dir+"/"+writer))
		names, reads = order(t, srv, l)
		require.Equal(t, []string{reader, waits}, names)
		require.Zero(t, reads)
		// A third of that number is nobody's doing but somebody's by hand: then age tells.
		byHand(t, srv, writer, fmt.Sprintf(format[1], "9", 3))
		names, reads = order(t, srv, l)
		require.Equal(t, []string{reader, writer, fmt.Sprintf(format[1], "9", 3), waits}, names)
		require.Equal(t, 3, reads)
	}
}

// Who is gone when it is read is left out, and who was made in one transaction with another is
// ordered by name: all who look see the same.
func TestOneNumberAndOneAge(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	byHand(t, srv, "m-lock-0000000004")
	cl := connect(t, srv)
	_, err := cl.Txn().Create(dir+"/c-lock-0000000004", nil).Create(dir+"/a-lock-0000000004", nil).Create(dir+"/b-lock-0000000004", nil).Commit(t.Context())
	require.NoError(t, err)
	byHand(t, srv, "0-lock-0000000005")
	l := newLine(t, cl, recipes.LineConfig{})
	names, _ := order(t, srv, l)
	require.Equal(t, []string{"m-lock-0000000004", "a-lock-0000000004", "b-lock-0000000004", "c-lock-0000000004", "0-lock-0000000005"}, names)
	srv.FailNext(zktest.On(dir+"/b-lock-0000000004", zktest.OpExists), zktest.NoNode)
	names, _ = order(t, srv, l)
	require.Equal(t, []string{"m-lock-0000000004", "a-lock-0000000004", "c-lock-0000000004", "0-lock-0000000005"}, names)
	srv.FailNext(zktest.On(dir+"/b-lock-0000000004", zktest.OpExists), zktest.NoAuth)
	_, err = l.Contenders(t.Context())
	require.ErrorIs(t, err, client.ErrNoAuth)
}

// Who joins behind nodes that were made by hand waits for all of them, one after the other.
func TestWaitsBehindOneNumber(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	byHand(t, srv, "b-lock-0000000003", "a-lock-0000000003")
	require.NoError(t, srv.SetNextSequence(dir, 4))
	first := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), recipes.LineConfig{}))
	second := waiting(t.Context(), t, srv, newLine(t, connect(t, srv), recipes.LineConfig{}))
	for _, name := range []string{"a", "b"} { // the last one first: it is the one that is watched
		require.Empty(t, first)
		require.Empty(t, second)
		if name == "a" {
			again := after(srv, blocked)
			require.NoError(t, srv.Delete(dir+"/a-lock-0000000003"))
			wait(t, "the first to watch the other", again)
			continue
		}
		require.NoError(t, srv.Delete(dir+"/b-lock-0000000003"))
	}
	o := wait(t, "the first", first)
	require.NoError(t, o.err)
	require.Empty(t, second)
	release(t, o.grant)
	o = wait(t, "the second", second)
	require.NoError(t, o.err)
	release(t, o.grant)
	requireClean(t, srv, 0)
}
