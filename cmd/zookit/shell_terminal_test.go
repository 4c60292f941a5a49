package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/zktest"
)

const shellFixture = `{"/app": {"/alpha": {"data": "one", "/x": "deep"}, "/beta": "two", "/two words": "quoted"}}`

func shellAt(t *testing.T, s *zktest.Server) (*terminal, []string) {
	t.Helper()
	require.NoError(t, s.Load(strings.NewReader(shellFixture)))
	env := environment(t, s.ConnectString(), unhurried)
	p := atTerminal(t, env, "shell")
	p.sees("zookit:/> ")
	return p, env
}

// home is the home folder in an environment.
func home(env []string) string {
	for _, v := range env {
		if path, ok := strings.CutPrefix(v, "HOME="); ok {
			return path
		}
	}
	return ""
}

func TestShellCompletes(t *testing.T) {
	p, _ := shellAt(t, server(t))
	p.types("get /ap", tab)
	p.sees("/app/")
	p.types("al", tab)
	p.sees("alpha/")
	p.types(tab)
	p.sees("x ")
	p.types(enter)
	p.sees("deep\r\n", "zookit:/> ")

	p.types("ls /app/", tab)
	p.sees("alpha      beta       two words\r\n", "zookit:/> ls /app/")
	p.types("b", tab)
	p.sees("eta ")
	p.types(interrupt)

	p.sees("zookit:/> ")
	p.types("getAll", tab)
	p.sees("ChildrenNumber ")
	p.types("/", enter)
	p.sees("\r\n8\r\n", "zookit:/> ")
	p.types("cd /app", enter)
	p.sees("zookit:/app> ")
	p.types("get be", tab)
	p.sees("ta ")
	p.types(enter)
	p.sees("two\r\n", "zookit:/app> ")
	p.types("get tw", tab)
	p.sees(`"two words" `)
	p.types(enter)
	p.sees("quoted\r\n", "zookit:/app> ")
	p.types("ls --rec", tab)
	p.sees("ursive ")
	p.types(interrupt)
	p.sees("zookit:/app> ")
	p.types("reconfig s", tab)
	p.sees("how ")
	p.types(interrupt, endOfFile)
	p.ends(0)
}

func TestShellHistory(t *testing.T) {
	s := server(t)
	p, env := shellAt(t, s)
	p.types("get /app/beta", enter)
	p.sees("two\r\n", "zookit:/> ")
	p.types("addauth digest user:hidden", enter)
	p.sees("zookit:/> ")
	p.types(" get /app/alpha", enter)
	p.sees("one\r\n", "zookit:/> ")
	p.types(up)
	p.sees("get /app/beta")
	p.types(enter)
	p.sees("two\r\n", "zookit:/> ")
	p.types("exit", enter)
	p.ends(0)

	file := filepath.Join(home(env), ".local", "state", "zookit", "history")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "get /app/beta\nexit\n", string(content))

	p = atTerminal(t, env, "shell")
	p.sees("zookit:/> ")
	p.types(up, up)
	p.sees("exit", "get /app/beta")
	p.types(enter)
	p.sees("two\r\n", "zookit:/> ")
	p.types("history", enter)
	p.sees("get /app/beta\r\nexit\r\nget /app/beta\r\nhistory\r\n")
	p.types("quit", enter)
	p.ends(0)
}

// An interrupt gives up the line, or the command, and nothing else.
func TestShellInterrupt(t *testing.T) {
	s := server(t)
	p, _ := shellAt(t, s)
	p.types("create -e /mine", enter)
	p.sees("/mine\r\n", "zookit:/> ")
	p.types("delete /app/beta", interrupt)
	p.sees("^C", "zookit:/> ")
	p.types(up, interrupt)
	p.sees("create -e /mine", "^C", "zookit:/> ")
	p.types("watch /app", enter)
	p.sees("resynced")
	p.types(interrupt)
	p.sees("zookit:/> ")
	p.types(`lock /l -- sh -c "echo holds; exec sleep 1000"`, enter)
	p.sees("holds\r\n")
	p.types(interrupt)
	p.sees("zookit:/> ")
	p.types("getEphemerals", enter)
	p.sees("/mine\r\n", "zookit:/> ")
	_, there := s.Node("/app/beta")
	require.True(t, there)
	p.types("no such command", enter)
	p.sees(`there is no command "no"`, "zookit:/> ")
	p.types(`get "/app`, enter)
	p.sees("is not closed", "zookit:/> ")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.ends(0)
	require.Empty(t, s.Sessions(), "the session has ended with the shell")
	_, there = s.Node("/mine")
	require.False(t, there)
}

// What happens to the session is shown at once, above the line that is being typed, and what the shell is asked meanwhile waits.
func TestShellShowsStates(t *testing.T) {
	s := server(t)
	p, _ := shellAt(t, s)
	p.types("create -e /mine", enter)
	p.sees("/mine\r\n", "zookit:/> ")
	p.types("get -w /app/beta", enter)
	p.sees("two\r\n", "zookit:/> ")
	require.NoError(t, s.Set("/app/beta", []byte("three")))
	p.sees("zookit: watch: /app/beta: data changed\r\n", "zookit:/> ")

	p.types("get /app/be")
	p.sees("get /app/be")
	s.Refuse()
	s.DropConnections()
	p.sees("zookit: suspended: the connection is gone", "zookit:/ (suspended)> get /app/be")
	p.types("ta", enter)
	before := p.seen
	s.Accept()
	p.sees("zookit: connected again to " + s.Addr())
	p.seen = before
	p.sees("three") // before or behind it
	p.types("pwd", enter)
	p.sees("pwd\r\n/\r\n", "zookit:/> ")

	require.Len(t, s.Sessions(), 1)
	require.True(t, s.ExpireSession(s.Sessions()[0].ID))
	p.sees("zookit: lost: session 0x", "and its ephemeral nodes with it", "zookit: connected to "+s.Addr()+": a new session, 0x", "zookit:/> ")
	p.types("stat /mine", enter)
	p.sees("node does not exist", "zookit:/> ")
	p.types(endOfFile)
	p.ends(0)
}

// A terminal that changes its size has the line drawn anew, and what is pasted is taken as it is.
func TestShellTerminal(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(shellFixture)))
	p := atTerminal(t, environment(t, s.ConnectString(), unhurried, "TERM=xterm"), "shell")
	p.sees("\x1b[?2004hzookit:/> ")
	p.types("get /app/be")
	p.sees("get /app/be")
	require.NoError(t, pty.Setsize(p.screen, &pty.Winsize{Rows: 24, Cols: 120}))
	p.sees("zookit:/> get /app/be")
	p.types("\x1b[200~ta", enter, "create /pasted \"a\tb\"", enter, "\x1b[201~getAllChildrenNumber /pasted", enter)
	p.sees("two\r\n", "/pasted\r\n", "0\r\n", "zookit:/> ")
	pasted, _ := s.Node("/pasted")
	require.Equal(t, "a\tb", string(pasted.Data))
	p.types(endOfFile)
	p.ends(0)
}
