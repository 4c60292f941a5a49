package recipes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSequenceComparesAcrossTheWrap(t *testing.T) {
	t.Parallel()
	const last, first = Sequence(1<<31 - 1), Sequence(-1 << 31)
	for _, pair := range [][2]Sequence{{0, 1}, {-1, 0}, {last, first}, {last - 5, first + 5}, {first, first + 1}, {5, 1 << 30}, {1 << 30, first}} {
		require.Equal(t, -1, pair[0].Compare(pair[1]), "%d is before %d", pair[0], pair[1])
		require.Equal(t, 1, pair[1].Compare(pair[0]), "%d is after %d", pair[1], pair[0])
	}
	require.Equal(t, 0, last.Compare(last))
	// Exactly half way round neither way is shorter: still one order, not two.
	require.Equal(t, -1, first.Compare(0))
	require.Equal(t, 1, Sequence(0).Compare(first))
}

func TestSequencePrintsAsTheServerDoes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0000000042 -000000005 -2147483648", fmt.Sprint(Sequence(42), Sequence(-5), Sequence(-1<<31)))
}

func TestSortedLineDoesNotDependOnWhoLooks(t *testing.T) {
	t.Parallel()
	start := Sequence(1<<31 - 50) // the line stands across the wrap
	var line []Contender
	for i := range Sequence(100) {
		line = append(line, Contender{Name: fmt.Sprintf("lock-%s", start+i), Sequence: start + i})
	}
	for _, origin := range line {
		shuffled := slices.Clone(line)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		sortFrom(origin.Sequence, shuffled)
		require.Equal(t, line, shuffled)
	}
}

// Made by hand, numbers can be anywhere; sorting them must not loop, crash or
// depend on the order in which they came.
func TestSortIsTotalForAnyNumbers(t *testing.T) {
	t.Parallel()
	var line []Contender
	for i := range 200 {
		line = append(line, Contender{Name: fmt.Sprint(i), Sequence: Sequence(rand.Uint32())})
	}
	want := slices.Clone(line)
	sortFrom(7, want)
	for range 20 {
		rand.Shuffle(len(line), func(i, j int) { line[i], line[j] = line[j], line[i] })
		sortFrom(7, line)
		require.Equal(t, want, line)
	}
}
