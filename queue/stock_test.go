package queue

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who takes several at once, and leaves out the first since others go for them, does not go on with those of a worse
// priority behind them.
func TestSeveralAtOncePassNoBetterOneOver(t *testing.T) {
	for i := range 100 {
		v := &view{}
		for n := range 3 {
			v.items = append(v.items, &candidate{name: fmt.Sprint("better", n), priority: -1})
		}
		for n := range 8 {
			v.items = append(v.items, &candidate{name: fmt.Sprint("worse", n), priority: 5})
		}
		all := len(v.items)
		s := &stock{spread: 4, trust: 1}
		s.fill(v)
		got, _ := s.draw(5)
		require.NotEmpty(t, got)
		for _, it := range got {
			require.False(t, it.priority == 5 && v.items[0].priority == -1, "draw %d: %d of %d, with %s, past %s", i, len(got), all, it.name, v.items[0].name)
		}
	}
}
