package app

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// With is what a command does that needs a client and prints something.
func With(env *Env, f func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		p, err := env.Printer()
		if err != nil {
			return err
		}
		cl, done, err := env.Connect(cmd.Context())
		if err != nil {
			return err
		}
		defer done()
		return f(cmd.Context(), cl, p, args)
	}
}
