package zookit_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// snippet is a fenced block of a document.
type snippet struct {
	where    string // file:line
	language string
	text     string
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// snippets returns the fenced blocks of all documents.
func snippets(t *testing.T) []snippet {
	t.Helper()
	var all []snippet
	for _, path := range files(t, ".md") {
		text := read(t, path)
		require.Zero(t, strings.Count("\n"+text, "\n```")%2, "%s: a fence is not closed", path)
		for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
			line := 1 + strings.Count(text[:at[0]], "\n")
			all = append(all, snippet{
				where:    path + ":" + strconv.Itoa(line),
				language: text[at[2]:at[3]],
				text:     text[at[4]:at[5]],
			})
		}
	}
	return all
}

// files returns the project's files with that ending.
func files(t *testing.T, ending string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "out" || path == ".git"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ending):
			all = append(all, path)
		}
		return nil
	}))
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// Every piece of Go in the documents is a whole file, and compiles against this
// module as a user would import it.
func TestGoInDocumentsCompiles(t *testing.T) {
	dir := t.TempDir()
	root, err := filepath.Abs(".")
	require.NoError(t, err)
	own := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(read(t, "go.mod"), "module snippets")
	write(t, filepath.Join(dir, "go.mod"), own+"\nrequire github.com/zookit/zookit v0.0.0\nreplace github.com/zookit/zookit => "+root+"\n")
	write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum"))
	count := 0
	for _, s := range snippets(t) {
		if s.language != "go" {
			continue
		}
		require.True(t, strings.HasPrefix(s.text, "package "), "%s: Go in a document is a whole file, beginning with its package", s.where)
		count++
		// The name shows in the compiler's messages.
		name := strings.NewReplacer("/", "_", ":", "_", ".", "_").Replace(s.where)
		write(t, filepath.Join(dir, name, "snippet.go"), s.text)
	}
	require.Positive(t, count)
	vet := exec.CommandContext(t.Context(), "go", "vet", "./...")
	vet.Dir = dir
	vet.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
	out, err := vet.CombinedOutput()
	require.NoError(t, err, "%s", out)
	format := exec.CommandContext(t.Context(), "gofmt", "-l", dir)
	out, err = format.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out), "not formatted with gofmt")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// Every command in the documents is one that .ci/run executes.
func TestCommandsInDocumentsAreExecuted(t *testing.T) {
	var executed []string
	for line := range strings.Lines(read(t, ".ci/run")) {
		command, ok := strings.CutPrefix(line, "step ")
		if !ok {
			command, ok = strings.CutPrefix(line, "beside ")
		}
		if ok {
			// With all its arguments, and without them.
			words := strings.Fields(command)
			executed = append(executed, strings.Join(words[:2], " "), strings.Join(words, " "))
		}
	}
	require.Contains(t, executed, "make test")
	count := 0
	for _, s := range snippets(t) {
		if s.language != "sh" {
			continue
		}
		for line := range strings.Lines(s.text) {
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimSpace(command); command == "" {
				continue
			}
			count++
			require.Contains(t, executed, command, "%s: %q is not executed by .ci/run", s.where, command)
		}
	}
	require.Positive(t, count)
}

// The Makefile has no target that is no script, and help knows all of them.
func TestTargetsAreScripts(t *testing.T) {
	makefile := read(t, "Makefile")
	phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(makefile)
	require.NotNil(t, phony)
	for target := range strings.FieldsSeq(phony[1]) {
		require.Regexp(t, `(?m)^`+target+`: ## \S`, makefile)
		if target == "help" {
			continue
		}
		info, err := os.Stat(filepath.Join("scripts", target))
		require.NoError(t, err)
		require.NotZero(t, info.Mode()&0o111, "scripts/%s is not executable", target)
	}
}

// Every module is in the workspace and is tested by scripts/test.
func TestModulesAreTested(t *testing.T) {
	tested := read(t, "integration/cmd/runtests/runner.go")
	work := strings.Fields(read(t, "go.work"))
	modules := files(t, "go.mod")
	require.Greater(t, len(modules), 3)
	for _, path := range modules {
		dir := filepath.ToSlash(filepath.Dir(path))
		require.Contains(t, tested, strconv.Quote(dir), "%s: not tested by scripts/test", path)
		if dir != "." {
			dir = "./" + dir
		}
		require.Contains(t, work, dir, "%s: not in go.work", path)
	}
}

// The README names every variable that the tests read, and no other.
func TestVariablesAreDocumented(t *testing.T) {
	name := regexp.MustCompile(`ZOOKIT_(TEST|CONFORMANCE)_[A-Z]+`)
	var used []string
	for _, path := range files(t, ".go") {
		used = append(used, name.FindAllString(read(t, path), -1)...)
	}
	documented := name.FindAllString(read(t, "README.md"), -1)
	for _, list := range []*[]string{&used, &documented} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	require.Equal(t, used, documented)
}

// Links between the documents lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	for _, path := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(read(t, path), -1) {
			if m[1] == "" || strings.Contains(m[1], "://") {
				continue
			}
			target := filepath.Join(filepath.Dir(path), m[1])
			_, err := os.Stat(target)
			require.NoError(t, err, "%s: link to %s", path, m[1])
			if m[2] != "" {
				require.Contains(t, anchors(read(t, target)), m[2], "%s: link to %s%s", path, m[1], m[2])
			}
		}
	}
}

// anchors are the headings of a document in the form in which links name them.
func anchors(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, "#"+strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
