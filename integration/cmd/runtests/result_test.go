package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goTest runs go test on a package of its own and returns the account of it.
func goTest(t *testing.T, verbose bool, source string) (*result, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example\n\ngo 1.26\n", "a_test.go": source} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", "-count=1", "-timeout=2s", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var events, shown bytes.Buffer
	cmd.Stdout = &events
	_ = cmd.Run() // tells what the events tell as well
	r := newResult(&shown, verbose)
	require.NoError(t, r.read(&events))
	return r, shown.String()
}

func TestEachResultIsCounted(t *testing.T) {
	r, shown := goTest(t, true, `package example
import ("fmt"; "testing")
func TestGood(t *testing.T) {
	t.Log("ensemble: jvm, ZooKeeper 3.8.0, 127.0.0.1:1")
	t.Run("one", func(t *testing.T) {})
	t.Run("two", func(t *testing.T) {})
}
func TestBad(t *testing.T) {
	fmt.Println("what it printed")
	t.Run("sub", func(t *testing.T) { t.Error("what went wrong") })
	t.Run("good", func(t *testing.T) { t.Log("of no interest") })
}
func TestSkipped(t *testing.T) { t.Skip("for a reason") }
func Example() { fmt.Println("x")
	// Output: x
}
`)
	require.Equal(t, 5, r.passed)
	require.Equal(t, 2, r.failed)
	require.Equal(t, []string{"example TestBad/sub", "example TestBad"}, r.failures)
	require.Equal(t, map[testKey]string{{"example", "TestSkipped"}: "a_test.go:13: for a reason"}, r.skips)
	require.Equal(t, map[server]int{{"jvm", "3.8.0"}: 1}, r.servers)
	require.Contains(t, shown, "--- PASS: TestGood (0.00s)\n")
	require.Contains(t, shown, "--- FAIL: TestBad/sub (0.00s) in example\n    a_test.go:10: what went wrong\n")
	require.Contains(t, shown, "what it printed\n")
	require.Contains(t, shown, "FAIL\texample\t")
	require.NotContains(t, shown, "of no interest")
	require.NotContains(t, shown, "===")
}

func TestPackagesThatPassCloseAsUsual(t *testing.T) {
	r, shown := goTest(t, false, "package example\nimport \"testing\"\nfunc TestGood(t *testing.T) { t.Log(1) }\n")
	require.Equal(t, 1, r.passed)
	require.Zero(t, r.failed)
	require.Regexp(t, `^ok  \texample\t[0-9.]+s\n$`, shown)
	_, shown = goTest(t, false, "package example\n")
	require.Contains(t, shown, "[no tests to run]")
}

// What ends without a result is a failure with everything that is known about it.
func TestNothingIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		says   []string
	}{
		"panic": {
			"package example\nimport \"testing\"\nfunc TestA(t *testing.T) { t.Log(\"before\"); panic(\"ouch\") }\n",
			[]string{"before", "panic: ouch", "TestA"},
		},
		"timeout": {
			"package example\nimport \"testing\"\nfunc TestA(t *testing.T) { t.Log(\"before\"); <-make(chan int) }\n",
			[]string{"before", "test timed out", "TestA"},
		},
		"end of the process": {
			"package example\nimport (\"os\"; \"testing\")\nfunc TestA(t *testing.T) { t.Log(\"before\"); os.Exit(3) }\n",
			[]string{"before", "TestA (no result)"},
		},
		"after the tests": {
			"package example\nimport (\"fmt\"; \"os\"; \"testing\")\nfunc TestMain(m *testing.M) { m.Run(); fmt.Println(\"a leak\"); os.Exit(1) }\n",
			[]string{"a leak", "FAIL\texample"},
		},
		"build": {
			"package example\nfunc TestA(t *testing.T) {}\n",
			[]string{"undefined: testing", "[build failed]"},
		},
		"no Go": {
			"package \n",
			[]string{"expected 'IDENT'", "[setup failed]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, shown := goTest(t, false, test.source)
			require.Equal(t, 1, r.failed)
			require.Len(t, r.failures, 1)
			for _, text := range test.says {
				require.Contains(t, shown, text)
			}
		})
	}
}

func TestGarbageIsAnError(t *testing.T) {
	require.Error(t, newResult(&bytes.Buffer{}, false).read(strings.NewReader("{\"Action\":\"start\"}\nFAIL\n")))
}
