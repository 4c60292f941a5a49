package tree

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// document is the file that export writes and import reads.
type document struct {
	Zookit int        `yaml:"zookit"` // the form's version
	Root   string     `yaml:"root"`   // where it was; for people
	Nodes  []exported `yaml:"nodes"`
}

// exported is a node in it.
type exported struct {
	Path  string   `yaml:"path"` // relative to the root, which is /
	Text  string   `yaml:"text,omitempty"`
	Bytes string   `yaml:"bytes,omitempty"` // what is no text, in base64
	ACL   []string `yaml:"acl,omitempty"`   // scheme:id:permissions
}

const documentVersion = 1

func documentOf(root string, s snapshot) document {
	d := document{Zookit: documentVersion, Root: root}
	for _, path := range s.paths() {
		n := exported{Path: above("/", path)}
		if data := s[path].data; utf8.Valid(data) {
			n.Text = string(data)
		} else {
			n.Bytes = base64.StdEncoding.EncodeToString(data)
		}
		for _, e := range entriesOf(s[path].acl) {
			n.ACL = append(n.ACL, e.Scheme+":"+e.ID+":"+e.Perms)
		}
		d.Nodes = append(d.Nodes, n)
	}
	return d
}

// snapshot is the tree that a document describes.
func (d *document) snapshot() (snapshot, error) {
	if d.Zookit != documentVersion {
		return nil, app.Usagef("import: the document is of version %d, and this is for version %d: has zookit export written it?", d.Zookit, documentVersion)
	}
	out := snapshot{}
	for i, n := range d.Nodes {
		fail := func(err error) error { return app.Usagef("import: node %d, %q: %w", i+1, n.Path, err) }
		if err := client.CheckPath(n.Path); err != nil {
			return nil, fail(err)
		}
		one := saved{data: []byte(n.Text)}
		if n.Bytes != "" {
			if n.Text != "" {
				return nil, fail(errors.New("it has both text and bytes"))
			}
			var err error
			if one.data, err = base64.StdEncoding.DecodeString(n.Bytes); err != nil {
				return nil, fail(err)
			}
		}
		for _, entry := range n.ACL {
			acl, err := parseACL(entry)
			if err != nil {
				return nil, fail(err)
			}
			one.acl = append(one.acl, acl...)
		}
		path := below("/", n.Path)
		if _, twice := out[path]; twice {
			return nil, fail(errors.New("it is there twice"))
		}
		out[path] = one
	}
	return out, nil
}

// Export returns the command that writes a subtree as a document.
func Export(env *app.Env) *cobra.Command {
	var acls bool
	cmd := &cobra.Command{
		Use:   "export [PATH]",
		Short: "Write a node and what is below it as a readable document",
		Long:  "Write a node and what is below it as a YAML document to standard output, without ephemeral nodes. zookit import reads it.",
		Args:  cobra.MaximumNArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			root := rootOf(args)
			s, err := take(ctx, env, cl, root, acls)
			if err != nil {
				return err
			}
			e := yaml.NewEncoder(env.Out)
			e.SetIndent(2)
			return errors.Join(e.Encode(documentOf(root, s)), e.Close())
		}),
	}
	cmd.Flags().BoolVar(&acls, "acls", false, "with access control lists")
	return cmd
}

// Import returns the command that makes what a document says.
func Import(env *app.Env) *cobra.Command {
	var (
		file    string
		replace bool
		dry     bool
	)
	cmd := &cobra.Command{
		Use:   "import PATH",
		Short: "Make nodes of a document that export has written",
		Long: `Make the nodes of a document that zookit export has written, at and below PATH. Nodes that are there already stay as they are, and are
named on standard error; with --replace they get the document's data. Nothing is deleted.`,
		Args: cobra.ExactArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
			content, err := readDocument(env, file)
			if err != nil {
				return err
			}
			there, err := take(ctx, env, cl, args[0], false)
			if errors.Is(err, client.ErrNoNode) {
				there, err = snapshot{}, nil
			}
			if err != nil {
				return err
			}
			var todo []change
			for _, c := range changes(there, content) {
				switch {
				case c.what == "create", c.what == "set" && replace:
					todo = append(todo, c)
				case c.what == "set":
					env.Say("%s is there and has other data; --replace would set it", output.Legible(above(args[0], c.path)))
				}
			}
			if dry {
				for _, c := range todo {
					fmt.Fprintln(env.Out, c.what, output.Legible(above(args[0], c.path)))
				}
				return nil
			}
			if err := makeParents(ctx, cl, args[0]); err != nil {
				return err
			}
			return apply(ctx, env, cl, args[0], content, todo)
		}),
	}
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "-", "the document; - is standard input")
	f.BoolVar(&replace, "replace", false, "set the data of nodes that are there already")
	f.BoolVarP(&dry, "dry-run", "n", false, "only print what would be done")
	return cmd
}

func readDocument(env *app.Env, file string) (snapshot, error) {
	in := env.In // which stays open
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, app.Usagef("import: %w", err)
		}
		defer f.Close()
		in = f
	}
	d := document{}
	decoder := yaml.NewDecoder(in)
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil {
		return nil, app.Usagef("import: %w", err)
	}
	return d.snapshot()
}
