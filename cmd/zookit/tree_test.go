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
)

const treeFixture = `{"/app": {"data": "root", "/a": {"data": "one", "/x": "deep"}, "/b": "two"}}`

// prints runs the tool and requires what it prints.
func prints(t *testing.T, env []string, want string, args ...string) {
	t.Helper()
	out, code := runs(t, env, args...)
	require.Zero(t, code, "zookit %s", strings.Join(args, " "))
	require.Equal(t, want, out, "zookit %s", strings.Join(args, " "))
}

// exits runs the tool and requires its exit status.
func exits(t *testing.T, env []string, want int, args ...string) {
	t.Helper()
	_, code := runs(t, env, args...)
	require.Equal(t, want, code, "zookit %s", strings.Join(args, " "))
}

func TestLookAndChange(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString())

	prints(t, env, "a\nb\n", "ls", "/app")
	prints(t, env, "/app\n├── a\n│   └── x\n└── b\n", "tree", "/app")
	prints(t, env, "/app\n├── a\n└── b\n", "tree", "/app", "--depth", "1")
	prints(t, env, "deep", "get", "/app/a/x")
	prints(t, env, "0\n", "stat", "/app/a", "-o", "raw")
	prints(t, env, "/app/c\n", "create", "/app/c", "three")
	prints(t, env, "/app/p/q/r\n", "create", "-p", "/app/p/q/r")
	exits(t, env, 1, "create", "/app/c")
	exits(t, env, 1, "create", "/nowhere/c")
	exits(t, env, 64, "create", "/app/e", "--container", "--ephemeral")
	prints(t, env, "", "set", "/app/c", "four", "--version", "0")
	exits(t, env, 1, "set", "/app/c", "five", "--version", "0")
	exits(t, env, 64, "set", "/app/c")
	prints(t, env, "four", "get", "/app/c")
	prints(t, env, "", "rm", "/app/c")
	exits(t, env, 1, "get", "/app/c")
	exits(t, env, 1, "rm", "/app/p")
	prints(t, env, "/app/p/q/r\n/app/p/q\n/app/p\n", "rm", "-r", "-n", "/app/p")
	prints(t, env, "", "rm", "-r", "/app/p")
	exits(t, env, 1, "stat", "/app/p")
	exits(t, env, 64, "rm", "-r", "/")
	exits(t, env, 64, "get", "app")
	exits(t, env, 64, "get", "/app", "-o", "xml")

	prints(t, env, "/app/a/x\n", "find", "/app", "--name", "x")
	prints(t, env, "/app/a:one\n", "grep", "^one", "/app")
	exits(t, env, 1, "grep", "nothing like it", "/app")
	exits(t, env, 64, "grep", "(", "/app")
	prints(t, env, "14\t4\t/app\n7\t2\t/app/a\n3\t1\t/app/b\n", "du", "/app", "-o", "raw")
	prints(t, env, "world:anyone:cdrwa\n", "acl", "/app", "-o", "raw")
	prints(t, env, "", "acl", "/app/b", "--set", "world:anyone:r,ip:127.0.0.1:cdrwa")
	prints(t, env, "world:anyone:r,ip:127.0.0.1:cdrwa\n", "acl", "/app/b", "-o", "raw")
	exits(t, env, 64, "acl", "/app/b", "--set", "world:anyone:z")
}

func TestFormats(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	require.NoError(t, s.Set("/app/b", []byte{0xff, 0}))
	env := environment(t, s.ConnectString())
	out, code := runs(t, env, "get", "/app/a", "-o", "json")
	require.Zero(t, code)
	var node struct {
		Path, Text string
		Bytes      []byte
		Version    int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &node))
	require.Equal(t, "/app/a", node.Path)
	require.Equal(t, "one", node.Text)
	out, code = runs(t, env, "get", "/app/b", "-o", "json")
	require.Zero(t, code)
	require.NoError(t, json.Unmarshal([]byte(out), &node))
	require.Equal(t, []byte{0xff, 0}, node.Bytes)
	require.Equal(t, 1, node.Version)
	out, code = runs(t, env, "get", "/app/a", "-o", "yaml")
	require.Zero(t, code)
	require.Contains(t, out, "text: one\n")
}

