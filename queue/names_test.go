package queue

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the libraries write, byte for byte (reference: kazoo/recipe/queue.py, DistributedQueue.java and its kin).
func TestForeignNames(t *testing.T) {
	t.Parallel()
	due := time.UnixMilli(0x1A1FFCDECA6)
	for _, tt := range []struct {
		layout Layout
		e      entry
		want   string
	}{
		{KazooQueue, entry{priority: 7}, "entry-007-"},
		{KazooLockingQueue, entry{priority: 100}, "entry-100-"},
		{CuratorSimpleQueue, entry{}, "qn-"},
		{CuratorQueue, entry{}, "queue-"},
		{CuratorPriorityQueue, entry{priority: 10}, "queue-10000000A"},
		{CuratorPriorityQueue, entry{priority: -10}, "queue-0FFFFFFF6"},
		{CuratorDelayQueue, entry{due: due.UnixMilli()}, "queue-|1A1FFCDECA6|"},
		{CuratorDelayQueue, entry{due: 1}, "queue-|00000001|"},
		{CuratorIDQueue, entry{id: "a/b|c"}, "queue-|a_b_c|"},
	} {
		n := namings(tt.layout)
		require.Equal(t, tt.want, n.prefix(&tt.e))
		it, ok := n.parse(tt.want + "0000000012")
		require.True(t, ok, tt.want)
		require.EqualValues(t, 12, it.number)
		require.Equal(t, tt.e.priority, it.priority)
		if tt.layout == CuratorDelayQueue {
			require.Equal(t, tt.e.due, it.due)
		}
	}
	require.Equal(t, []byte("\x00\x01\x00\x01\x01\x00\x00\x00\x05hello\x02"), frame([]byte("hello")))
	bodies, err := unframe(frame([]byte("a"), nil, []byte("c")))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "", "c"}, []string{string(bodies[0]), string(bodies[1]), string(bodies[2])})
}

// Names sort as their priorities do.
func TestLevelsSort(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range []int32{-1 << 31, -10, -1, 0, 1, 10, 1<<31 - 1} {
		names = append(names, levelName(p))
		back, ok := parseLevel(levelName(p))
		require.True(t, ok)
		require.Equal(t, p, back)
	}
	require.True(t, slices.IsSorted(names), "%v", names)
	for _, bad := range []string{"", "1", "10000000g", "000000000", "1fffffff0", "+00000001"} {
		_, ok := parseLevel(bad)
		require.False(t, ok, bad)
	}
}

func FuzzItemNames(f *testing.F) {
	for _, id := range []string{"a", "a/b", "-", "..", "ü|%", strings.Repeat("x", MaxID), "a-0000000001"} {
		f.Add(id, int32(5), int64(1761674040000))
	}
	f.Fuzz(func(t *testing.T, id string, p int32, due int64) {
		if id == "" || len(id) > MaxID {
			return
		}
		for _, named := range []bool{true, false} {
			name := itemName(&entry{id: id, named: named}) + "0000000042"
			require.NotContains(t, name, "/")
			it, ok := parseItem(name)
			require.True(t, ok, name)
			require.Equal(t, id, it.id)
			require.Equal(t, named, it.named)
			require.EqualValues(t, 42, it.number)
		}
		if due <= 0 || due >= 1e13 {
			return
		}
		at := &bucketSpot{n: &native{c: &core{path: "/q"}}, dir: "/q/delayed/x"}
		path := at.prefix(&entry{id: id, priority: p, due: due}) + "0000000007"
		it, ok := parseDelayed(strings.TrimPrefix(path, "/q/delayed/x/"))
		require.True(t, ok, path)
		require.Equal(t, id, it.id)
		require.Equal(t, p, it.priority)
		require.Equal(t, due, it.due)
	})
}

// Whatever is in a directory, no name is taken for what it is not, and nothing panics.
func FuzzForeignNames(f *testing.F) {
	for _, name := range []string{"entry-100-0000000001", "queue-|a|0000000001", "queue-10000000A0000000000", "qn-0000000003", "rabc-0000000001", "1761674040000-100000005-rx-0000000000", "9999999999"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for layout := KazooQueue; layout <= CuratorIDQueue; layout++ {
			n := namings(layout)
			if it, ok := n.parse(name); ok && layout != CuratorIDQueue && layout != CuratorDelayQueue {
				require.True(t, strings.HasPrefix(name, n.prefix(&entry{priority: it.priority})), "%s: %q", layout, name)
			}
		}
		_, _ = parseItem(name)
		_, _ = parseDelayed(name)
		_, _ = parseBucket(name)
		_ = familyOf(name)
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("zq1\nx"))
	f.Add([]byte("zq1 a=3 k=600 r=of%20no%20use future=1\n\x00"))
	f.Add([]byte("zq1 a=-1\n"))
	f.Add([]byte("zq2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, body, err := unseal(data)
		if err != nil {
			require.ErrorIs(t, err, ErrBadItem)
			return
		}
		require.True(t, bytes.HasSuffix(data, body))
		again, same, err := unseal(h.seal(body))
		if errors.Is(err, ErrBadItem) && len(h.reason) > maxHeader/4 {
			return // a reason of others' that is longer than ours are
		}
		require.NoError(t, err)
		require.Equal(t, h, again)
		require.Equal(t, string(body), string(same))
	})
}

func FuzzFrame(f *testing.F) {
	f.Add(frame([]byte("hello")))
	f.Add(frame(nil, []byte("x")))
	f.Add([]byte("\x00\x01\x00\x01\x01\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x01\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		bodies, err := unframe(data)
		if err != nil {
			require.ErrorIs(t, err, ErrBadItem)
			return
		}
		require.True(t, bytes.HasPrefix(data, frame(bodies...)))
	})
}
