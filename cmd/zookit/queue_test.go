package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/queue"
	"github.com/zookit/zookit/recipes"
	"github.com/zookit/zookit/zktest"
)

func TestQueue(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())

	exits(t, env, 75, "queue", "peek", "/jobs")
	exits(t, env, 75, "queue", "take", "/jobs", "--try", "--pop")
	exits(t, env, 75, "queue", "take", "/jobs", "--timeout", "50ms", "--", "true")
	prints(t, env, "", "queue", "put", "/jobs", "--lines", "-f", "/dev/null")
	prints(t, env, "a\n", "queue", "put", "/jobs", "first", "--id", "a")
	prints(t, env, "a\n", "queue", "put", "/jobs", "again", "--id", "a")
	out, code := runs(t, env, "queue", "put", "/jobs", "urgent", "--priority", "-3")
	require.Zero(t, code)
	require.NotEmpty(t, strings.TrimSpace(out))
	prints(t, env, "late\n", "queue", "put", "/jobs", "later", "--delay", "1h", "--id", "late")
	prints(t, env, "3\n", "queue", "len", "/jobs")
	prints(t, env, "urgent", "queue", "peek", "/jobs")
	prints(t, env, "urgent", "queue", "take", "/jobs", "--pop")

	// Given back, with what the command was told; then acknowledged.
	out, code = runs(t, env, "queue", "take", "/jobs", "--", "sh", "-c", "cat; echo \" $ZOOKIT_PATH $ZOOKIT_ID $ZOOKIT_PRIORITY $ZOOKIT_ATTEMPT\"; test $ZOOKIT_TOKEN -gt 0; test -n \"$ZOOKIT_SESSION\"; exit 7")
	require.Equal(t, 7, code)
	require.Equal(t, "first /jobs a 0 1\n", out)
	prints(t, env, "first 2\n", "queue", "take", "/jobs", "--", "sh", "-c", "cat; echo \" $ZOOKIT_ATTEMPT\"")
	prints(t, env, "1\n", "queue", "len", "/jobs")
	exits(t, env, 75, "queue", "take", "/jobs", "--try", "--", "true")
	require.Empty(t, s.Sessions())
}

func TestQueueForms(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(file, []byte{0xff, 0}, 0o600))
	prints(t, env, "b\n", "queue", "put", "/q", "-f", file, "--id", "b")
	out, code := runs(t, env, "queue", "peek", "/q", "-o", "json")
	require.Zero(t, code)
	var item struct {
		ID, Text string
		Bytes    []byte
		Attempt  int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &item))
	require.Equal(t, "b", item.ID)
	require.Equal(t, []byte{0xff, 0}, item.Bytes)
	prints(t, env, "data      \uFFFD\uFFFD\nid        b\npriority  0\nattempt   1\n", "queue", "take", "/q", "--pop", "--long")

	c := start(t, env, "one\n\ntwo\r\nthree", "queue", "put", "/q", "--lines", "-f", "-")
	require.Zero(t, c.code())
	require.Len(t, strings.Fields(c.out.String()), 3)
	prints(t, env, "one\ntwo\nthree\n", "queue", "take", "/q", "--pop", "--repeat", "--try")
	prints(t, env, "- x\n", "queue", "put", "/q", "x", "--id", "- x")
	prints(t, env, "x", "queue", "take", "/q", "--pop", "-o", "raw")
}

