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
// a * is anything. One that fails has "|| echo $?" behind it.
func TestDocuments(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	console := regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	// Commands that zookit runs find it, too.
	bin := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "zookit")))
	count := 0
	for _, path := range append(documents, "../../README.md") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, block := range console.FindAllStringSubmatch(string(text), -1) {
			s := server(t)
			env := environment(t, s.ConnectString(), "PATH="+bin+":"+os.Getenv("PATH"))
			for part := range strings.SplitSeq("\n"+block[1], "\n$ ") {
				if strings.TrimSpace(part) == "" {
					continue
				}
				count++
				command, want, _ := strings.Cut(part, "\n")
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
