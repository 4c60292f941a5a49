package ensemble

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func localNode(t *testing.T, e *Ensemble) *jvmNode {
	t.Helper()
	n, ok := e.Servers()[0].node.(*jvmNode)
	require.True(t, ok)
	return n
}

func TestServerThatEndsByItselfIsReported(t *testing.T) {
	e := Start(t, 1, WithProvider("jvm"))
	n := localNode(t, e)
	p := n.running.Load()
	require.NoError(t, p.cmd.Process.Kill()) // not through the ensemble
	<-p.done

	err := e.WaitServing(bounded(t))
	require.ErrorContains(t, err, "server 1 ("+n.addr()+"): the server has ended by itself (signal: killed)")
	_, err = e.Leader(bounded(t))
	require.ErrorContains(t, err, "ended by itself")

	require.NoError(t, e.Servers()[0].Restart(bounded(t)))
	require.NoError(t, e.WaitServing(bounded(t)))
}

func TestServerWhosePortIsTaken(t *testing.T) {
	e := Start(t, 1, WithProvider("jvm"))
	ctx := bounded(t)
	s := e.Servers()[0]
	require.NoError(t, s.Kill(ctx))
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.Addr())
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	require.NoError(t, s.Restart(ctx))
	<-localNode(t, e).running.Load().done
	err = e.WaitServing(ctx)
	require.ErrorIs(t, err, errPortTaken)
	require.ErrorContains(t, err, s.Addr())
}

func TestServerThatCannotStart(t *testing.T) {
	_, err := Open(bounded(t), 1, WithProvider("jvm"), WithConfig("tickTime", "soon"))
	require.ErrorContains(t, err, "ensemble (jvm): cannot start one of size 1")
	require.ErrorContains(t, err, "ended by itself")
	require.ErrorContains(t, err, "soon", "the log says why")
}

func TestStartThatIsGivenUpLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	tired := errors.New("tired of waiting")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 150*time.Millisecond, tired)
	defer cancel()
	_, err := Open(ctx, 3, WithProvider("jvm"))
	require.ErrorIs(t, err, tired)
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestConfig(t *testing.T) {
	lo, err := layLoopback(2)
	require.NoError(t, err)
	defer func() { _ = lo.close(t.Context()) }()
	n := &jvmNode{id: 1, place: lo.place(0), dir: `/a\b`, settings: map[string]string{"b": `1\2`, "a": "x"}}
	n.members = []string{n.place.line(1)}
	require.Regexp(t, `^dataDir=/a\\\\b/data\na=x\nb=1\\\\2\nclientPortAddress=127\.0\.0\.1\nclientPort=\d+\n$`, n.config())

	n.members = append(n.members, lo.place(1).line(2))
	require.Regexp(t, `b=1\\\\2\nserver\.1=127\.0\.0\.1:\d+:\d+;127\.0\.0\.1:\d+\nserver\.2=127\.0\.0\.1:\d+:\d+;127\.0\.0\.1:\d+\n$`, n.config())
}
