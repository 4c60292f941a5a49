package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the documents show of the tool is so: each console block is run against a server, and prints what stands there, where
// a * is anything. One that fails has "|| echo $?" behind it. The server is the document's own where that starts one, by "zookit dev &".
func TestDocuments(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	console := regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	count := 0
	for _, path := range append(documents, "../../README.md") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, block := range console.FindAllStringSubmatch(string(text), -1) {
			s := server(t)
			env := append(environment(t, s.ConnectString()), onPath(t))
			for part := range strings.SplitSeq("\n"+block[1], "\n$ ") {
				if strings.TrimSpace(part) == "" {
					continue
				}
				count++
				command, want, _ := strings.Cut(part, "\n")
				if command == "zookit dev &" {
					dev := start(t, environment(t, ""), "", "dev", "--listen", "127.0.0.1:0") // the default may be in use
					dev.says("\n")
					env = append(environment(t, strings.TrimSpace(dev.out.String())), onPath(t))
					require.Equal(t, "127.0.0.1:2181", strings.TrimSpace(want), path)
					continue
				}
				args, ok := strings.CutPrefix(command, "zookit ")
				require.True(t, ok, "%s: %s", path, command)
				args, fails := strings.CutSuffix(args, " || echo $?")
				out, code := runs(t, env, words(t, args)...)
				require.Equal(t, fails, code != 0, "%s: %s: exit status %d", path, command, code)
				if fails {
					out += strconv.Itoa(code) + "\n"
				}
				pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), `\*`, ".*") + "$"
				require.Regexp(t, pattern, strings.TrimSpace(out), "%s: %s", path, command)
			}
		}
	}
	require.Positive(t, count)
}

// onPath is a PATH on which the tool is found by its name, by the commands that it runs.
func onPath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "zookit")))
	return "PATH=" + dir + string(filepath.ListSeparator) + os.Getenv("PATH")
}

// words takes a command line apart, with single quotes, as a shell does.
func words(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}
