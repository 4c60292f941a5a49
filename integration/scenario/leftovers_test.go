package scenario

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
)

// cleanTime is how long the clean-up behind a cancelled call may take, once the
// network works.
const cleanTime = 2 * time.Second

// leftovers is what a call may leave behind in a directory, on the server that its
// client is connected to, and in this process.
type leftovers struct {
	server     *ensemble.Server
	observer   *client.Client
	dir        string
	watches    int
	goroutines map[string]int
}

// leftoversOf takes down what is there before the call.
func leftoversOf(t *testing.T, server *ensemble.Server, observer *client.Client, dir string) *leftovers {
	t.Helper()
	l := &leftovers{server: server, observer: observer, dir: dir}
	var err error
	l.watches, err = server.Watches(t.Context())
	require.NoError(t, err)
	// On a busy machine one that was begun a while ago may still not have run.
	require.Eventually(t, func() bool {
		var begun bool
		l.goroutines, begun = goroutinesAndStarts()
		return !begun
	}, cleanTime, time.Millisecond)
	return l
}

// requireNone waits until the directory has the children that keep returns and no
// others, and there are no more watches and goroutines than before.
func (l *leftovers) requireNone(t *testing.T, keep func() []string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var stay []string
		if keep != nil {
			stay = keep()
		}
		assert.ElementsMatch(c, stay, childrenOf(t, l.observer, l.dir), "nodes in %s", l.dir)
		watches, err := l.server.Watches(t.Context())
		assert.NoError(c, err)
		assert.Equal(c, l.watches, watches, "watches on the server")
		for what, n := range goroutines() {
			assert.LessOrEqual(c, n, l.goroutines[what], "goroutines in %s", what)
		}
	}, cleanTime, 5*time.Millisecond)
}

// childrenOf lists a directory, which is empty if it does not exist.
func childrenOf(t *testing.T, cl *client.Client, dir string) []string {
	t.Helper()
	names, _, err := cl.Children(t.Context(), dir)
	if !errors.Is(err, client.ErrNoNode) {
		assert.NoError(t, err)
	}
	return names
}

// goroutines counts the goroutines that belong to a client, a recipe or the library
// below, by the function of theirs that was called first.
func goroutines() map[string]int {
	count, _ := goroutinesAndStarts()
	return count
}

// goroutinesAndStarts also tells whether a goroutine was begun that has not run yet: whose
// it is cannot be seen.
func goroutinesAndStarts() (count map[string]int, begun bool) {
	stacks := make([]byte, 1<<20)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	count = map[string]int{}
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		first := ""
		for line := range strings.SplitSeq(stack, "\n") {
			name, ok := strings.CutPrefix(line, "github.com/")
			ours := strings.HasPrefix(name, "zookit/zookit/") && !strings.HasPrefix(name, "zookit/zookit/integration/")
			if ok && (ours || strings.HasPrefix(name, "go-zookeeper/zk.")) {
				first = name[:max(strings.LastIndexByte(name, '('), 0)]
			}
		}
		if first != "" {
			count[first]++
		}
		_, frames, _ := strings.Cut(stack, "\n")
		begun = begun || strings.HasPrefix(frames, "sync.(*WaitGroup).Go.")
	}
	return count, begun
}
