package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/zktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is what a test works on: an empty stack, and a worker's way to it.
func bench(t *testing.T) (cfg config, st *stack, mutex *lock.Mutex) {
	t.Helper()
	cfg = config{servers: zktest.Start(t).Addr(), session: 4 * time.Second, stack: "s", cloud: filepath.Join(t.TempDir(), "cloud.json"), updates: 4}
	cl, err := client.Connect(t.Context(), cfg.servers)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cl.Close()) })
	st, err = openStack(t.Context(), cl, cfg.stack, &cloud{path: cfg.cloud}, 0)
	require.NoError(t, err)
	return cfg, st, lock.NewMutex(cl, st.lockPath())
}

func TestWorkersTogether(t *testing.T) {
	const workers = 4
	cfg, st, _ := bench(t)
	var group sync.WaitGroup
	errs := make([]error, workers)
	for i := range workers {
		own := cfg
		own.worker = fmt.Sprintf("w%d", i)
		group.Go(func() { errs[i] = run(t.Context(), own, newTimeline(io.Discard, own.worker)) })
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	summary, err := st.verify(t.Context())
	require.NoError(t, err)
	require.Contains(t, summary, "stack consistent: revision 16, 16 updates applied once each")
}

// TestTakeOver: a worker is gone in the middle of an update; the next finishes it and
// then applies its own.
func TestTakeOver(t *testing.T) {
	_, st, mutex := bench(t)
	err := mutex.Do(t.Context(), func(ctx context.Context, held *lock.Held) error {
		state, version, err := st.load(ctx)
		require.NoError(t, err)
		state.Pending = "left"
		_, err = st.store(ctx, held, state, version)
		return err
	})
	require.NoError(t, err)
	_, err = st.verify(t.Context())
	require.ErrorContains(t, err, "update left is unfinished")

	var out bytes.Buffer
	require.NoError(t, update(t.Context(), mutex, st, newTimeline(&out, "next"), "own"))
	var told []string
	for d := json.NewDecoder(&out); d.More(); {
		var ev event
		require.NoError(t, d.Decode(&ev))
		told = append(told, ev.Event)
	}
	require.Equal(t, []string{"waits", "holds", "finishes", "writes", "writes", "writes", "writes", "writes", "writes", "ends", "applied"}, told)
	state, _, err := st.load(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"left", "own"}, state.Applied)
	_, err = st.verify(t.Context())
	require.NoError(t, err)
}

func TestCloudRefusesOldTokens(t *testing.T) {
	c := &cloud{path: filepath.Join(t.TempDir(), "cloud.json")}
	require.NoError(t, c.put(cloudWrite{Token: 7, Update: "b", Resource: "server", Revision: 1}))
	require.ErrorIs(t, c.put(cloudWrite{Token: 6, Update: "a", Resource: "server", Revision: 9}), errStaleToken)
	require.NoError(t, c.put(cloudWrite{Token: 7, Update: "b", Resource: "volume", Revision: 1}))
	s, err := c.state()
	require.NoError(t, err)
	require.Equal(t, map[string]int{"server": 1, "volume": 1}, s.Resources)
	require.Equal(t, map[string]int64{"a": 6}, s.Refused)
}

// TestVerifyFinds: what the check is there to find, it finds.
func TestVerifyFinds(t *testing.T) {
	w := func(token int64, update string, revision int) cloudWrite {
		return cloudWrite{Token: token, Update: update, Revision: revision}
	}
	for want, writes := range map[string][]cloudWrite{
		"overlap: a write with token": {w(2, "a", 1), w(1, "a", 1)},
		"overlap: revision 1 was":     {w(1, "a", 1), w(2, "b", 1)},
		"lost update":                 {w(1, "a", 1), w(2, "b", 3)},
	} {
		require.ErrorContains(t, verifyWrites(writes), want)
	}
	require.NoError(t, verifyWrites([]cloudWrite{w(1, "a", 1), w(2, "a", 1), w(2, "b", 2)}))
}
