package tree

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// made is what a create has made.
type made struct {
	Path string `json:"path"`
}

// Table implements [output.Document].
func (m made) Table() output.Table { return output.Table{Rows: [][]string{{m.Path}}} }

// Raw implements [output.Document].
func (m made) Raw() []byte { return []byte(m.Path + "\n") }

// Create returns the command that makes a node.
func Create(env *app.Env) *cobra.Command {
	var (
		in                                        app.Input
		ephemeral, sequential, container, parents bool
		ttl                                       time.Duration
		acl                                       string
	)
	cmd := &cobra.Command{
		Use:   "create PATH [DATA]",
		Short: "Make a node, and print its path",
		Long: `Make a node, and print its path. An ephemeral one goes with the session, and so with this command: it waits until it is
interrupted, except in zookit shell.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			data, _, err := in.Read(env, args[1:])
			if err != nil {
				return err
			}
			mode, err := modeOf(ephemeral, sequential, container, ttl)
			if err != nil {
				return err
			}
			opts := []client.CreateOption{client.WithMode(mode)}
			if ttl > 0 {
				opts = append(opts, client.WithTTL(ttl))
			}
			if acl != "" {
				acls, err := parseACL(acl)
				if err != nil {
					return err
				}
				opts = append(opts, client.WithACL(acls...))
			}
			if parents {
				opts = append(opts, client.WithParents())
			}
			created, err := cl.Create(ctx, args[0], data, opts...)
			if err != nil {
				return err
			}
			if err := p.Print(made{Path: created.Path}); err != nil || !ephemeral || env.Shared() {
				return err
			}
			s, err := cl.Session(ctx)
			if err != nil {
				return err
			}
			env.Say("%s stays until this command is interrupted", created.Path)
			select {
			case <-ctx.Done():
				return nil
			case <-s.Context().Done():
				return &app.Exit{Code: app.ExitLost, Err: fmt.Errorf("%s: %w", created.Path, context.Cause(s.Context()))}
			}
		}),
	}
	in.Flags(cmd)
	f := cmd.Flags()
	f.BoolVarP(&ephemeral, "ephemeral", "e", false, "goes with the session")
	f.BoolVar(&sequential, "sequential", false, "a number is added to the name")
	f.BoolVarP(&container, "container", "c", false, "goes when its last child has gone")
	f.DurationVarP(&ttl, "ttl", "t", 0, "goes when it has not changed for so long and has no children")
	f.BoolVarP(&parents, "parents", "p", false, "make missing parents")
	f.StringVar(&acl, "acl", "", "access control list, as zookit acl --set takes it (default: anyone may do everything)")
	return cmd
}

func modeOf(ephemeral, sequential, container bool, ttl time.Duration) (client.Mode, error) {
	switch {
	case container && (ephemeral || sequential || ttl > 0), ttl > 0 && ephemeral, ttl < 0:
		return 0, app.Usagef("there is no such node: --ephemeral, --container and --ttl exclude each other, and a container is not sequential")
	case container:
		return client.Container, nil
	case ttl > 0 && sequential:
		return client.PersistentSequentialTTL, nil
	case ttl > 0:
		return client.PersistentTTL, nil
	case ephemeral && sequential:
		return client.EphemeralSequential, nil
	case ephemeral:
		return client.Ephemeral, nil
	case sequential:
		return client.PersistentSequential, nil
	}
	return client.Persistent, nil
}
