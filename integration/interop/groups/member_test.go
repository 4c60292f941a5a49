package groups

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// event is what a member says.
type event struct {
	member     *member
	what, rest string
}

// backlog is how many events can wait for the test: more than there ever are.
const backlog = 1 << 12

// member is a participant, of whatever kind.
type member struct {
	name string
	kind string // zookit, kazoo or curator
	tell func(words ...string)
	mu   sync.Mutex
	out  chan event
}

func (m *member) say(what, rest string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out <- event{m, what, rest}
}

// divert has what the member says from now on sent to a channel of others as well.
func (m *member) divert(to chan event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out = to
}

// expect waits for what the member is to say next.
func (m *member) expect(ctx context.Context, t *testing.T, what string) {
	t.Helper()
	select {
	case ev := <-m.out:
		require.Equal(t, what, ev.what, "%s: %s", m.name, ev.rest)
	case <-ctx.Done():
		require.FailNow(t, "nobody is to wait for ever", "%s: still not %q: %v", m.name, what, context.Cause(ctx))
	}
}

// silent checks that the member has said nothing so far.
func (m *member) silent(t *testing.T) {
	t.Helper()
	select {
	case ev := <-m.out:
		require.FailNow(t, "too early", "%s: %s %s", m.name, ev.what, ev.rest)
	default:
	}
}
