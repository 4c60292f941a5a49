package man

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// Text stays text, whatever it begins with.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		".TH at the beginning": `\&.TH at the beginning`,
		"a\n'quoted'\n.x":      "a\n\\&'quoted'\n\\&.x",
		`a \n --flag`:          `a \en \-\-flag`,
		"path,…":               `path,\[u2026]`,
		"in the. middle '":     "in the. middle '",
	} {
		require.Equal(t, want, escape(in))
	}
}

func TestCommand(t *testing.T) {
	root := &cobra.Command{Use: "zookit", Short: "A tool"}
	root.AddGroup(&cobra.Group{ID: "one", Title: "One group:"})
	ran := func(*cobra.Command, []string) {}
	root.AddCommand(
		&cobra.Command{Use: "get PATH", GroupID: "one", Short: "Get it", Example: "  zookit get /a\n  zookit get /b", Run: ran},
		&cobra.Command{Use: "odd", Long: "Odd.\n\n  indented", Run: ran},
		&cobra.Command{Use: "secret", Hidden: true, Run: ran},
	)
	var page strings.Builder
	write(&page, root)
	require.Contains(t, page.String(), ".SH ONE GROUP\n.SS zookit get PATH\n.PP\nGet it.\n.PP\nFor example:\n.PP\n.RS\n.nf\nzookit get /a\nzookit get /b\n.fi\n.RE\n.SH OTHER COMMANDS\n.SS zookit odd\n.PP\nOdd.\n.PP\n.br\n  indented\n.br\n.SH EXIT STATUS\n.TP\n.B 0\n")
	require.NotContains(t, page.String(), "secret")
}
