package recipe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/group"
)

// member is a member, as it is printed.
type member struct {
	ID string `json:"id"`
	output.Data
	Session string    `json:"session"`
	Since   time.Time `json:"since"`

	data []byte
}

func memberOf(m group.Info) member {
	return member{ID: m.ID, Data: output.DataOf(m.Data), Session: fmt.Sprintf("%#x", uint64(m.Session)), Since: m.Since.UTC(), data: m.Data}
}

// members are all of a group.
type members []member

// Table implements [output.Document].
func (ms members) Table() output.Table {
	t := output.Table{Header: []string{"ID", "DATA", "SESSION", "SINCE"}}
	for _, m := range ms {
		t.Rows = append(t.Rows, []string{m.ID, string(m.data), m.Session, m.Since.Format(time.RFC3339)})
	}
	return t
}

// Raw implements [output.Document].
func (ms members) Raw() []byte {
	var out []byte
	for _, m := range ms {
		out = append(append(out, m.ID...), '\n')
	}
	return out
}

func (c *groups) list() *cobra.Command {
	return &cobra.Command{
		Use:   "ls PATH",
		Short: "List the members of a group",
		Long:  "List the members of a group, by id. As raw their ids only.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			opts, err := c.options()
			if err != nil {
				return err
			}
			found, err := group.Members(ctx, cl, args[0], opts...)
			if err != nil {
				return err
			}
			ms := members{}
			for _, m := range found {
				ms = append(ms, memberOf(m))
			}
			return p.Print(ms)
		}),
	}
}

func (c *groups) watch() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:   "watch PATH",
		Short: "Print who joins a group and who leaves it, as it happens",
		Long: `Print who joins a group, who leaves it and whose data changes, one a line, until interrupted: at first those who
are there. Who joins and leaves in a moment may be left out.`,
		Args: cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			opts, err := c.options()
			if err != nil {
				return err
			}
			known := map[string]group.Info{}
			return follow(ctx, c.env, group.Watch(ctx, cl, args[0], opts...), count, func(now []group.Info) (int, error) {
				var all []event
				all, known = changes(known, now)
				for _, e := range all {
					text := e.Event + " " + output.Legible(e.ID)
					if len(e.data) > 0 && e.Event != "left" {
						text += " " + output.Legible(string(e.data))
					}
					if err := p.Line(e, text); err != nil {
						return 0, err
					}
				}
				return len(all), nil
			})
		}),
	}
	cmd.Flags().IntVar(&count, "count", 0, "end after so many lines (default: never)")
	return cmd
}

// event is what happened to a member.
type event struct {
	Event string `json:"event"`
	member
}

// changes tells what has become of those who were known, by the names of their nodes, and who is known now.
func changes(known map[string]group.Info, now []group.Info) ([]event, map[string]group.Info) {
	var out []event
	next := map[string]group.Info{}
	for _, m := range now {
		next[m.Name] = m
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, ok := next[name]; !ok {
			out = append(out, event{"left", memberOf(known[name])})
		}
	}
	for _, m := range now {
		old, ok := known[m.Name]
		switch {
		case !ok:
			out = append(out, event{"joined", memberOf(m)})
		case old.Czxid != m.Czxid:
			out = append(out, event{"rejoined", memberOf(m)})
		case old.Mzxid != m.Mzxid:
			out = append(out, event{"changed", memberOf(m)})
		}
	}
	return out, next
}