func TestQueueExitCodes(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	prints(t, env, "1\n", "queue", "put", "/full", "x", "--capacity", "1", "--id", "1")
	prints(t, env, "1\n", "queue", "put", "/ok", "x", "--id", "1")
	for name, test := range map[string]struct {
		args []string
		code int
	}{
		"no verb there is":         {args: []string{"queue", "pot"}, code: 64},
		"no data":                  {args: []string{"queue", "put", "/q"}, code: 64},
		"data twice":               {args: []string{"queue", "put", "/q", "x", "-f", "-"}, code: 64},
		"an id for lines":          {args: []string{"queue", "put", "/q", "x", "--lines", "--id", "x"}, code: 64},
		"an id that is too long":   {args: []string{"queue", "put", "/q", "x", "--id", strings.Repeat("x", 129)}, code: 64},
		"no way to settle":         {args: []string{"queue", "take", "/q"}, code: 64},
		"two ways to settle":       {args: []string{"queue", "take", "/q", "--pop", "--answer"}, code: 64},
		"a command, popped":        {args: []string{"queue", "take", "/q", "--pop", "--", "true"}, code: 64},
		"attempts, popped":         {args: []string{"queue", "take", "/q", "--pop", "--max-attempts", "2"}, code: 64},
		"repeat for ever":          {args: []string{"queue", "take", "/q", "--repeat", "--", "true"}, code: 64},
		"try for a time":           {args: []string{"queue", "take", "/q", "--try", "--timeout", "1s", "--", "true"}, code: 64},
		"too much grace":           {args: []string{"queue", "take", "/q", "--grace", "9s", "--", "true"}, code: 64},
		"bad path":                 {args: []string{"queue", "len", "q"}, code: 64},
		"no such layout":           {args: []string{"queue", "len", "/q", "--layout", "kazo"}, code: 64},
		"another layout":           {args: []string{"queue", "put", "/ok", "x", "--layout", "kazoo"}, code: 1},
		"no lease in the layout":   {args: []string{"queue", "take", "/k", "--layout", "kazoo", "--try", "--", "true"}, code: 64},
		"no delay in the layout":   {args: []string{"queue", "put", "/k", "x", "--layout", "kazoo", "--delay", "1s"}, code: 64},
		"no room":                  {args: []string{"queue", "put", "/full", "y", "--capacity", "1", "--if-room"}, code: 75},
		"no room in time":          {args: []string{"queue", "put", "/full", "y", "--capacity", "1", "--timeout", "50ms"}, code: 75},
		"another capacity":         {args: []string{"queue", "put", "/full", "y", "--capacity", "2", "--if-room"}, code: 1},
		"no such command":          {args: []string{"queue", "take", "/ok", "--", "no-such-command-anywhere"}, code: 127},
		"no such command, forever": {args: []string{"queue", "take", "/ok", "--repeat", "--max-attempts", "9", "--", "no-such-command-anywhere"}, code: 127},
		"nobody there":             {args: []string{"queue", "len", "/q", "-s", "127.0.0.1:1", "--connect-timeout", "50ms"}, code: 69},
	} {
		t.Run(name, func(t *testing.T) { exits(t, env, test.code, test.args...) })
	}
	prints(t, env, "1\n", "queue", "len", "/ok")
}

func TestQueueLayouts(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	for _, layout := range []string{"native", "kazoo", "kazoo-locking", "curator", "curator-simple", "curator-priority", "curator-delay", "curator-id"} {
		t.Run(layout, func(t *testing.T) {
			path := "/" + layout
			_, code := runs(t, env, "queue", "put", path, "data of it", "--layout", layout)
			require.Zero(t, code)
			prints(t, env, "1\n", "queue", "len", path, "--layout", layout)
			prints(t, env, "data of it", "queue", "take", path, "--pop", "--layout", layout)
		})
	}
	for layout, more := range map[string][]string{"kazoo-locking": nil, "curator": {"--lock-path", "/locks"}} {
		args := append([]string{"--layout", layout}, more...)
		path := "/leased/" + layout
		_, code := runs(t, env, append([]string{"queue", "put", path, "one"}, args...)...)
		require.Zero(t, code)
		prints(t, env, "one", append(append([]string{"queue", "take", path}, args...), "--", "cat")...)
		exits(t, env, 75, append(append([]string{"queue", "take", path, "--try"}, args...), "--", "cat")...)
	}
}

// A worker goes on after failures; what fails each time ends as a dead letter, and can be put back from there.
func TestQueueWorker(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	c := start(t, env, "good\nbad\nfine\n", "queue", "put", "/jobs", "--lines", "-f", "-")
	require.Zero(t, c.code())
	work := []string{"--", "sh", "-c", `read -r job; echo "$ZOOKIT_ATTEMPT $job"; test "$job" != bad`}
	out, code := runs(t, env, append([]string{"queue", "take", "/jobs", "--repeat", "--max-attempts", "2", "--try"}, work...)...)
	require.Equal(t, 1, code)
	require.ElementsMatch(t, []string{"1 good", "1 bad", "2 bad", "1 fine"}, strings.Split(strings.TrimSpace(out), "\n"))
	prints(t, env, "0\n", "queue", "len", "/jobs")
	prints(t, env, "1\n", "queue", "len", "/jobs", "--dead")
	out, code = runs(t, env, "queue", "peek", "/jobs", "--dead", "-o", "yaml")
	require.Zero(t, code)
	require.Contains(t, out, "reason: given back after 2 attempts\n")
	self, err := os.Executable()
	require.NoError(t, err)
	exits(t, env, 0, "queue", "take", "/jobs", "--dead", "--try", "--", self, "queue", "put", "/jobs", "-f", "-")
	prints(t, env, "bad", "queue", "peek", "/jobs")
	prints(t, env, "0\n", "queue", "len", "/jobs", "--dead")
}

