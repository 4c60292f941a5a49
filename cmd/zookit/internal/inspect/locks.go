package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// errTooMany says that a walk has come to its bound.
var errTooMany = errors.New("too many nodes")

// reports are those of a whole subtree.
type reports []*report

// Table implements [output.Document].
func (r reports) Table() output.Table {
	t := output.Table{Header: []string{"PATH", "KIND", "LAYOUT", "HELD BY", "SINCE", "WAIT", "MEMBERS"}}
	for _, one := range r {
		by, since := "-", "-"
		if len(one.Holders) > 0 {
			h := one.Holders[0]
			if by = h.Identifier; by == "" {
				by = dash(h.Session)
			}
			if by, since = shorten(by), h.Since.Format(time.RFC3339); len(one.Holders) > 1 {
				by += fmt.Sprintf(" and %d more", len(one.Holders)-1)
			}
		}
		t.Rows = append(t.Rows, []string{one.Path, one.Kind, dash(one.Layout), by, since, fmt.Sprint(len(one.Waiting)), fmt.Sprint(len(one.Members))})
	}
	return t
}

// Raw implements [output.Document].
func (r reports) Raw() []byte {
	var out []byte
	for _, one := range r {
		out = fmt.Appendf(out, "%s\t%s\t%d\t%d\n", one.Path, one.Kind, len(one.Holders), len(one.Waiting))
	}
	return out
}

// Locks returns the command that lists the recipes of a subtree.
func Locks(env *app.Env) *cobra.Command {
	var (
		o     settings
		only  []string
		busy  bool
		bound int
	)
	cmd := &cobra.Command{
		Use:   "locks [ROOT]",
		Short: "List the locks and other recipes below a path, and who holds them",
		Long: `List the locks, elections, semaphores, queues, groups and other recipes at ROOT (default /) and below it, and who holds them:
what zookit inspect says of each. What has no children is not listed, since it may be anything: barriers, documents,
counters, and locks that are free.

It looks at each node once, and at most at --most of them: then it prints what it has found, and fails. Below a recipe it does not
look, nor below /zookeeper and /zookit.`,
		Example: "  zookit locks\n  zookit locks /stacks --busy\n  zookit locks --kind mutex,rwlock -o json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := env.Printer()
			if err != nil {
				return err
			}
			for _, kind := range only {
				if !slices.Contains(kinds(), kind) {
					return app.Usagef("--kind %s: give some of %s", kind, strings.Join(kinds(), ", "))
				}
			}
			if bound < 1 {
				return app.Usagef("--most %d: at least 1", bound)
			}
			root := "/"
			if len(args) > 0 {
				root = args[0]
			}
			ctx := cmd.Context()
			q, done, err := o.connect(ctx, env)
			if err != nil {
				return err
			}
			defer done()
			h := q.hosts
			q.hosts = &hosts{} // they are asked once for all
			progress := env.Progress("looked at", 0)
			all := reports{}
			denied, err := q.walk(ctx, root, bound, progress.Add, func(s *sight, f finding) error {
				if len(only) > 0 && !slices.Contains(only, f.kind) {
					return nil
				}
				r, err := q.report(ctx, s, f)
				if err == nil && (!busy || len(r.Holders)+len(r.Waiting) > 0) {
					all = append(all, r)
				}
				return err
			})
			progress.Done()
			if err != nil && !errors.Is(err, errTooMany) {
				return err
			}
			if denied > 0 {
				env.Say("%s and what is below may not be read, and not shown", counted(denied, "node"))
			}
			h.tell(ctx, all...)
			slices.SortFunc(all, func(a, b *report) int { return strings.Compare(a.Path, b.Path) })
			if err := p.Print(all); err != nil {
				return err
			}
			return err // there may be more
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&only, "kind", nil, "only these kinds: "+strings.Join(kinds(), ", "))
	f.BoolVar(&busy, "busy", false, "only those that somebody holds or waits for")
	f.IntVar(&bound, "most", 100000, "look at so many nodes at most")
	return cmd
}