func TestCopiesAndDocuments(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString())

	prints(t, env, "", "cp", "/app", "/copies/first")
	prints(t, env, "", "diff", "/app", "/copies/first")
	prints(t, env, "", "set", "/copies/first/b", "other")
	prints(t, env, "/copies/first/more\n", "create", "/copies/first/more")
	exits(t, env, 1, "diff", "/app", "/copies/first")
	prints(t, env, "set /copies/first/b\ndelete /copies/first/more\n", "mirror", "-n", "/app", "/copies/first")
	prints(t, env, "", "mirror", "/app", "/copies/first")
	prints(t, env, "", "diff", "/app", "/copies/first")

	document, code := runs(t, env, "export", "/app", "--acls")
	require.Zero(t, code)
	file := filepath.Join(t.TempDir(), "app.yaml")
	require.NoError(t, os.WriteFile(file, []byte(document), 0o600))
	prints(t, env, "", "import", "/imported", "-f", file)
	prints(t, env, "", "diff", "/app", "/imported")
	prints(t, env, "", "set", "/imported/b", "changed")
	prints(t, env, "", "import", "/imported", "-f", file)
	prints(t, env, "changed", "get", "/imported/b")
	prints(t, env, "", "import", "/imported", "-f", file, "--replace")
	prints(t, env, "two", "get", "/imported/b")

	other := server(t)
	prints(t, env, "", "cp", "/app", "/app", "--to", other.ConnectString())
	prints(t, env, "", "diff", "/app", "/app", "--to", other.ConnectString())
	for _, broken := range []string{"", "nodes: 1", "zookit: 2", "zookit: 1\nnodes: [{path: a}]", "zookit: 1\nnodes: [{path: /a, bytes: '!'}]"} {
		require.NoError(t, os.WriteFile(file, []byte(broken), 0o600))
		exits(t, env, 64, "import", "/broken", "-f", file)
	}
}

func TestWatchAndWait(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString())
	watch := start(t, env, "", "watch", "-r", "/app", "--count", "2", "-o", "json")
	watch.says(`"resynced"`)
	wait := start(t, env, "", "wait", "/app/a/x", "--data", "new")
	require.Eventually(t, func() bool { return s.Watches() > 1 }, patience, 1e6)
	require.NoError(t, s.Set("/app/a/x", []byte("new")))
	require.Zero(t, wait.code())
	require.Zero(t, watch.code())
	watch.says("/app/a/x")
	exits(t, env, 75, "wait", "/app/gone", "--exists", "--timeout", "20ms")
	exits(t, env, 64, "wait", "/app")
}

// An edit is stored only over what was edited.
func TestEdit(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	env := environment(t, s.ConnectString(), "EDITOR=sed -i s/o/O/g")
	prints(t, env, "", "edit", "/app/b")
	prints(t, env, "twO", "get", "/app/b")
	self, err := os.Executable()
	require.NoError(t, err)
	meddling := environment(t, s.ConnectString(), "EDITOR="+self+" set /app/b meddled && sed -i s/t/T/")
	exits(t, meddling, 1, "edit", "/app/b")
	prints(t, env, "meddled", "get", "/app/b")
	exits(t, environment(t, s.ConnectString()), 64, "edit", "/app/b")
}

// An interrupt, which a terminal sends to all programs in front, is the editor's: it may mean something there. A request
// to end is passed on.
func TestEditAndSignals(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	dir := t.TempDir()
	begun, goOn := filepath.Join(dir, "begun"), filepath.Join(dir, "go-on")
	editing := func(name string) *tool {
		require.NoError(t, os.RemoveAll(begun))
		c := start(t, environment(t, s.ConnectString(), "EDITOR=>"+begun+"; until [ -e "+goOn+" ]; do sleep 0.05; done; sed -i s/o/O/g"), "", "edit", name)
		require.Eventually(t, func() bool { _, err := os.Stat(begun); return err == nil }, patience, 10*time.Millisecond)
		return c
	}
	c := editing("/app/b")
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	require.NotZero(t, c.code())
	require.Contains(t, c.err.String(), "the text is in ")
	c = editing("/app/b")
	require.NoError(t, c.cmd.Process.Signal(os.Interrupt))
	require.NoError(t, os.WriteFile(goOn, nil, 0o600))
	require.Zero(t, c.code(), "%s", &c.err)
	prints(t, environment(t, s.ConnectString()), "twO", "get", "/app/b")
}

// The embedded server says where it is, and has what it was given.
func TestDev(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fixture.json")
	require.NoError(t, os.WriteFile(file, []byte(treeFixture), 0o600))
	dev := start(t, environment(t, ""), "", "dev", "--listen", "127.0.0.1:0", "--servers", "2", "--data", file)
	dev.says("\n")
	env := environment(t, strings.TrimSpace(dev.out.String()))
	prints(t, env, "a\nb\n", "ls", "/app")
	exits(t, environment(t, ""), 64, "dev", "--servers", "0")
}

// What a profile says holds, unless the environment or a flag says otherwise; what stands in the file is not printed when it is wrong.
func TestProfiles(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Load(strings.NewReader(treeFixture)))
	file := filepath.Join(t.TempDir(), "config.yaml")
	env := environment(t, "", "ZOOKIT_CONFIG="+file)
	require.NoError(t, os.WriteFile(file, []byte("default: here\nprofiles:\n  here:\n    servers: "+s.ConnectString()+"/app\n    auth: ['digest:me:secret']\n"), 0o600))
	prints(t, env, "a\nb\n", "ls")
	prints(t, env, "app\nzookeeper\n", "ls", "-s", s.ConnectString())
	exits(t, env, 64, "ls", "--profile", "there")
	require.NoError(t, os.WriteFile(file, []byte("profiles:\n  here:\n    auth: {secret: 1}\n"), 0o600))
	c := start(t, env, "", "ls")
	require.Equal(t, 64, c.code())
	require.NotContains(t, c.err.String(), "secret")
}
