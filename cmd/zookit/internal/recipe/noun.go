package recipe

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// noun is a command that only has others below it: alone it shows them.
func noun(cmd *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs // which are verbs that there are not
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := fmt.Sprintf("zookit %s lists them", cmd.Name())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return app.Usagef("there is no command %q of %s; %s", args[0], cmd.CommandPath(), hint)
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(verbs...)
	return cmd
}

// choice is one of several names, by the flag that gives it.
func choice[T any](flag, name string, of map[string]T, list string) (T, error) {
	v, ok := of[name]
	if !ok {
		return v, app.Usagef("--%s %s: give %s", flag, name, list)
	}
	return v, nil
}
