package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCounter(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())

	prints(t, env, "0\n", "counter", "get", "/n")
	prints(t, env, "10\n", "counter", "get", "/n", "--initial", "10")
	prints(t, env, "1\n", "counter", "add", "/n")
	prints(t, env, "42\n", "counter", "add", "/n", "41")
	prints(t, env, "40\n", "counter", "add", "--", "/n", "-2")
	prints(t, env, "40\n", "counter", "get", "/n", "-o", "json")
	prints(t, env, "", "counter", "set", "/n", "7")
	prints(t, env, "", "counter", "set", "/n", "8", "--if", "7")
	exits(t, env, 75, "counter", "set", "/n", "9", "--if", "7")
	prints(t, env, "8\n", "counter", "add", "/n", "0")
	require.Equal(t, "\x00\x00\x00\x00\x00\x00\x00\x08", string(s.Dump()["/n"].Data))

	prints(t, env, "5\n", "counter", "add", "/text", "5", "--layout", "kazoo")
	require.Equal(t, "5", string(s.Dump()["/text"].Data))
	prints(t, append(env, "ZOOKIT_LAYOUT=kazoo"), "6\n", "counter", "add", "/text")
	prints(t, env, "3\n", "counter", "add", "/int", "3", "--layout", "curator-int")
	require.Equal(t, "\x00\x00\x00\x03", string(s.Dump()["/int"].Data))
	for path := range s.Dump() {
		require.False(t, strings.HasPrefix(path, "/zookit/receipts/"), "left behind: %s", path)
	}
}

func TestCounterExitCodes(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	prints(t, env, "9223372036854775807\n", "counter", "add", "/most", "9223372036854775807")
	prints(t, env, "1\n", "counter", "add", "/text", "--layout", "kazoo")
	for name, test := range map[string]struct {
		args []string
		code int
	}{
		"no verb there is": {args: []string{"counter", "ad"}, code: 64},
		"no number":        {args: []string{"counter", "add", "/n", "one"}, code: 64},
		"too large":        {args: []string{"counter", "set", "/n", "9223372036854775808"}, code: 64},
		"nothing to set":   {args: []string{"counter", "set", "/n"}, code: 64},
		"if what":          {args: []string{"counter", "set", "/n", "1", "--if", "x"}, code: 64},
		"bad path":         {args: []string{"counter", "add", "n"}, code: 64},
		"bad receipts":     {args: []string{"counter", "add", "/n", "--receipts", "r"}, code: 64},
		"no such layout":   {args: []string{"counter", "get", "/n", "--layout", "kazo"}, code: 64},
		"overflow":         {args: []string{"counter", "add", "/most"}, code: 1},
		"another layout":   {args: []string{"counter", "add", "/text"}, code: 1},
		"nobody there":     {args: []string{"counter", "get", "/n", "-s", "127.0.0.1:1", "--connect-timeout", "50ms"}, code: 69},
	} {
		t.Run(name, func(t *testing.T) { exits(t, env, test.code, test.args...) })
	}
	prints(t, env, "0\n", "counter", "get", "/n")
}

func TestCounterWatch(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	two := start(t, env, "", "counter", "watch", "/n", "--count", "2")
	all := start(t, env, "", "counter", "watch", "/n", "-o", "json")
	two.says("0\n")
	all.says("0\n")
	prints(t, env, "5\n", "counter", "add", "/n", "5")
	require.Zero(t, two.code())
	require.Equal(t, "0\n5\n", two.out.String())
	all.says("5\n")
	require.NoError(t, all.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, all.code())
}
