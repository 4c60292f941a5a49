package queuefaults

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
)

const (
	// brief is the session timeout of the workers.
	brief = 4 * time.Second
	// patience is how long anything may take.
	patience = 3 * time.Minute
)

// storm is servers, workers and what they have said.
type storm struct {
	t       *testing.T
	e       *ensemble.Ensemble
	mu      sync.Mutex
	history []event
	made    int
	faults  map[string]int
	poppers int // that were killed
}

// hand is a worker's process, and the proxies between it and the servers.
type hand struct {
	role    string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	proxies []*faultproxy.Proxy
	over    chan struct{} // closed when all that it has said was heard
	stderr  bytes.Buffer
}

// start starts a worker.
func (s *storm) start(role string) *hand {
	s.t.Helper()
	s.mu.Lock()
	s.made++
	name := fmt.Sprintf("%s%d", role, s.made)
	s.mu.Unlock()
	h := &hand{role: role, over: make(chan struct{})}
	var addrs []string
	for _, server := range s.e.Servers() {
		p := faultproxy.Start(s.t, server.Addr())
		h.proxies, addrs = append(h.proxies, p), append(addrs, p.Addr())
	}
	h.cmd = exec.CommandContext(context.WithoutCancel(s.t.Context()), os.Args[0])
	h.cmd.Env = append(os.Environ(), roleVar+"="+role, nameVar+"="+name, connectVar+"="+strings.Join(addrs, ","), timeoutVar+"="+fmt.Sprint(brief.Milliseconds()))
	h.cmd.Stderr = &h.stderr
	h.cmd.WaitDelay = 10 * time.Second
	var err error
	h.stdin, err = h.cmd.StdinPipe()
	require.NoError(s.t, err)
	stdout, err := h.cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, h.cmd.Start())
	go func() {
		defer close(h.over)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if e, ok := parseEvent(lines.Text()); ok {
				s.mu.Lock()
				s.history = append(s.history, e)
				s.mu.Unlock()
			}
		}
	}()
	s.t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	return h
}

// kill is SIGKILL.
func (s *storm) kill(h *hand) {
	_ = h.cmd.Process.Kill()
	<-h.over
	_ = h.cmd.Wait()
	for _, p := range h.proxies {
		_ = p.Close()
	}
}

// stop lets a worker finish.
func (s *storm) stop(h *hand) {
	s.t.Helper()
	_ = h.stdin.Close()
	timer := time.AfterFunc(patience, func() { _ = h.cmd.Process.Signal(syscall.SIGQUIT) }) // it tells its goroutines
	<-h.over
	err := h.cmd.Wait()
	require.True(s.t, timer.Stop(), "%s did not stop: %s", h.role, &h.stderr)
	require.NoError(s.t, err, "%s: %s", h.role, &h.stderr)
}

// strike does something to a worker, and returns the one to go on with.
func (s *storm) strike(h *hand) *hand {
	each := func(do func(p *faultproxy.Proxy)) {
		for _, p := range h.proxies {
			do(p)
		}
	}
	writes := faultproxy.Nth(1+rand.IntN(3), faultproxy.Op(faultproxy.OpMulti))
	kinds := []string{"killed", "reply lost", "reply lost", "request lost", "request lost", "reset", "reset", "expired"}
	kind := kinds[rand.IntN(len(kinds))]
	s.faults[kind]++
	switch kind {
	case "killed":
		if h.role == "popper" {
			s.poppers++
		}
		s.kill(h)
		return s.start(h.role)
	case "reply lost":
		each(func(p *faultproxy.Proxy) { p.SwallowReply(writes) })
	case "request lost":
		each(func(p *faultproxy.Proxy) { p.DropRequest(writes) })
	case "reset":
		each((*faultproxy.Proxy).Reset)
	case "expired":
		each(func(p *faultproxy.Proxy) { p.BlackHole(faultproxy.Both) })
		time.AfterFunc(brief+brief/2, func() { each((*faultproxy.Proxy).Heal) })
	}
	return h
}

// run has workers work for some time while they, and the servers, are struck, and checks the history.
func run(t *testing.T, servers int, lasts time.Duration, roles []string) {
	t.Helper()
	s := &storm{t: t, e: ensemble.Start(t, servers), faults: map[string]int{}}
	hands := make([]*hand, len(roles))
	for i, role := range roles {
		hands[i] = s.start(role)
	}
	begin := time.Now()
	leaders := 0
	for n := 1; time.Since(begin) < lasts; n++ {
		<-time.After(time.Duration(100+rand.IntN(400)) * time.Millisecond) // the pace of the storm
		i := rand.IntN(len(hands))
		hands[i] = s.strike(hands[i])
		if servers > 1 && time.Since(begin) > lasts*time.Duration(leaders+1)/3 && leaders < 2 {
			leaders++
			s.killLeader()
		}
	}
	for _, h := range hands {
		for _, p := range h.proxies {
			p.Heal()
			_ = p.Accept()
		}
	}
	for _, h := range hands { // producers first
		if h.role == "producer" {
			s.stop(h)
		}
	}
	for _, h := range hands {
		if h.role != "producer" {
			s.stop(h)
		}
	}
	left := s.drain()
	counts := map[string]int{}
	again := 0
	for _, e := range s.history {
		counts[e.Kind]++
		if e.Kind == got && e.Attempt > 1 {
			again++
		}
	}
	t.Logf("struck: %v, and %d leaders; events: %v; handed out again: %d; left: %d", s.faults, leaders, counts, again, len(left))
	require.Empty(t, check(s.history, left, s.poppers))
	require.Positive(t, counts[put])
	require.Positive(t, counts[acked]+counts[popped])
}

func (s *storm) killLeader() {
	s.t.Helper()
	ctx := trial.Within(s.t, patience)
	leader, err := s.e.Leader(ctx)
	require.NoError(s.t, err)
	require.NoError(s.t, leader.Kill(ctx))
	_, err = s.e.Leader(ctx)
	require.NoError(s.t, err)
	require.NoError(s.t, leader.Restart(ctx))
}

// drain takes out what is left: what the dead have had as well.
func (s *storm) drain() map[string]int {
	s.t.Helper()
	ctx := trial.Within(s.t, patience)
	cl := trial.Connect(s.t, s.e.Connect(), client.WithSessionTimeout(40*time.Second))
	q := queue.NewWith(cl, path, recipes.Text{})
	left := map[string]int{}
	for {
		n, err := q.Len(ctx)
		require.NoError(s.t, err)
		if n == 0 {
			return left
		}
		items, err := q.TakeAll(ctx, 200) // which waits for leases to end
		require.NoError(s.t, err)
		require.NoError(s.t, q.AckAll(ctx, items))
		for _, item := range items {
			left[item.ID]++
		}
	}
}

// TestOneServer: leased items, on a server that stays.
func TestOneServer(t *testing.T) {
	run(t, 1, 20*time.Second, []string{"producer", "producer", "consumer", "consumer", "consumer"})
}

// TestThreeServers: the same on three, whose leader is killed twice.
func TestThreeServers(t *testing.T) {
	run(t, 3, 40*time.Second, []string{"producer", "producer", "consumer", "consumer", "consumer"})
}

// TestPops: with some who pop.
func TestPops(t *testing.T) {
	run(t, 1, 15*time.Second, []string{"producer", "producer", "consumer", "popper", "popper"})
}
