package recipe

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/config"
)

func (c *settings) watch() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:   "watch PATH",
		Short: "Print a document, and again whenever it has changed",
		Long: `Print a document, and again whenever it has changed, until interrupted: as it is, each ended by a line end, and as json one document
of JSON a line, with its version. Versions in between may be left out. That there is no document, or none any more,
is said on standard error, and in JSON a document that does not exist.`,
		Args: cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			opts := append(c.options(), config.WithDefault[[]byte](nil))
			v, err := config.Watch(ctx, cl, args[0], opts...)
			if err != nil {
				return err
			}
			defer v.Close()
			printed := false
			var last int64
			return follow(ctx, c.env, v.Updates(ctx), count, func([]byte) (int, error) {
				data, at := v.Current()
				if printed && at.Zxid == last {
					return 0, nil
				}
				printed, last = true, at.Zxid
				people := p.Format() == "table" || p.Format() == "raw"
				if !at.Exists && people {
					c.env.Say("%s: there is no document", args[0])
					return 0, nil
				}
				text := string(data)
				if n := len(text); n > 0 && text[n-1] == '\n' {
					text = text[:n-1]
				}
				return 1, p.Line(documentOf(args[0], data, at), text)
			})
		}),
	}
	cmd.Flags().IntVar(&count, "count", 0, "end after so many documents (default: never)")
	return cmd
}

// revision is what a document was, as it is printed.
type revision struct {
	ID       string    `json:"id"`
	Exists   bool      `json:"exists"`
	Version  int32     `json:"version"`
	Replaced time.Time `json:"replaced"`
	output.Data

	data []byte
}

// revisions are all in a history, the newest first.
type revisions []revision

// beginning is how much of a document a table shows.
const beginning = 40

// Table implements [output.Document].
func (rs revisions) Table() output.Table {
	t := output.Table{Header: []string{"ID", "VERSION", "REPLACED", "BYTES", "DATA"}}
	for _, r := range rs {
		version, data := strconv.Itoa(int(r.Version)), []rune(string(r.data))
		if !r.Exists {
			version = "-"
		}
		if len(data) > beginning {
			data = append(data[:beginning], '…')
		}
		t.Rows = append(t.Rows, []string{r.ID, version, r.Replaced.Format(time.RFC3339), strconv.Itoa(len(r.data)), string(data)})
	}
	return t
}

// Raw implements [output.Document].
func (rs revisions) Raw() []byte {
	var out []byte
	for _, r := range rs {
		out = append(append(out, r.ID...), '\n')
	}
	return out
}

func (c *settings) history() *cobra.Command {
	return &cobra.Command{
		Use:   "history PATH",
		Short: "List what a document was before, the newest first",
		Long:  "List what a document was before, the newest first, with the beginnings of the data, and as json with all of it. As raw the ids only.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			found, err := c.open(cl, args[0]).History(ctx)
			if err != nil {
				return err
			}
			rs := revisions{}
			for _, r := range found {
				out := revision{ID: r.ID, Exists: r.Version.Exists, Version: r.Version.Number, Replaced: r.Replaced.UTC(), data: r.Data}
				if r.Version.Exists {
					out.Data = output.DataOf(r.Data)
				}
				rs = append(rs, out)
			}
			return p.Print(rs)
		}),
	}
}

// revision returns one in the history.
func (c *settings) revision(ctx context.Context, d *config.Document[[]byte], id string) (config.Revision[[]byte], error) {
	found, err := d.History(ctx)
	if err != nil {
		return config.Revision[[]byte]{}, err
	}
	for _, r := range found {
		if r.ID == id && r.Version.Exists {
			return r, nil
		}
	}
	return config.Revision[[]byte]{}, fmt.Errorf("%s: %w: %s", d.Path(), config.ErrNoRevision, id)
}

func (c *settings) rollback() *cobra.Command {
	return &cobra.Command{
		Use:   "rollback PATH [ID]",
		Short: "Make a document again what it was before",
		Long: `Make a document again what it was: the revision of that id (see zookit config history), or the one that was replaced last. That is
a change like others, and what it replaces goes into the history; so a second rollback without an id undoes the first.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			d := c.open(cl, args[0])
			if len(args) > 1 {
				return d.RollBack(ctx, args[1])
			}
			found, err := d.History(ctx)
			if err != nil {
				return err
			}
			for _, r := range found {
				if r.Version.Exists {
					return d.RollBack(ctx, r.ID)
				}
			}
			return fmt.Errorf("%s: %w: the history is empty", args[0], config.ErrNoRevision)
		}),
	}
}
