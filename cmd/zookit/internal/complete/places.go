package complete

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// names are the words in which commands say that an argument is the path of a node.
var names = []string{"PATH", "FROM", "TO", "A", "B", "ROOT", "PREFIX"}

// Place is one argument of a command.
type Place struct {
	// Path tells that it is the path of a node.
	Path bool
	// Prefix tells that it is the beginning of paths, in which a slash at the end means something.
	Prefix bool
	// Optional tells that it may be missing.
	Optional bool
	// Rest tells that all further arguments are like it.
	Rest bool
}

// Places are the arguments of a command before "--", in their order, as its line of use has them.
func Places(cmd *cobra.Command) []Place {
	var out []Place
	for _, word := range strings.Fields(cmd.Use)[1:] {
		name := strings.TrimSuffix(strings.Trim(word, "[]"), "...")
		switch {
		case name == "" || strings.ContainsAny(name, "(-|"):
			return out // what follows are flags, or alternatives of them
		default:
			out = append(out, Place{
				Path:     slices.Contains(names, name),
				Prefix:   name == "PREFIX",
				Optional: strings.HasPrefix(word, "["),
				Rest:     strings.HasSuffix(strings.Trim(word, "[]"), "..."),
			})
		}
	}
	return out
}

// At is the place of argument i, and whether the command has one.
func At(places []Place, i int) (Place, bool) {
	if last := len(places) - 1; last >= 0 && i > last && places[last].Rest {
		i = last
	}
	if i >= len(places) {
		return Place{}, false
	}
	return places[i], true
}

// Takes tells whether a command takes the path of a node.
func Takes(cmd *cobra.Command) bool {
	return cmd.Runnable() && slices.ContainsFunc(Places(cmd), func(p Place) bool { return p.Path })
}

// Each visits a command and all below it.
func Each(cmd *cobra.Command, visit func(cmd *cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		Each(sub, visit)
	}
}

// Rewrite has a command called with other arguments than it was given: those that rewrite makes of them, after their
// number has been checked.
func Rewrite(cmd *cobra.Command, rewrite func(places []Place, args []string) []string) {
	run := cmd.RunE
	if run == nil || !Takes(cmd) {
		return
	}
	places := Places(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return run(cmd, rewrite(places, args))
	}
}

// Trim takes the slash away that completion leaves at the end of a path.
func Trim(places []Place, args []string) []string {
	out := slices.Clone(args)
	for i, arg := range args {
		if p, ok := At(places, i); ok && p.Path && !p.Prefix && len(arg) > 1 {
			out[i] = strings.TrimSuffix(arg, "/")
		}
	}
	return out
}
