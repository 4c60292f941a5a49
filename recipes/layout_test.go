package recipes

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
)

func TestLayoutWrites(t *testing.T) {
	t.Parallel()
	for layout, want := range map[Layout]string{
		Curator: `^_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-lock-$`,
		Kazoo:   `^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}__lock__$`,
	} {
		a, err := layout.NewPrefix(KindMutex)
		require.NoError(t, err)
		b, err := layout.NewPrefix(KindMutex)
		require.NoError(t, err)
		require.Regexp(t, want, a)
		require.NotEqual(t, a, b, "each attempt has a prefix of its own")

		for _, seq := range []Sequence{0, 42, 1<<31 - 1, -1 << 31, -5, -999999999, -1000000000} {
			kind, got, ok := layout.Parse(a+seq.String(), KindMutex)
			require.True(t, ok, "%s reads its own %s%s", layout, a, seq)
			require.Equal(t, KindMutex, kind)
			require.Equal(t, seq, got)
		}
	}
}

func TestLayoutReads(t *testing.T) {
	t.Parallel()
	const hex = "0123456789abcdef0123456789abcdef"
	for name, want := range map[string]struct {
		layout Layout
		seq    Sequence
	}{
		"_c_01234567-89ab-cdef-0123-456789abcdef-lock-0000000007": {Curator, 7},
		"_c_" + hex + "-lock-0000000008":                          {Curator, 8},  // go-zookeeper's Lock
		hex + "-lock-0000000009":                                  {Curator, 9},  // Kazoo with _NODE_NAME "-lock-"
		"lock-10":                                                 {Curator, 10}, // a plain recipe
		"lock-lock-0000000011":                                    {Curator, 11}, // what counts is the last one
		"x-lock--000000012":                                       {Curator, -12},
		"x-lock--2147483648":                                      {Curator, -1 << 31},
		hex + "__lock__0000000013":                                {Kazoo, 13},
		hex + "__lock__-000000014":                                {Kazoo, -14},
		hex + "__lock__-2147483648":                               {Kazoo, -1 << 31},
		"__lock__0000000015":                                      {Kazoo, 15},
		"lock-1__lock__0000000016":                                {Kazoo, 16},
		"__lock__0000000001lock-0000000017":                       {Curator, 17},
	} {
		_, seq, ok := want.layout.Parse(name, KindMutex)
		require.True(t, ok, name)
		require.Equal(t, want.seq, seq, name)
		for _, other := range []Layout{Curator, Kazoo} {
			if other == want.layout {
				continue
			}
			_, _, ok := other.Parse(name, KindMutex)
			require.False(t, ok, "%s is no contender in the %s layout", name, other)
		}
	}
}

func TestLayoutIgnoresForeignNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "lock", "lock-", "lock--", "lock-x", "lock-1x", "lock-+1", "lock- 1", "lock-1 ", "lock-1_0", "lock-١",
		"lock-2147483648", "lock--2147483649", "lock-99999999999999999999", "lock-1-1",
		"__lock__", "__lock__1", "__lock__000000001", "__lock__00000000001", "__lock__--00000001", "__lock__2147483648",
		"__lock__-00000001", "__rlock__0000000001", "ready", "locks", "000-aaa", "lease_holder", "_c_x-latch-0000000001",
	} {
		for _, layout := range []Layout{Curator, Kazoo, Layout(9)} {
			_, _, ok := layout.Parse(name, KindMutex)
			require.False(t, ok, "%q in the %s layout", name, layout)
		}
	}
}

func TestLayoutThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := Layout(9).NewPrefix(KindMutex)
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.ErrorContains(t, err, "layout(9)")
	_, err = Kazoo.NewPrefix(Kind(200))
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.ErrorContains(t, err, "kind(200)")
	_, _, ok := Curator.Parse("lock-1", Kind(200))
	require.False(t, ok)
	require.Equal(t, "curator kazoo mutex", strings.Join([]string{Curator.String(), Kazoo.String(), KindMutex.String()}, " "))
}

// The rules of the libraries themselves, in their own notation, are what the
// parser is held against.
var (
	kazooRule   = regexp.MustCompile(`(?:__lock__)(-?[0-9]{10}|-[0-9]{9})$`)
	curatorRule = regexp.MustCompile(`^(-?[0-9]+)$`)
)

func FuzzLayoutParse(f *testing.F) {
	for _, s := range []string{
		"_c_01234567-89ab-cdef-0123-456789abcdef-lock-0000000007", "0123__lock__0000000013", "__lock__-000000014",
		"lock--2147483648", "lock-__lock__0000000001", "lock-99999999999", "__lock__9999999999", "\xff__lock__lock-1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		_, k, kazoo := Kazoo.Parse(name, KindMutex)
		_, c, curator := Curator.Parse(name, KindMutex)
		require.False(t, kazoo && curator, "a contender of both layouts: %q", name)
		if m := kazooRule.FindStringSubmatch(name); m != nil {
			n, inRange := parseSequence(m[1])
			require.Equal(t, inRange, kazoo, "%q", name)
			require.Equal(t, n, k)
		} else {
			require.False(t, kazoo, "%q", name)
		}
		i := strings.LastIndex(name, "lock-")
		if i >= 0 && curatorRule.MatchString(name[i+len("lock-"):]) {
			n, inRange := parseSequence(name[i+len("lock-"):])
			require.Equal(t, inRange, curator, "%q", name)
			require.Equal(t, n, c)
		} else {
			require.False(t, curator, "%q", name)
		}
	})
}
