package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHistoryKeepsNoSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "zookit", "history")
	h, err := openHistory(path)
	require.NoError(t, err)
	for _, line := range []string{
		"ls /", "ls /", "", "   ", " get /hidden", "addauth digest me:secret", "AddAuth digest me:secret", "adauth x secret",
		"setAcl /a digest:me:secret:cdrwa", "setAcl /a auth:me:secret:cdrwa", "create /a x sasl:me:r", "set /password secret", "get /a", "ls /",
	} {
		h.Add(line)
	}
	require.Equal(t, []string{"ls /", "get /a", "ls /"}, h.lines)
	require.Equal(t, 3, h.Len())
	require.Equal(t, "ls /", h.At(0))
	require.Equal(t, "get /a", h.At(1))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "ls /\nget /a\nls /\n", string(content))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	info, err = os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// A file that has grown is cut to its newest lines, and stays its owner's.
func TestHistoryIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var all strings.Builder
	for i := range 2*most + 5 {
		fmt.Fprintf(&all, "get /%d\n", i)
	}
	require.NoError(t, os.WriteFile(path, []byte(all.String()), 0o600))
	h, err := openHistory(path)
	require.NoError(t, err)
	require.Equal(t, most, h.Len())
	require.Equal(t, fmt.Sprintf("get /%d", 2*most+4), h.At(0))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, most, strings.Count(string(content), "\n"))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestHistoryPath(t *testing.T) {
	with := func(variables map[string]string) string {
		return historyPath(func(name string) string { return variables[name] })
	}
	require.Equal(t, "/state/zookit/history", with(map[string]string{"XDG_STATE_HOME": "/state", "HOME": "/home/me"}))
	require.Equal(t, "/home/me/.local/state/zookit/history", with(map[string]string{"HOME": "/home/me"}))
	require.Empty(t, with(nil))
	h, err := openHistory("")
	require.NoError(t, err)
	h.Add("ls /")
	require.Equal(t, 1, h.Len())
}
