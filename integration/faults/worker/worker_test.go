package worker

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/workload"
	"github.com/zookit/zookit/zktest"
)

// A worker does all workloads that there are, says so, gives everything back, and leaves nothing in its process.
func TestWork(t *testing.T) {
	server := zktest.Start(t)
	dir := t.TempDir()
	config := Config{Process: "p0.1", Members: 1, Servers: server.Addr(), Dir: dir, Session: time.Second, Pace: time.Millisecond, Seed: 1}
	require.NoError(t, server.Create("/run", nil))
	const name = "mutex-history"
	config.Work = []Work{{Name: name, Path: "/run", Clients: 3}}
	text, err := json.Marshal(config)
	require.NoError(t, err)

	in, commands := io.Pipe()
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Main(t.Context(), string(text), in, out) }()
	tell := json.NewEncoder(commands)
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	hear := func(want func(Message) bool) Message {
		t.Helper()
		for lines.Scan() {
			var m Message
			require.NoError(t, json.Unmarshal(lines.Bytes(), &m))
			require.NotEqual(t, Failed, m.Event, "%+v", m)
			if want(m) {
				return m
			}
		}
		require.FailNow(t, "the worker says no more")
		return Message{}
	}
	hear(func(m Message) bool { return m.Event == Ready })
	m := hear(func(m Message) bool { return m.Event == Status && m.Done[name] > 10 })
	require.Len(t, m.Sessions, 3)
	require.NoError(t, tell.Encode(Command{Do: Jump, By: time.Hour}))
	m = hear(func(m Message) bool { return m.Event == Jumped })
	require.Equal(t, Jumps, m.Err == "", "%+v", m)
	require.NoError(t, tell.Encode(Command{Do: Finish}))
	hear(func(m Message) bool { return m.Event == Finished })
	require.NoError(t, tell.Encode(Command{Do: Close}))
	m = hear(func(m Message) bool { return m.Event == Closed })
	require.Empty(t, m.Left)
	require.Equal(t, uint64(3), m.Counts.SessionsOpened)
	require.NoError(t, <-ended)

	h, err := history.ReadFolder(filepath.Join(dir, name))
	require.NoError(t, err)
	w, err := workload.Lookup(name)
	require.NoError(t, err)
	require.Empty(t, w.Check(h))
}

func TestConfigThatIsNone(t *testing.T) {
	require.ErrorContains(t, Main(t.Context(), "{", os.Stdin, io.Discard), "configuration")
	in, commands := io.Pipe()
	defer func() { _ = commands.Close() }()
	require.ErrorContains(t, Main(t.Context(), `{"work":[{"name":"nonsense"}]}`, in, io.Discard), "nonsense")
}

// What a process has more than before is named.
func TestCensus(t *testing.T) {
	before := census()
	left := people{goroutines: before.goroutines + 1, files: before.files + 2}.beyond(before)
	require.Len(t, left, 2)
	require.Contains(t, left[0], "open files")
	require.Contains(t, left[1], "TestCensus")
	require.Empty(t, before.beyond(before))
}
