package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/complete"
)

// The manual page has every command, every flag and every exit status.
func TestManualPage(t *testing.T) {
	page, code := runs(t, environment(t, ""), "man")
	require.Zero(t, code)
	for line := range strings.Lines(page) {
		require.NotContains(t, line, "\x00")
		if strings.HasPrefix(line, ".") {
			require.Regexp(t, `^\.(TH|SH|SS|PP|TP|B|BI|RI|I|RS|RE|nf|fi|br)\b`, line, "no other requests")
		}
	}
	plain := strings.ReplaceAll(page, `\-`, "-")
	complete.Each(whole(app.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv)), func(cmd *cobra.Command) {
		if cmd.Runnable() && !cmd.Hidden && cmd.HasParent() {
			require.Contains(t, plain, "\n.SS "+cmd.CommandPath(), "the command")
		}
	})
	for _, flag := range []string{"-s, --servers string", "--tls-ca", "-n, --dry-run", "--admin-port", "-k, --keep-going"} {
		require.Contains(t, plain, "\n.B "+flag)
	}

	file, err := parser.ParseFile(token.NewFileSet(), "internal/app/exit.go", nil, 0)
	require.NoError(t, err)
	statuses := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Exit") {
			return true
		}
		value, ok := spec.Values[0].(*ast.BasicLit)
		require.True(t, ok)
		require.Contains(t, page, "\n.TP\n.B "+value.Value+"\n", "%s: add it to internal/man/statuses.go", spec.Names[0].Name)
		statuses++
		return true
	})
	require.GreaterOrEqual(t, statuses, 6)

	// What man itself thinks of it, where it is installed.
	if groff, err := exec.LookPath("groff"); err == nil {
		cmd := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-z")
		cmd.Stdin = strings.NewReader(page)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err)
		require.Empty(t, string(out))
	}
}
