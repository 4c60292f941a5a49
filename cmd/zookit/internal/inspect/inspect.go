package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// settings are the flags of the commands that report.
type settings struct{ noHosts bool }

func (o *settings) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noHosts, "no-hosts", false, "do not ask the servers from where sessions are connected (cons)")
}

// connect opens a client, and whom to ask for hosts.
func (o *settings) connect(ctx context.Context, env *app.Env) (*subject, func(), error) {
	cl, done, err := env.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	h := &hosts{say: env.Say}
	if !o.noHosts {
		if h.servers, err = env.Admin(0, patience); err != nil {
			done()
			return nil, nil, err
		}
	}
	return &subject{cl: cl, hosts: h}, done, nil
}

// Inspect returns the command that says what recipe is at a path, who holds and who waits.
func Inspect(env *app.Env) *cobra.Command {
	var (
		o     settings
		as    string
		watch bool
	)
	cmd := &cobra.Command{
		Use:   "inspect PATH",
		Short: "Say which recipe is at a path, who holds, who waits and who is there",
		Long: `Say which recipe is at a path, whose layout it has, who holds it, since when, with which fencing token, from which
session and host, who waits in which order, how much is in a queue and how old that is, and who is in a group. It knows the
nodes of zookit and Curator, and of Kazoo; PATH may also be the node of one who holds or waits. It changes nothing.

A node without children tells little: it may be a barrier, a document or a counter, and a lock that is free. What else it may
be is said, and --as says what it is to be taken for, in the layout of --layout.

With --output json it prints {path, kind, layout, mayBe, summary, holders, waiting, members, limit, value, queue,
document, services}. Each of holders, waiting and members has {path, role, item, identifier, session, host, token, since, until,
permits, revoked, address, disabled}; what does not apply is left out. Names are added to this, never changed.

--watch goes on until it is interrupted: on a terminal it keeps the screen up to date, otherwise it prints anew with each change,
and with --output json one document a line.

Exit status: 1 if there is no such node, except with --watch.`,
		Example: "  zookit inspect /stacks/42\n  zookit inspect /stacks/42 --watch\n  zookit inspect /stacks/42 -o json | jq -r '.holders[].identifier'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := env.Printer()
			if err != nil {
				return err
			}
			if as != "" && !slices.Contains(kinds(), as) {
				return app.Usagef("--as %s: give one of %s", as, strings.Join(kinds(), ", "))
			}
			q, done, err := o.connect(cmd.Context(), env)
			if err != nil {
				return err
			}
			defer done()
			q.as = as
			if q.layout, err = env.Layout(); err != nil {
				return err
			}
			if watch {
				return q.watch(cmd.Context(), env, p, args[0])
			}
			r, err := q.look(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if r.Kind == kindNothing {
				return fmt.Errorf("%s: %w: %s", r.Path, client.ErrNoNode, r.Summary)
			}
			return show(env, p, r)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&as, "as", "", "take the node for this kind of recipe: "+strings.Join(kinds(), ", "))
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and show what changes")
	return cmd
}

// kinds are those that there are reports of.
func kinds() []string {
	var out []string
	for kind := range builders {
		if kind != kindNode {
			out = append(out, kind)
		}
	}
	slices.Sort(out)
	return out
}

// show prints a report: for people its sentence comes first.
func show(env *app.Env, p *output.Printer, r *report) error {
	if p.Format() == "table" {
		if _, err := fmt.Fprintln(env.Out, output.Legible(r.Path+": "+r.Summary)); err != nil {
			return err
		}
	}
	return p.Print(r)
}
