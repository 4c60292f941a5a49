package recipe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
	"github.com/zookit/zookit/config"
	"github.com/zookit/zookit/recipes"
)

// settings is what all commands of settings are told.
type settings struct {
	env  *app.Env
	keep int
	root string
}

// Config returns the commands of settings.
func Config(env *app.Env) *cobra.Command {
	c := settings{env: env}
	cmd := noun(&cobra.Command{
		Use:   "config",
		Short: "Read, change and watch settings, and go back to what they were",
		Long: `Read, change and watch settings. A document is one node with its data. Each change keeps what it replaces in the history, from which it can
be had again; changes by zookit set and other programs do not.`,
	}, c.get(), c.set(), c.edit(), c.watch(), c.history(), c.rollback())
	f := cmd.PersistentFlags()
	f.IntVar(&c.keep, "history", config.DefaultHistory, "how many replaced versions are kept; all who write a document say the same")
	f.StringVar(&c.root, "history-root", config.DefaultHistoryRoot, "below which node they are kept; likewise")
	return cmd
}

func (c *settings) open(cl *client.Client, path string) *config.Document[[]byte] {
	return config.New(cl, path, c.options()...)
}

func (c *settings) options() []config.Option[[]byte] {
	return []config.Option[[]byte]{config.WithCodec(recipes.Raw{}), config.WithHistory[[]byte](c.keep), config.WithHistoryRoot[[]byte](c.root)}
}

// document is a document, as it is printed.
type document struct {
	Path     string     `json:"path"`
	Exists   bool       `json:"exists"`
	Version  int32      `json:"version"`
	Zxid     string     `json:"zxid,omitempty"`
	Modified *time.Time `json:"modified,omitempty"`
	output.Data
	raw []byte
}

func documentOf(path string, data []byte, v config.Version) document {
	d := document{Path: path, Exists: v.Exists, Version: v.Number, raw: data}
	if v.Exists {
		at := v.Modified.UTC()
		d.Modified, d.Zxid, d.Data = &at, fmt.Sprintf("%#x", uint64(v.Zxid)), output.DataOf(data)
	}
	return d
}

// Table implements [output.Document].
func (d document) Table() output.Table {
	return output.Table{Rows: [][]string{
		{"data", string(d.raw)}, {"version", strconv.Itoa(int(d.Version))}, {"modified", d.Modified.Format(time.RFC3339Nano)},
	}}
}

// Raw implements [output.Document].
func (d document) Raw() []byte { return d.raw }

func (c *settings) get() *cobra.Command {
	var (
		long     bool
		revision string
	)
	cmd := &cobra.Command{
		Use:   "get PATH",
		Short: "Print a document",
		Long:  "Print a document as it is; with --revision, one that was replaced. A line end is added only on a terminal.",
		Args:  cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			var d document
			if revision != "" {
				r, err := c.revision(ctx, c.open(cl, args[0]), revision)
				if err != nil {
					return err
				}
				d = documentOf(args[0], r.Data, r.Version)
			} else {
				data, v, err := c.open(cl, args[0]).Get(ctx)
				if err != nil {
					return err
				}
				d = documentOf(args[0], data, v)
			}
			if p.Format() == "raw" || p.Format() == "table" && !long {
				return c.env.Emit(d.raw)
			}
			return p.Print(d)
		}),
	}
	cmd.Flags().BoolVarP(&long, "long", "l", false, "with its version, and since when it is so")
	cmd.Flags().StringVar(&revision, "revision", "", "the id of one in the history")
	return cmd
}

// structured tells whether data is an object or a list of JSON.
func structured(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && (data[0] == '{' || data[0] == '[') && json.Valid(data)
}

// fits refuses what programs that read the document would most likely refuse: JSON that is broken.
func fits(path string, old, next []byte, force bool) error {
	if force || !structured(old) || structured(next) {
		return nil
	}
	why := "it is another thing"
	var read json.RawMessage
	if err := json.Unmarshal(next, &read); err != nil {
		why = err.Error()
	}
	return app.Usagef("%s holds an object or list of JSON, and the new document is none: %s; --force stores it nevertheless", path, why)
}

const forceHelp = "also if the document was an object or list of JSON and would be none any more"

func (c *settings) set() *cobra.Command {
	var (
		in      app.Input
		version int32
		force   bool
	)
	cmd := &cobra.Command{
		Use:   "set PATH [DATA]",
		Short: "Replace a document, which is made if there is none",
		Long: `Replace a document, which is made, with its parents, if there is none. What is replaced goes into the history. A document that is an object
or a list of JSON must stay one, unless --force is given.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			next, err := in.Must(c.env, args[1:])
			if err != nil {
				return err
			}
			d := c.open(cl, args[0])
			for {
				old, v, err := d.Get(ctx)
				if err != nil && !errors.Is(err, config.ErrNoDocument) {
					return err
				}
				if version != client.AnyVersion && (!v.Exists || v.Number != version) {
					return fmt.Errorf("%s: %w: it is %s, and not version %d", args[0], client.ErrBadVersion, v, version)
				}
				if err := fits(args[0], old, next, force); err != nil {
					return err
				}
				err = d.TrySet(ctx, v, next)
				if err == nil || version != client.AnyVersion || !errors.Is(err, client.ErrBadVersion) {
					return err
				}
			}
		}),
	}
	in.Flags(cmd)
	cmd.Flags().Int32Var(&version, "version", client.AnyVersion, "only if it is this version; -1 is any")
	cmd.Flags().BoolVar(&force, "force", false, forceHelp)
	return cmd
}

func (c *settings) edit() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "edit PATH",
		Short: "Edit a document in $VISUAL or $EDITOR",
		Long: `Edit a document in $VISUAL or $EDITOR. It is stored only if nobody else has changed it meanwhile, and if what was an object or a list
of JSON is still one; otherwise the text is kept in a file, whose name is printed. What is replaced goes into the history.`,
		Args: cobra.ExactArgs(1),
		RunE: app.With(c.env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			d := c.open(cl, args[0])
			old, v, err := d.Get(ctx)
			if err != nil && !errors.Is(err, config.ErrNoDocument) {
				return err
			}
			return c.env.Edit(ctx, args[0], old, func(ctx context.Context, next []byte) error {
				if err := fits(args[0], old, next, force); err != nil {
					return err
				}
				return d.TrySet(ctx, v, next)
			})
		}),
	}
	cmd.Flags().BoolVar(&force, "force", false, forceHelp)
	return cmd
}