// The conversation: what is answered happens, and the end of it gives back.
func TestQueueAnswers(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	c := start(t, env, "one\ntwo\nthree\nfour\n", "queue", "put", "/jobs", "--lines", "-f", "-")
	require.Zero(t, c.code())
	c = start(t, env, "ack\nwhat\nbury no good\nnack 1h\n", "queue", "take", "/jobs", "--answer", "--repeat")
	require.Zero(t, c.code())
	var texts []string
	for line := range strings.Lines(c.out.String()) {
		var item struct{ Text, Path, Token any }
		require.NoError(t, json.Unmarshal([]byte(line), &item))
		require.Positive(t, item.Token)
		texts = append(texts, item.Text.(string))
	}
	require.Equal(t, []string{"one", "two", "three", "four"}, texts)
	require.Contains(t, c.err.String(), `"what": say ack`)
	prints(t, env, "2\n", "queue", "len", "/jobs")
	prints(t, env, "two", "queue", "peek", "/jobs", "--dead")
	prints(t, env, "four", "queue", "take", "/jobs", "--pop")
	exits(t, env, 75, "queue", "take", "/jobs", "--answer", "--try")
}

// Signals are the command's; an item whose command was ended is given back, and a waiting worker just ends.
func TestQueueSignals(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	waiting := start(t, env, "", "queue", "take", "/jobs", "--repeat", "--max-attempts", "3", "--", "sh", "-c", "echo works; exec sleep 1000")
	require.Eventually(t, func() bool { return s.Watches() > 0 }, patience, 1e6)
	prints(t, env, "a\n", "queue", "put", "/jobs", "x", "--id", "a")
	waiting.says("works")
	require.NoError(t, waiting.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 130, waiting.code())
	prints(t, env, "2\n", "queue", "take", "/jobs", "--", "sh", "-c", "echo $ZOOKIT_ATTEMPT")

	idle := start(t, env, "", "queue", "take", "/jobs", "--", "true")
	require.Eventually(t, func() bool { return s.Watches() > 0 }, patience, 1e6)
	require.NoError(t, idle.cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, 130, idle.code())
}

// A lease that is lost ends the command before the item is another one's, also when the tool is stopped or killed.
func TestQueueLeaseIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(t *testing.T, s *zktest.Server, c *tool)
		code  int // -1: killed
	}{
		"network cut": {code: 76, fault: func(_ *testing.T, s *zktest.Server, _ *tool) {
			s.Refuse()
			s.DropConnections()
		}},
		"tool stopped": {code: 76, fault: func(t *testing.T, _ *zktest.Server, c *tool) {
			require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
		}},
		"tool killed": {code: -1, fault: func(t *testing.T, _ *zktest.Server, c *tool) {
			require.NoError(t, c.cmd.Process.Kill())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			env := environment(t, s.ConnectString())
			prints(t, env, "a\n", "queue", "put", "/jobs", "x", "--id", "a")
			c := start(t, env, "", "queue", "take", "/jobs", "--session-timeout", "3s", "--grace", "1s", "--", "sh", "-c", obstinate)
			processes := pids(c)

			// The next in line is in this process, past all faults of the network.
			cl, err := client.Connect(t.Context(), s.ConnectString(), client.WithSessionTimeout(time.Minute))
			require.NoError(t, err)
			t.Cleanup(func() { _ = cl.Close() })
			type had struct {
				item *queue.Item[[]byte]
				left []int // who was there still
				err  error
			}
			next := make(chan had, 1)
			go func() {
				it, err := queue.NewWith(cl, "/jobs", recipes.Raw{}).Take(t.Context())
				h := had{item: it, err: err}
				for _, pid := range processes {
					if alive(pid) {
						h.left = append(h.left, pid)
					}
				}
				next <- h
			}()
			test.fault(t, s, c)
			for _, pid := range processes {
				gone(t, pid)
			}
			require.Contains(t, c.out.String(), "asked", "SIGTERM comes first")
			s.Accept()
			require.NoError(t, ignoreDone(c.cmd.Process.Signal(syscall.SIGCONT)))
			require.Equal(t, test.code, c.code())
			h := <-next
			require.NoError(t, h.err)
			require.Empty(t, h.left, "who was there still when the next one had the item")
			require.Equal(t, 2, h.item.Attempt)
			require.NoError(t, h.item.Ack(t.Context()))
		})
	}
}
