package inspect

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/zktest"
)

// lines is a writer that passes on each line that it is given.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// Where servers have no lasting watches it looks again and again.
func TestWatchOfOldServers(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	st.srv.FailNext(zktest.On("/l", zktest.OpAddWatch), zktest.Unimplemented)
	printed := make(lines)
	env := app.New(strings.NewReader(""), printed, &bytes.Buffer{}, func(string) string { return "" })
	p, err := output.New(printed, "json")
	require.NoError(t, err)
	q := &subject{cl: st.cl, hosts: &hosts{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.watch(ctx, env, p, "/l") }()
	require.Contains(t, <-printed, kindNothing)
	require.NoError(t, st.srv.Create("/l", []byte("7")))
	require.Contains(t, <-printed, kindCounter)
	require.Zero(t, st.srv.Watches())
	cancel()
	require.NoError(t, <-ended)
}
