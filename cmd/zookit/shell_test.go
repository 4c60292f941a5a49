package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// typed runs commands that come from standard input.
func typed(t *testing.T, env []string, code int, lines ...string) (out, err string) {
	t.Helper()
	c := start(t, env, strings.Join(lines, "\n"), "shell")
	require.Equal(t, code, c.code(), "out: %s\nerr: %s", c.out.String(), c.err.String())
	return c.out.String(), c.err.String()
}

// What zkCli.sh has is there under its name, with its letters.
func TestShellSpeaksZkCli(t *testing.T) {
	for name, test := range map[string]struct{ lines, want string }{
		"ls":                  {"ls /app", "a\nb\n"},
		"ls with stat":        {"ls -s /app/a", "x\npath*numChildren     1\n"},
		"ls all":              {"ls -R /app", "/app\n/app/a\n/app/a/x\n/app/b\n"},
		"get":                 {"get /app/b", "two\n"},
		"get with stat":       {"get -s /app/b", "two\npath*dataLength      3\n*"},
		"create":              {"create /n data\nget /n", "/n\ndata\n"},
		"create both":         {"create -s -e /n- d", "/n-0000000001\n"},
		"create with list":    {"create /n data world:anyone:r\ngetAcl -s /n", "/n\nSCHEME  ID      PERMISSIONS\nworld   anyone  r\npath*"},
		"create to live":      {"create -t 60000 /n data\ncreate -c /c", "/n\n/c\n"},
		"create JSON":         {"create /n {\"a\":[1,2]}\nget /n", "/n\n{\"a\":[1,2]}\n"},
		"quotes":              {"create /n \"a \\\"b\\\" c:\\d\"\nget /n\nset /n '\"x\" y'\nget /n\nset /n \"\"\nget /n", "/n\na \"b\" c:\\d\n\"x\" y\n\n"},
		"set":                 {"set -v 0 /app/b x\nset -s /app/b y", "path*version         2\n*"},
		"delete":              {"delete -v 0 /app/b\nls /app", "a\n"},
		"deleteall":           {"deleteall /app/a\nls /app", "b\n"},
		"rmr":                 {"rmr /app\nls /", "zookeeper\n"},
		"stat":                {"stat /app/b", "path            /app/b\n*"},
		"setAcl":              {"setAcl -v 0 /app/b world:anyone:r\ngetAcl -o raw /app/b", "world:anyone:r\n"},
		"setAcl all":          {"setAcl -R /app ip:127.0.0.1:r\ngetAcl -o raw /app\ngetAcl -o raw /app/a/x", "ip:127.0.0.1:r\nip:127.0.0.1:r\n"},
		"sync":                {"sync /\nls /app/a", "x\n"},
		"getEphemerals":       {"create -e /e\ncreate -e /app/e\ngetEphemerals\ngetEphemerals /app/", "/e\n/app/e\n/app/e\n/e\n/app/e\n"},
		"count":               {"getAllChildrenNumber /app", "3\n"},
		"whoami":              {"addauth digest me:pw\nwhoami -o raw", "ip:127.0.0.1\ndigest:me\n"},
		"config":              {"config -o raw", "version=0\n"},
		"version":             {"version", "zookit *\nZooKeeper 3.8.0 at 127.0.0.1:*\n"},
		"cd":                  {"cd app\nls\ncd a\npwd\nget x\nget ../b\ncd ../..\npwd\nls ./app/", "a\nb\n/app/a\ndeep\ntwo\n/\na\nb\n"},
		"quit":                {"quit\nls /", ""},
		"exit":                {"exit\nls /", ""},
		"comment and nothing": {"# ls /\n\n   \nget /app/b", "two\n"},
		"command of the tool": {"cd /app\ntree\nfind --name x\ngrep w\nzookit du -d 0 -o raw\ncp a c\nls\nrm -r c b\nls", "/app\n├── a\n│   └── x\n└── b\n/app/a/x\n/app/b:two\n14\t4\t/app\na\nb\nc\na\n"},
		"help":                {"help", "As in zkCli.sh:\n*addauth*getAllChildrenNumber*lock PATH*"},
		"help on one":         {"help ls", "*-R, --recursive*"},
	} {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			require.NoError(t, s.Load(strings.NewReader(treeFixture)))
			out, _ := typed(t, environment(t, s.ConnectString()), 0, test.lines)
			require.Regexp(t, pattern(test.want), out)
			require.Empty(t, s.Sessions(), "the session has ended with the shell")
		})
	}
}

