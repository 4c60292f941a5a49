package recipe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/group"
)

// Each change of a member is told once, by its node: ids need not be unique.
func TestChanges(t *testing.T) {
	a := group.Info{ID: "w", Name: "1-w", Czxid: 1, Mzxid: 1}
	b := group.Info{ID: "w", Name: "2-w", Czxid: 2, Mzxid: 2}
	told := func(known map[string]group.Info, now ...group.Info) (words []string, next map[string]group.Info) {
		all, next := changes(known, now)
		for _, e := range all {
			words = append(words, e.Event+" "+e.ID)
		}
		return words, next
	}
	words, known := told(nil, a, b)
	require.Equal(t, []string{"joined w", "joined w"}, words)
	words, known = told(known, a, b)
	require.Empty(t, words)
	b.Mzxid = 3
	words, known = told(known, a, b)
	require.Equal(t, []string{"changed w"}, words)
	b.Czxid, b.Mzxid = 4, 4
	words, known = told(known, b)
	require.Equal(t, []string{"left w", "rejoined w"}, words)
	words, _ = told(known)
	require.Equal(t, []string{"left w"}, words)
}
