package workload_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
	"github.com/zookit/zookit/integration/faults/resource"
	"github.com/zookit/zookit/integration/faults/workload"
	"github.com/zookit/zookit/zktest"
)

// Without a fault every workload keeps its promises, in real time and in exact time.
func TestUndisturbed(t *testing.T) {
	for _, w := range workload.All() {
		t.Run(w.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { undisturbed(t, w, true, 10*time.Second) })
			undisturbed(t, w, false, 200*time.Millisecond)
		})
	}
}

// told keeps a history, and says when an operation has taken effect. A recorder writes one event after the other.
type told struct {
	bytes.Buffer
	first chan struct{}
	once  sync.Once
}

// Write implements io.Writer.
func (o *told) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"kind":"ok"`)) {
		o.once.Do(func() { close(o.first) })
	}
	return o.Buffer.Write(line)
}

func undisturbed(t *testing.T, w *workload.Workload, exact bool, span time.Duration) {
	t.Helper()
	const clients = 3
	server := zktest.Start(t, zktest.WithInMemoryNetwork())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dial := func(ctx context.Context, opts ...client.Option) (*client.Client, error) {
		return client.Connect(ctx, server.Addr(), append([]client.Option{client.WithDialer(server.Dial)}, opts...)...)
	}
	require.NoError(t, server.Create("/run", nil))
	out := &told{first: make(chan struct{})}
	began := time.Now()
	record := history.NewRecorder(out, "p0", func() int64 { return int64(time.Since(began)) })
	thing := resource.NewMemory(w.Guarded, record)
	if w.Setup != nil {
		cl, err := dial(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.Setup(t.Context(), cl, "/run"))
		require.NoError(t, cl.Close())
	}
	var wg sync.WaitGroup
	for i := range clients {
		cl, err := dial(t.Context())
		require.NoError(t, err)
		name := fmt.Sprintf("c%d", i)
		wg.Go(func() {
			defer func() { _ = cl.Close() }()
			if err := w.Run(ctx, &workload.Env{
				Client: cl, Dial: dial, Name: name, Index: i, Clients: clients,
				Rand: rand.New(rand.NewPCG(1, uint64(i))), Record: record.Client(name), Path: "/run", Exact: exact, Resource: thing,
			}); err != nil {
				t.Error(err)
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		wg.Wait()
		close(ended)
	}()
	timer := time.NewTimer(span)
	defer timer.Stop()
	<-timer.C
	select { // a machine may be slow
	case <-out.first:
	case <-ended:
	}
	cancel()
	<-ended
	require.NoError(t, record.Close())
	events, err := history.Read(&out.Buffer)
	require.NoError(t, err)
	h := history.Merge(events)
	require.NotEmpty(t, h.Operations())
	require.Empty(t, models.Lines(w.Check(h)))
	t.Logf("%s: %d operations", w.Name, len(h.Operations()))
}
