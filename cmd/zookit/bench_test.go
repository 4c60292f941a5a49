package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBench(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	before := len(s.Dump())
	out, code := runs(t, env, "bench", "--duration", "50ms", "--workers", "4", "--clients", "2", "-o", "json")
	require.Zero(t, code)
	var r struct {
		Workers, Clients int
		Work             []struct {
			Work                   string
			Count, Errors          int
			PerSecond, P50Ms, P9Ms float64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, 4, r.Workers)
	require.Equal(t, 2, r.Clients)
	require.Len(t, r.Work, 4)
	for i, kind := range []string{"get", "set", "create", "lock"} {
		require.Equal(t, kind, r.Work[i].Work)
		require.Positive(t, r.Work[i].Count, kind)
		require.Zero(t, r.Work[i].Errors)
		require.Positive(t, r.Work[i].PerSecond)
	}
	require.Len(t, s.Dump(), before, "nothing is left")
	out, code = runs(t, env, "bench", "--duration", "10ms", "--work", "set")
	require.Zero(t, code)
	require.Regexp(t, `^WORK  COUNT .*\nset   .*\n$`, out)
	for _, wrong := range [][]string{{"--work", "think"}, {"--workers", "0"}, {"--clients", "20"}, {"--duration", "0s"}, {"--bytes", "-1"}, {"--path", "x"}} {
		exits(t, env, 64, append([]string{"bench"}, wrong...)...)
	}
	exits(t, env, 1, "bench", "--path", "/nowhere")
}

// What it has made goes also when it is interrupted.
func TestBenchInterrupted(t *testing.T) {
	s := server(t)
	before := len(s.Dump())
	c := start(t, environment(t, s.ConnectString()), "", "bench", "--duration", "1h")
	require.Eventually(t, func() bool {
		for path := range s.Dump() {
			if strings.HasSuffix(path, "/w9") {
				return true
			}
		}
		return false
	}, patience, 1e6)
	require.NoError(t, c.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 130, c.code())
	require.Len(t, s.Dump(), before)
}
