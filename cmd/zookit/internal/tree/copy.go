package tree

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// pair is two subtrees, perhaps of two ensembles.
type pair struct {
	servers string // of the second, if it is another one
	acls    bool
	dry     bool
}

func (p *pair) flags(cmd *cobra.Command, writes bool) {
	cmd.Flags().StringVar(&p.servers, "to", "", "ensemble of the second path, if it is another one: host:port,host:port/chroot")
	if writes {
		cmd.Flags().BoolVar(&p.acls, "acls", false, "give nodes that are made the access control lists of the originals")
		cmd.Flags().BoolVarP(&p.dry, "dry-run", "n", false, "only print what would be done")
	}
}

// read reads both subtrees; the second may be missing.
func (p *pair) read(ctx context.Context, env *app.Env, cl *client.Client, args []string) (a, b snapshot, to *client.Client, done func(), err error) {
	to, done = cl, func() {}
	if p.servers != "" {
		if to, done, err = env.ConnectTo(ctx, p.servers); err != nil {
			return nil, nil, nil, nil, err
		}
	}
	if a, err = take(ctx, env, cl, args[0], p.acls); err == nil {
		b, err = take(ctx, env, to, args[1], false)
		if errors.Is(err, client.ErrNoNode) {
			b, err = snapshot{}, nil
		}
	}
	if err != nil {
		done()
		return nil, nil, nil, nil, err
	}
	return a, b, to, done, nil
}

// Copy returns the command that copies a subtree.
func Copy(env *app.Env) *cobra.Command {
	return copying(env, false, &cobra.Command{
		Use:   "cp FROM TO",
		Short: "Copy a node and what is below it",
		Long: `Copy a node and what is below it, without ephemeral nodes. What is at the target already is overwritten, and what else is there
stays. --to names another ensemble.`,
	})
}

// Mirror returns the command that makes one subtree like another.
func Mirror(env *app.Env) *cobra.Command {
	return copying(env, true, &cobra.Command{
		Use:   "mirror FROM TO",
		Short: "Make a node and what is below it like another one",
		Long: `Make a node and what is below it like another one, once: cp, and what is at the target and not at the source is deleted.
Ephemeral nodes are left out on both sides. --to names another ensemble. Look first with --dry-run.`,
	})
}

func copying(env *app.Env, deletes bool, cmd *cobra.Command) *cobra.Command {
	var p pair
	cmd.Args = cobra.ExactArgs(2)
	cmd.RunE = with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
		a, b, to, done, err := p.read(ctx, env, cl, args)
		if err != nil {
			return err
		}
		defer done()
		var todo []change
		for _, c := range changes(b, a) {
			if c.what != "delete" || deletes {
				todo = append(todo, c)
			}
		}
		if deletes && args[1] == "/" && len(todo) > 0 && todo[len(todo)-1].what == "delete" && !p.dry {
			return app.Usagef("mirror to / would delete what else there is in the whole ensemble: name nodes below it")
		}
		if p.dry {
			for _, c := range todo {
				fmt.Fprintln(env.Out, c.what, output.Legible(above(args[1], c.path)))
			}
			return nil
		}
		if err := makeParents(ctx, to, args[1]); err != nil {
			return err
		}
		return apply(ctx, env, to, args[1], a, todo)
	})
	p.flags(cmd, true)
	return cmd
}

// Diff returns the command that compares two subtrees.
func Diff(env *app.Env) *cobra.Command {
	var p pair
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two nodes and what is below them",
		Long: `Compare two nodes and what is below them, without ephemeral nodes: "<" is what only the first has, ">" what only the second
has, "!" what has other data. Exit status 1 if there is a difference.`,
		Args: cobra.ExactArgs(2),
		RunE: with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			a, b, _, done, err := p.read(ctx, env, cl, args)
			if err != nil {
				return err
			}
			defer done()
			all := changes(a, b)
			for _, c := range all {
				sign := map[string]string{"create": ">", "set": "!", "delete": "<"}[c.what]
				fmt.Fprintln(env.Out, sign, output.Legible(above("/", c.path)))
			}
			if len(all) > 0 {
				return &app.Exit{Code: app.ExitFailed}
			}
			return nil
		}),
	}
	p.flags(cmd, false)
	return cmd
}
