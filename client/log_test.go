package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// logBook is a logger whose records can be read as they come.
type logBook struct {
	*slog.Logger
	records chan map[string]any

	mu     sync.Mutex
	closed bool
	text   strings.Builder
}

func newLog() *logBook {
	b := &logBook{records: make(chan map[string]any, 1<<12)}
	b.Logger = slog.New(b)
	return b
}

// close ends records.
func (b *logBook) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	close(b.records)
}

// Enabled implements slog.Handler.
func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (b *logBook) WithAttrs([]slog.Attr) slog.Handler { return b }

// WithGroup implements slog.Handler.
func (b *logBook) WithGroup(string) slog.Handler { return b }

// Handle implements slog.Handler.
func (b *logBook) Handle(_ context.Context, r slog.Record) error {
	out := map[string]any{"msg": r.Message, "level": r.Level}
	r.Attrs(func(a slog.Attr) bool {
		out[a.Key] = a.Value.Any()
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(&b.text, out)
	if !b.closed {
		b.records <- out
	}
	return nil
}

// What is logged has the keys that are promised, and neither data nor credentials.
func TestLog(t *testing.T) {
	srv := zktest.Start(t)
	log := newLog()
	cl := connect(t, srv, client.WithLogger(log.Logger), client.WithAuth("digest", "user:s3cret"))
	require.Same(t, log.Logger, cl.Logger())
	st := follow(t, cl)
	srv.DropRequest(zktest.On("/a", zktest.OpGetData))
	_, _ = cl.Create(t.Context(), "/a", []byte("t0p data"))
	_, _, err := cl.Get(t.Context(), "/a")
	require.NoError(t, err)
	fault := srv.FailNext(zktest.On("", zktest.OpAuth), zktest.AuthFailed)
	srv.DropConnections()
	st.until(client.Closed)
	wait(t, fault.Fired(), "the credential was refused")
	require.NoError(t, cl.Close())
	log.close()

	keys := map[string]bool{}
	var states []string
	for r := range log.records {
		for key := range r {
			keys[key] = true
		}
		if state, ok := r["state"].(string); ok {
			states = append(states, state)
		}
	}
	require.Equal(t, map[string]bool{
		"msg": true, "level": true, "session": true, "epoch": true, "state": true,
		"server": true, "op": true, "path": true, "attempt": true, "err": true,
	}, keys)
	require.Equal(t, []string{"connected", "suspended", "connected", "suspended", "closed"}, states)
	require.NotContains(t, log.text.String(), "s3cret")
	require.NotContains(t, log.text.String(), "t0p")
}
