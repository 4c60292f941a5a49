package tree

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// Remove returns the command that deletes nodes.
func Remove(env *app.Env) *cobra.Command {
	var (
		recursive, dry bool
		version        int32
	)
	cmd := &cobra.Command{
		Use:   "rm PATH...",
		Short: "Delete nodes",
		Long: `Delete nodes; with --recursive all that is below them, too, deepest first. That is not one step: if it fails part of them
may be gone. With --dry-run what would be deleted is printed, and nothing is.`,
		Args: cobra.MinimumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			if recursive && version != client.AnyVersion {
				return app.Usagef("--version does not go with --recursive")
			}
			for _, path := range args {
				if err := remove(ctx, env, cl, path, version, recursive, dry); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	f := cmd.Flags()
	f.BoolVarP(&recursive, "recursive", "r", false, "all that is below, too")
	f.BoolVarP(&dry, "dry-run", "n", false, "only print what would be deleted")
	f.Int32Var(&version, "version", client.AnyVersion, "only if the node has this version; -1 is any")
	return cmd
}

func remove(ctx context.Context, env *app.Env, cl *client.Client, path string, version int32, recursive, dry bool) error {
	switch {
	case path == "/" && recursive && !dry:
		return app.Usagef("rm -r / would delete everything: name the nodes below it")
	case !recursive && !dry:
		return cl.Delete(ctx, path, version)
	}
	var paths []string
	err := walk(ctx, cl, path, false, func(n *node) error {
		paths = append(paths, n.path)
		if !recursive && n.stat.NumChildren > 0 {
			return fmt.Errorf("%s: %w: --recursive deletes them, too", n.path, client.ErrNotEmpty)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if dry {
		for _, path := range slices.Backward(paths) {
			fmt.Fprintln(env.Out, output.Legible(path))
		}
		return nil
	}
	progress := env.Progress("deleted", len(paths))
	defer progress.Done()
	for len(paths) > 0 {
		n := min(len(paths), 500)
		b := cl.Idempotent().Batch()
		for i := len(paths) - 1; i >= len(paths)-n; i-- {
			b.Delete(paths[i], client.AnyVersion)
		}
		if _, err := b.Do(ctx); err != nil {
			break // somebody has been quicker, or has added to it
		}
		progress.Add(n)
		paths = paths[:len(paths)-n]
	}
	return cl.DeleteAll(ctx, path)
}
