package ensemble

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const orphanVariable = "ZOOKIT_ENSEMBLE_TEST_ORPHAN"

// orphanMode makes this program one that starts an ensemble, says what belongs to
// it and then waits to be killed.
func orphanMode() bool {
	kind := os.Getenv(orphanVariable)
	if kind == "" {
		return false
	}
	opts := []Option{WithProvider("jvm")}
	if kind == "namespaces" {
		opts = append(opts, WithPeerCuts())
	}
	e, err := Open(context.Background(), 3, opts...)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	c := e.cluster.(*processes)
	for _, n := range c.servers {
		fmt.Println("pid", n.running.Load().pid())
	}
	if n, ok := c.wiring.(*namespaces); ok {
		for _, h := range append(n.holders, n.hub) {
			fmt.Println("pid", h.child.pid())
		}
	}
	// Stopped servers must die as well.
	if err := e.Servers()[0].Stop(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	select {}
}

func TestServersDieWithTheProcess(t *testing.T) {
	t.Run("loopback", func(t *testing.T) { testServersDieWithTheProcess(t, "loopback") })
	t.Run("namespaces", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("NOT TESTED: network namespaces need root")
		}
		testServersDieWithTheProcess(t, "namespaces")
	})
}

func testServersDieWithTheProcess(t *testing.T, kind string) {
	ctx := bounded(t)
	tmp := t.TempDir()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), orphanVariable+"="+kind, "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pids []int
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		what, name, _ := strings.Cut(lines.Text(), " ")
		require.Equal(t, "pid", what, lines.Text())
		pid, err := strconv.Atoi(name)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	require.NotEmpty(t, pids)
	for _, pid := range pids {
		require.True(t, alive(pid), pid)
	}
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()

	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for slices.ContainsFunc(pids, alive) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("some of the processes %v are left behind", pids)
		}
	}

	// The next ensemble removes the folder.
	dirs, err := filepath.Glob(filepath.Join(tmp, scratchPrefix+"*"))
	require.NoError(t, err)
	require.Len(t, dirs, 1)
	sweep(tmp, time.Now().Add(time.Hour))
	require.NoDirExists(t, dirs[0])
}

// alive is false for zombies, which wait for somebody else to reap them.
func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, ok := cutLast(stat, []byte(") "))
	return ok && len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}

func TestStopReturnsWhenEveryThreadStands(t *testing.T) {
	e := Start(t, 1, WithProvider("jvm"))
	s := e.Servers()[0]
	pid := localNode(t, e).running.Load().pid()
	require.False(t, frozen(pid))
	for range 5 {
		require.NoError(t, s.Stop(bounded(t)))
		require.True(t, frozen(pid))
		require.NoError(t, s.Continue(bounded(t)))
	}
}
