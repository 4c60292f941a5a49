// Package man has the command that prints the manual page. It is made of what the commands say of themselves.
package man

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// Man returns the command that prints the manual page.
func Man(env *app.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long: `Print the manual page of zookit and all its commands, in the form that man reads. To look at it: zookit man | man -l -
To install it: zookit man > /usr/local/share/man/man1/zookit.1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var page bytes.Buffer
			write(&page, cmd.Root())
			_, err := env.Out.Write(page.Bytes())
			return err
		},
	}
}

// write writes the page of a command and all below it.
func write(w io.Writer, root *cobra.Command) {
	section := func(title string) { fmt.Fprintf(w, ".SH %s\n", title) }
	fmt.Fprintln(w, `.TH ZOOKIT 1 "" "zookit" "User Commands"`)
	section("NAME")
	fmt.Fprintf(w, "zookit \\- %s\n", escape(root.Short))
	section("SYNOPSIS")
	fmt.Fprintln(w, ".B zookit\n.RI [ flags ]\n.I command\n.RI [ argument \\&... ]")
	section("DESCRIPTION")
	text(w, root.Short+".\n\nData goes to standard output, and messages to standard error.")
	section("FLAGS OF ALL COMMANDS")
	flags(w, root.PersistentFlags())
	for _, group := range root.Groups() {
		section(strings.ToUpper(strings.TrimSuffix(group.Title, ":")))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.ID {
				command(w, cmd)
			}
		}
	}
	section("OTHER COMMANDS")
	for _, cmd := range root.Commands() {
		if cmd.GroupID == "" {
			command(w, cmd)
		}
	}
	section("EXIT STATUS")
	for _, s := range statuses {
		fmt.Fprintf(w, ".TP\n.B %d\n%s\n", s.code, escape(s.meaning))
	}
}

// command writes what a command says of itself, and then the same of those below it.
func command(w io.Writer, cmd *cobra.Command) {
	if cmd.Hidden {
		return
	}
	if cmd.Runnable() {
		cmd.InitDefaultHelpFlag()
		fmt.Fprintf(w, ".SS %s\n", escape(cmd.CommandPath()+strings.TrimPrefix(cmd.Use, cmd.Name())))
		said := cmd.Long
		if said == "" {
			said = cmd.Short + "."
		}
		text(w, said)
		flags(w, cmd.LocalNonPersistentFlags())
		if cmd.Example != "" {
			fmt.Fprintf(w, ".PP\nFor example:\n.PP\n.RS\n.nf\n%s\n.fi\n.RE\n", escape(dedent(cmd.Example)))
		}
	}
	for _, sub := range cmd.Commands() {
		command(w, sub)
	}
}

func flags(w io.Writer, set *pflag.FlagSet) {
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			name += " " + value
		}
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", escape(name), escape(usage))
	})
}

// text writes paragraphs. Lines that are indented stay as they are.
func text(w io.Writer, s string) {
	fmt.Fprintln(w, ".PP")
	for line := range strings.SplitSeq(s, "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			fmt.Fprintln(w, ".PP")
		case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
			fmt.Fprintf(w, ".br\n%s\n.br\n", escape(strings.ReplaceAll(line, "\t", "    ")))
		default:
			fmt.Fprintln(w, escape(line))
		}
	}
}

// dedent is an example without the spaces that help has before it.
func dedent(example string) string {
	lines := strings.Split(example, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

// escape has text taken for text: a backslash, a hyphen that is one, what is not ASCII, and a line that begins as a request would.
func escape(s string) string {
	var b strings.Builder
	begins := true
	for _, r := range s {
		switch {
		case begins && (r == '.' || r == '\''):
			b.WriteString(`\&` + string(r))
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
		begins = r == '\n'
	}
	return b.String()
}
