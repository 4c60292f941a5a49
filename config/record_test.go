package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

func TestRecordsAreOrdered(t *testing.T) {
	id := "00112233445566778899aabbccddeeff"
	keys := []recordKey{{1, false, 0}, {1, true, -1}, {1, true, 0}, {1, true, 9}, {1, true, 10}, {15, false, 0}, {16, true, 2147483647}, {16, true, -2147483648}}
	for i, k := range keys {
		got, ok := parseRecord(formatRecord(k, id))
		require.True(t, ok)
		require.Equal(t, k, got)
		for j, other := range keys {
			require.Equal(t, i < j, k.less(other) && k.zxid <= other.zxid, "%v before %v", k, other)
		}
	}
}

// A version of -1 cannot be compared: it would match every other one.
func TestVersionThatMatchesAll(t *testing.T) {
	d := &Document[int]{set: settings[int]{keep: 1}}
	_, err := d.write(t.Context(), state{exists: true, stat: client.Stat{Version: -1}}, nil)
	require.ErrorIs(t, err, client.ErrBadArgument)
}

func FuzzRecord(f *testing.F) {
	f.Add("v0000000000000001-00000002-00112233445566778899aabbccddeeff", encodeRecord(state{exists: true, data: []byte("x\ny"), stat: client.Stat{Version: 3, Mtime: time.Unix(1, 0)}}))
	f.Add("n", []byte("{}\n"))
	f.Add("", []byte("\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if k, ok := parseRecord(name); ok {
			again, ok := parseRecord(formatRecord(k, name[27:]))
			require.True(t, ok)
			require.Equal(t, k, again)
		}
		v, rest, err := decodeRecord(data)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(rest), len(data))
		again, same, err := decodeRecord(encodeRecord(state{exists: v.Exists, data: rest, stat: client.Stat{Version: v.Number, Mzxid: v.Zxid, Mtime: v.Modified}}))
		require.NoError(t, err)
		require.Equal(t, rest, same)
		require.Equal(t, v.Exists, again.Exists)
	})
}

// What is copied shares nothing that decoding could write to.
func TestDeepCopy(t *testing.T) {
	type inner struct{ M map[string]*int }
	type loop struct{ Next *loop }
	n := 1
	a := []any{inner{map[string]*int{"a": &n}}, []int{1}, [1][]int{{2}}, nil, (*int)(nil)}
	b := deepCopy(a)
	require.Equal(t, a, b)
	in, _ := b[0].(inner)
	*in.M["a"] = 2
	in.M["b"] = nil
	s, _ := b[1].([]int)
	s[0] = 5
	require.Equal(t, 1, n)
	old, _ := a[0].(inner)
	require.Len(t, old.M, 1)
	require.Equal(t, []int{1}, a[1])
	l := &loop{}
	l.Next = l
	require.NotNil(t, deepCopy(l))
	require.Nil(t, deepCopy[any](nil))
}
