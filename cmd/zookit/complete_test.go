package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/complete"
	"github.com/zookit/zookit/zktest"
)

// unhurried has completion wait for a machine that is busy.
const unhurried = "ZOOKIT_COMPLETION_TIMEOUT=1m"

// What shells are answered when they ask for what a word may become.
func TestCompletion(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString(), unhurried)
	const noFile, noSpace = ":4\n", ":6\n"
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing yet":      {[]string{"ls", ""}, "/app\n/zookeeper\n" + noSpace},
		"several":          {[]string{"get", "/app/"}, "/app/a\n/app/b\n" + noSpace},
		"one with more":    {[]string{"get", "/ap"}, "/app/\n" + noSpace},
		"a leaf":           {[]string{"get", "/app/b"}, "/app/b\n" + noFile},
		"no such":          {[]string{"get", "/app/z"}, noFile},
		"no such parent":   {[]string{"get", "/nowhere/z"}, noFile},
		"not a path":       {[]string{"get", "app"}, noFile},
		"the second path":  {[]string{"cp", "/app", "/app/b"}, "/app/b\n" + noFile},
		"one of many":      {[]string{"rm", "/app/a", "/app/b", "/app/a/"}, "/app/a/x\n" + noFile},
		"behind a pattern": {[]string{"grep", "x", "/app/b"}, "/app/b\n" + noFile},
		"a pattern":        {[]string{"grep", "/app"}, noFile},
		"data":             {[]string{"set", "/app/b", "/ap"}, noFile},
		"below another":    {[]string{"-s", s.ConnectString() + "/app", "get", "/a"}, "/a/\n" + noSpace},
		"flags between":    {[]string{"wait", "--data", "x", "/app/b"}, "/app/b\n" + noFile},
		"to be locked":     {[]string{"lock", "/app/b"}, "/app/b\n" + noFile},
		"a command":        {[]string{"lock", "/app/b", "--", "mak"}, ":0\n"},
		"a form":           {[]string{"get", "-o", ""}, "table\njson\nyaml\nraw\n" + noFile},
		"commands":         {[]string{"ephe"}, "ephemerals\n" + noFile},
		"subcommands":      {[]string{"reconfig", "s"}, "show\n" + noFile},
	} {
		t.Run(name, func(t *testing.T) {
			prints(t, env, test.want, append([]string{cobra.ShellCompNoDescRequestCmd}, test.args...)...)
		})
	}
	require.Empty(t, s.Sessions())
}

// Whoever presses the key gets no error, and is not kept waiting.
func TestCompletionWithoutEnsemble(t *testing.T) {
	prints(t, environment(t, "127.0.0.1:1"), ":4\n", cobra.ShellCompNoDescRequestCmd, "get", "/")
	prints(t, environment(t, "no server at all:x"), ":4\n", cobra.ShellCompNoDescRequestCmd, "get", "/")

	s := server(t)
	s.Hang()
	prints(t, environment(t, s.ConnectString()), ":4\n", cobra.ShellCompNoDescRequestCmd, "get", "/")
	s.Accept()
	held := s.HoldReply(zktest.On("/", zktest.OpGetChildren2))
	defer held.Release()
	c := start(t, environment(t, s.ConnectString()), "", cobra.ShellCompNoDescRequestCmd, "get", "/")
	<-held.Fired()
	require.Zero(t, c.code())
	require.NotContains(t, c.out.String(), "/")
}

// Every command that takes a path completes it: it says so in its line of use.
func TestEveryPathIsCompleted(t *testing.T) {
	env := app.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	taking := map[string]bool{}
	complete.Each(whole(env), func(cmd *cobra.Command) {
		takes := complete.Takes(cmd)
		taking[cmd.Name()] = takes
		require.Equal(t, takes, cmd.ValidArgsFunction != nil, cmd.CommandPath())
		require.False(t, cmd.Runnable() && !takes && strings.Contains(cmd.Use+cmd.Long, "znode"), cmd.CommandPath())
	})
	for _, name := range []string{"ls", "get", "set", "create", "rm", "stat", "tree", "watch", "wait", "acl", "find", "grep", "du", "edit", "cp", "mirror", "diff", "export", "import", "lock", "elect", "ephemerals"} {
		require.True(t, taking[name], name)
	}
}

// A shell that has read what zookit completion writes completes paths.
func TestCompletionInBash(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString(), unhurried)
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, code := runs(t, env, "completion", shell)
		require.Zero(t, code)
		require.Contains(t, out, "__complete", shell)
	}
	script, code := runs(t, env, "completion", "bash")
	require.Zero(t, code)
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "zookit")))
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "-c", `_get_comp_words_by_ref() { # as in the package bash-completion, which not every machine has
	words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
}
compopt() { :; } # which bash has only while it completes
`+script+`
COMP_WORDS=(zookit get /app/)
COMP_CWORD=2 COMP_LINE="zookit get /app/" COMP_POINT=16 COMP_TYPE=9
__start_zookit
printf '%s\n' "${COMPREPLY[@]}"`)
	cmd.Env = append(env, "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "/app/a\n/app/b\n", string(out))
}
