package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"-rounds -1":        "give 0 to 1000",
		"-servers 9":        "give 0 to 5",
		"-report":           "needs -out",
		"-work (":           "-work: ",
		"-peer (":           "-peer: ",
		"surplus":           `unexpected argument "surplus"`,
		"-work nothing-has": "nothing to measure",
		"-peer nobody-has":  "nothing to measure",
	} {
		require.ErrorContains(t, bench(t.Context(), strings.Fields(args), io.Discard, io.Discard), says, "%s", args)
	}
}

// From the flags to the files, on the test server: a second run leaves in them what it has not measured again.
func TestBench(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	var out strings.Builder
	args := []string{"-servers", "0", "-rounds", "1", "-peer", "^zookit$|^go-zookeeper$", "-out", dir}
	require.NoError(t, bench(t.Context(), append(args, "-work", "lock.uncontended|lock.drain/10$"), &out, io.Discard))
	require.Contains(t, out.String(), "lock + unlock, uncontended")
	require.NoError(t, bench(t.Context(), append(args, "-work", "^get/1$"), io.Discard, io.Discard))
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	require.NoError(t, err)
	for _, row := range []string{"| lock.uncontended | zookit |", "| lock.uncontended | go-zookeeper |", "| lock.drain/10 | zookit |", "| get/1 | zookit |"} {
		require.Contains(t, string(text), row)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "growth.svg"))
	require.NoError(t, err)
	require.Contains(t, string(svg), "<polyline")

	var again strings.Builder
	require.NoError(t, bench(t.Context(), []string{"-report", "-out", dir}, &again, io.Discard))
	require.Contains(t, again.String(), "get/1")
}
