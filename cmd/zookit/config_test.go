package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())

	exits(t, env, 1, "config", "get", "/config/limits")
	prints(t, env, "", "config", "history", "/config/limits", "-o", "raw")
	exits(t, env, 1, "config", "rollback", "/config/limits")
	prints(t, env, "", "config", "set", "/config/limits", `{"max":10}`)
	prints(t, env, `{"max":10}`, "config", "get", "/config/limits")
	prints(t, env, "", "config", "set", "/config/limits", `{"max":20}`, "--version", "0")
	exits(t, env, 1, "config", "set", "/config/limits", `{"max":30}`, "--version", "0")
	exits(t, env, 64, "config", "set", "/config/limits", `{"max":30`)
	exits(t, env, 64, "config", "set", "/config/limits", "30")
	file := filepath.Join(t.TempDir(), "limits.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"max":40}`), 0o600))
	prints(t, env, "", "config", "set", "/config/limits", "-f", file)

	out, code := runs(t, env, "config", "get", "/config/limits", "-o", "json")
	require.Zero(t, code)
	var document struct {
		Path, Text, Zxid string
		Exists           bool
		Version          int
	}
	require.NoError(t, json.Unmarshal([]byte(out), &document))
	require.Equal(t, `{"max":40}`, document.Text)
	require.Equal(t, 2, document.Version)
	require.True(t, document.Exists)

	out, code = runs(t, env, "config", "history", "/config/limits", "-o", "raw")
	require.Zero(t, code)
	ids := strings.Fields(out)
	require.Len(t, ids, 3, "20, 10, and that there was none")
	out, code = runs(t, env, "config", "history", "/config/limits")
	require.Zero(t, code)
	require.Regexp(t, `(?s)^ID +VERSION +REPLACED +BYTES +DATA\n`+ids[0]+` +1 .* 10 +{"max":20}\n`+ids[1]+` +0 .* 10 +{"max":10}\n`+ids[2]+` +- `, out)
	prints(t, env, `{"max":10}`, "config", "get", "/config/limits", "--revision", ids[1])
	exits(t, env, 1, "config", "get", "/config/limits", "--revision", ids[2])
	exits(t, env, 1, "config", "rollback", "/config/limits", ids[2])

	prints(t, env, "", "config", "rollback", "/config/limits", ids[1])
	prints(t, env, `{"max":10}`, "config", "get", "/config/limits")
	prints(t, env, "", "config", "rollback", "/config/limits")
	prints(t, env, `{"max":40}`, "config", "get", "/config/limits")
	prints(t, env, "", "config", "set", "/config/limits", "forty", "--force")
	prints(t, env, "forty", "config", "get", "/config/limits", "-o", "raw")

	exits(t, env, 64, "config", "set", "/config/limits")
	exits(t, env, 64, "config", "set", "config", "x")
	exits(t, env, 64, "config", "gte", "/config/limits")
	exits(t, env, 64, "config", "set", "/config/limits", "x", "--history", "-1")
	exits(t, env, 69, "config", "get", "/config/limits", "-s", "127.0.0.1:1", "--connect-timeout", "50ms")
}

// An edit is stored only over what was edited, and only if it can be read by whoever could read what was there.
func TestConfigEdit(t *testing.T) {
	s := server(t)
	plain := environment(t, s.ConnectString())
	exits(t, plain, 64, "config", "edit", "/limits")
	prints(t, append(plain, `EDITOR=printf '{"max":1}' >`), "", "config", "edit", "/limits")
	prints(t, append(plain, "EDITOR=sed -i s/1/2/"), "", "config", "edit", "/limits")
	prints(t, plain, `{"max":2}`, "config", "get", "/limits")
	prints(t, append(plain, "EDITOR=true"), "", "config", "edit", "/limits")

	kept := func(c *tool, want string) {
		t.Helper()
		file := regexp.MustCompile(`the text is in (\S+)`).FindStringSubmatch(c.err.String())
		require.NotNil(t, file, c.err.String())
		text, err := os.ReadFile(file[1])
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		require.NoError(t, os.Remove(file[1]))
	}
	broken := start(t, append(plain, "EDITOR=sed -i s/}//"), "", "config", "edit", "/limits")
	require.Equal(t, 64, broken.code())
	kept(broken, `{"max":2`)
	self, err := os.Executable()
	require.NoError(t, err)
	beaten := start(t, append(plain, "EDITOR="+self+` config set /limits '{"max":3}' && sed -i s/2/4/`), "", "config", "edit", "/limits")
	require.Equal(t, 1, beaten.code())
	kept(beaten, `{"max":4}`)
	prints(t, plain, `{"max":3}`, "config", "get", "/limits")
	out, code := runs(t, plain, "config", "history", "/limits", "-o", "raw")
	require.Zero(t, code)
	require.Len(t, strings.Fields(out), 3)
}

func TestConfigWatch(t *testing.T) {
	s := server(t)
	env := environment(t, s.ConnectString())
	people := start(t, env, "", "config", "watch", "/limits", "--count", "2")
	lines := start(t, env, "", "config", "watch", "/limits", "-o", "json")
	lines.says(`{"path":"/limits","exists":false,"version":0}` + "\n")
	require.Eventually(t, func() bool { return strings.Contains(people.err.String(), "there is no document") }, patience, 1e6)
	prints(t, env, "", "config", "set", "/limits", "1")
	people.says("1\n")
	lines.says(`"text":"1"`)
	prints(t, env, "", "set", "/limits", "2\n")
	require.Zero(t, people.code())
	require.Equal(t, "1\n2\n", people.out.String())
	lines.says(`"version":1`)
	prints(t, env, "", "rm", "/limits")
	require.Eventually(t, func() bool { return strings.Count(lines.out.String(), `"exists":false`) == 2 }, patience, 1e6)
	require.NoError(t, lines.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, lines.code())
}
