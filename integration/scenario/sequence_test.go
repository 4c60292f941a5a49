package scenario

import (
	"fmt"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// TestSequenceWraps: nodes with numbers on both sides of the wrap-around, as servers
// give them out when the 2^31 of a directory are used up. The line is in the order in
// which they came, and a lock waits for each of them.
func TestSequenceWraps(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	cases := []struct {
		name  string
		made  []string // the numbers, in the order in which the nodes are made
		order []int    // of the line: indices into made; -1 is our own, made last, whose number is the count of those made
		back  bool     // they leave from the back: each in turn is the one that we wait for
	}{
		{
			name: "across the wrap-around",
			made: []string{"2147483640", "2147483646", "2147483647", "-2147483648", "-2147483640", "-000000005"}, order: []int{0, 1, 2, 3, 4, 5, -1},
		},
		{name: "negative ones alone", made: []string{"-2147483640", "-2147483639", "-000000005"}, order: []int{0, 1, 2, -1}, back: true},
		{name: "negative ones out of order", made: []string{"-000000005", "2147483640", "-2147483640"}, order: []int{0, 1, 2, -1}},
		{name: "the last number again and again", made: []string{"2147483647", "2147483647", "2147483647"}, order: []int{0, 1, 2, -1}, back: true},
		{name: "positive ones made in another order", made: []string{"2147483646", "0000000001", "2147483640"}, order: []int{1, -1, 2, 0}},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := makeDir(t, other, fmt.Sprintf("/wrap/%d", i))
			nodes := map[int]string{}
			for i, number := range c.made {
				// The names' own order is the reverse of that in which they come.
				nodes[i] = byHand(t, other, dir, fmt.Sprintf("_c_%08x-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-%s", 1000-i, number), "", client.Ephemeral)
			}
			m := lock.NewMutex(cl, dir)
			next := later(ctx, m)
			requireWatches(t, e, 1)
			line, err := m.Contenders(ctx)
			require.NoError(t, err)
			require.Len(t, line, len(c.order))
			var ahead []string
			own := false
			for i, at := range c.order {
				if at < 0 {
					own = true
					require.EqualValues(t, len(c.made), sequenceOf(t, line[i].Path), "our own")
					continue
				}
				require.Equal(t, path.Base(nodes[at]), path.Base(line[i].Path), "place %d", i)
				if !own {
					ahead = append(ahead, nodes[at])
				}
			}
			if c.back {
				slices.Reverse(ahead)
			}
			for i, node := range ahead {
				requireWatches(t, e, 1)
				require.Empty(t, next, "%d are ahead", len(ahead)-i)
				remove(t, other, node)
			}
			held := granted(t, next)
			require.NoError(t, held.Err())
			requireWatches(t, e, 0)
			require.NoError(t, held.Unlock(ctx))
		})
	}
}

// TestCuratorData: Curator stores the address of its host in its nodes, others whatever
// they like. It is shown, and has no meaning.
func TestCuratorData(t *testing.T) {
	e := ensemble.Start(t, 1)
	ctx := trial.Within(t, time.Minute)
	other := trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute))
	for name, data := range map[string]string{
		"address": "192.168.1.17", "nothing": "", "bytes": "\x00\xff\xfe", "revoked": "__REVOKE__", "a number": "-lock-0000000000",
	} {
		t.Run(name, func(t *testing.T) {
			dir := "/data/" + trial.Sanitize(name)
			node := byHand(t, other, dir, "_c_3b1ecdd0-1f37-4e4a-8a0b-0f1a4f0b5a11-lock-", data, client.EphemeralSequential)
			m := lock.NewMutex(trial.Connect(t, e.Connect(), client.WithSessionTimeout(time.Minute)), dir, lock.WithIdentifier("ours"))
			next := later(ctx, m)
			requireWatches(t, e, 1)
			line, err := m.Contenders(ctx)
			require.NoError(t, err)
			require.Len(t, line, 2)
			require.Equal(t, node, line[0].Path)
			if data == recipes.RevokeMessage {
				require.True(t, line[0].Revoked)
				data = "" // nobody knows what it was
			}
			require.Equal(t, data, line[0].Identifier)
			require.Equal(t, "ours", line[1].Identifier)
			require.Empty(t, next)
			remove(t, other, node)
			held := granted(t, next)
			require.Equal(t, line[1].Token, held.Token())
			require.NoError(t, held.Unlock(ctx))
		})
	}
}