// A number alone is milliseconds, as for zkCli.sh.
func TestShellTimeToLive(t *testing.T) {
	s := server(t)
	typed(t, environment(t, s.ConnectString()), 0, "create -t 60000 /old", "create -t 1h /young")
	s.AdvanceClock(2 * time.Minute)
	_, old := s.Node("/old")
	_, young := s.Node("/young")
	require.Equal(t, []bool{false, true}, []bool{old, young})
}

// A line that fails ends the shell, as long as nobody says otherwise.
func TestShellFails(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString())
	out, err := typed(t, env, 1, "# first", "get /app/nothing", "ls /")
	require.Empty(t, out)
	require.Contains(t, err, "line 2: getData /app/nothing: node does not exist")
	for _, wrong := range []string{"delete", "ls -x /", "get 'x", "nonsense", "addauth", "setAcl /app/b world", "create /a b c d", "addWatch -m X /", "removewatches /app"} {
		_, err = typed(t, env, 64, wrong)
		require.Contains(t, err, "line 1: ", wrong)
	}
	for _, failing := range []string{"cd /nowhere", "delete /app", "delete -v 7 /app/b", "addauth nonsense x"} {
		_, err = typed(t, env, 1, failing)
		require.Contains(t, err, "line 1: ", failing)
	}
	c := start(t, env, "get /no\nls /app\ngrep nothing\n", "shell", "-k")
	require.Equal(t, 1, c.code())
	require.Equal(t, "a\nb\n", c.out.String())
	require.Contains(t, c.err.String(), "line 1: getData /no")
	prints(t, env, "a\nb\n", "shell", "-c", "cd /app", "-c", "ls")
	c = start(t, env, "from standard input", "shell", "-c", "set /app/b -f -")
	require.Zero(t, c.code())
	prints(t, env, "from standard input", "get", "/app/b")
	exits(t, environment(t, "127.0.0.1:1"), 69, "shell", "--connect-timeout", "50ms", "-c", "ls /")
}

// A shell whose input stays silent ends when it is told to.
func TestShellEndsBySignal(t *testing.T) {
	s := server(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	c := starting(t, environment(t, s.ConnectString()), r, "shell")
	require.NoError(t, r.Close())
	_, err = w.WriteString("ls /\n")
	require.NoError(t, err)
	c.says("zookeeper\n")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 130, c.code())
	require.Empty(t, s.Sessions())
}

// A new credential holds for the session that there is: its ephemeral nodes stay.
func TestShellAddAuth(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(`{"/secret": {"data": "x", "acl": ["digest:ops:w4PIv8/Wzcq4qj4/MfEQ8pvUSS4=:cdrwa"]}}`)))
	env := environment(t, s.ConnectString())
	out, _ := typed(t, env, 0, "create -e /mine", "addauth digest me:pw", "addauth digest you:pw", "getEphemerals /mine", "whoami -o raw")
	require.Equal(t, "/mine\n/mine\nip:127.0.0.1\ndigest:me\ndigest:you\n", out)
	_, err := typed(t, env, 1, "create -e /mine", "addauth nonsense x")
	require.Contains(t, err, "authentication failed")
	c := start(t, env, "create -e /mine\naddauth nonsense x\ngetEphemerals /mine\n", "shell", "-k")
	require.Equal(t, 1, c.code())
	require.Equal(t, "/mine\n/mine\n", c.out.String(), "a credential that is refused costs nothing")
}

// Watches of addWatch stand until they are removed, over sessions.
func TestShellWatches(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	c := starting(t, environment(t, s.ConnectString()), r, "shell")
	require.NoError(t, r.Close())
	_, err = w.WriteString("addWatch /app\nls -w /app/a\nstat -w /app/b\npwd\n")
	require.NoError(t, err)
	c.says("\n/\n")
	require.NoError(t, s.Set("/app/a/x", []byte("new")))
	c.tells("zookit: watch: /app/a/x: data changed\n")
	_, err = w.WriteString("removewatches /app\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Watches() == 2 }, patience, 1e6, "those of ls and stat are left")
	require.NoError(t, w.Close())
	require.Zero(t, c.code())
}

// Where no state folder can be made there is no history, and work goes on.
func TestShellWithoutHistory(t *testing.T) {
	s := server(t)
	file := filepath.Join(t.TempDir(), "no-folder")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	p := atTerminal(t, environment(t, s.ConnectString(), "XDG_STATE_HOME="+file), "shell")
	p.sees("zookit: the history is not kept: ", "zookit:/> ")
	p.types("ls /", enter)
	p.sees("zookeeper\r\n", "zookit:/> ")
	p.types(up, up, interrupt, endOfFile)
	p.ends(0)
}
