package group_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/group"
)

func names(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s-%04d", prefix, i))
	}
	return out
}

func owners(partitions, members []string, assign group.Assignment) map[string]string {
	out := map[string]string{}
	for i, m := range assign(partitions, members) {
		out[partitions[i]] = members[m]
	}
	return out
}

func moved(before, after map[string]string) (n int) {
	for p, m := range before {
		if after[p] != m {
			n++
		}
	}
	return n
}

func loads(of map[string]string, members []string) (least, most int) {
	count := map[string]int{}
	for _, m := range of {
		count[m]++
	}
	least = len(of)
	for _, m := range members {
		least, most = min(least, count[m]), max(most, count[m])
	}
	return least, most
}

// Balanced and Strided divide evenly, whatever the numbers.
func TestAssignmentsAreEven(t *testing.T) {
	t.Parallel()
	for _, p := range []int{1, 2, 3, 7, 64, 100, 257} {
		for _, n := range []int{1, 2, 3, 5, 10, 100} {
			partitions, members := names("p", p), names("m", n)
			for name, assign := range map[string]group.Assignment{"balanced": group.Balanced, "strided": group.Strided} {
				of := owners(partitions, members, assign)
				require.Len(t, of, p)
				least, most := loads(of, members)
				require.LessOrEqual(t, most-least, 1, "%s: %d partitions, %d members", name, p, n)
			}
			require.Len(t, owners(partitions, members, group.Rendezvous), p)
		}
	}
}

// What moves when a member leaves, or the other way round joins: the least that can, by Rendezvous; at
// most about twice that, by Balanced; most of everything, by Strided.
func TestAssignmentsMove(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{3, 10, 30} {
		partitions := names("p", 600)
		var balanced, rendezvous, strided, least int
		const rounds = 50
		for range rounds {
			members := names(fmt.Sprint("m", random.Uint64()), n)
			out := random.IntN(n)
			rest := slices.Delete(slices.Clone(members), out, out+1)
			move := func(assign group.Assignment) int {
				return moved(owners(partitions, members, assign), owners(partitions, rest, assign))
			}
			balanced += move(group.Balanced)
			strided += move(group.Strided)
			one := move(group.Rendezvous)
			rendezvous += one
			own := 0
			for _, m := range owners(partitions, members, group.Rendezvous) {
				if m == members[out] {
					own++
				}
			}
			require.Equal(t, own, one, "nothing but what belonged to the one that has left")
			least += len(partitions) / n
		}
		t.Logf("%d partitions, %d members, one leaves: at least %d move, rendezvous %d, balanced %d, strided %d",
			len(partitions), n, least/rounds, rendezvous/rounds, balanced/rounds, strided/rounds)
		require.Less(t, float64(balanced), 2.5*float64(least))
		require.Greater(t, strided, balanced)
	}
}

// The division is part of the protocol among processes of different versions: it must not change.
func TestAssignmentsAreForEver(t *testing.T) {
	t.Parallel()
	partitions, members := names("p", 12), []string{"a", "b", "c"}
	require.Equal(t, []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, group.Strided(partitions, members))
	require.Equal(t, []int{0, 1, 1, 2, 2, 0, 1, 0, 1, 2, 2, 0}, group.Balanced(partitions, members))
	require.Equal(t, []int{1, 1, 1, 2, 2, 1, 1, 0, 1, 2, 2, 0}, group.Rendezvous(partitions, members))
}

func BenchmarkBalanced(b *testing.B) {
	partitions, members := names("p", 10_000), names("m", 100)
	for b.Loop() {
		group.Balanced(partitions, members)
	}
}
