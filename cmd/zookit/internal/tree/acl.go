package tree

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// entry is one entry of an access control list.
type entry struct {
	Scheme string `json:"scheme"`
	ID     string `json:"id"`
	Perms  string `json:"perms"`
}

type entries []entry

// letters are the permissions in zkCli's letters.
var letters = []struct {
	letter string
	perm   client.Perms
}{{"c", client.PermCreate}, {"d", client.PermDelete}, {"r", client.PermRead}, {"w", client.PermWrite}, {"a", client.PermAdmin}}

func entriesOf(acls []client.ACL) entries {
	out := entries{}
	for _, a := range acls {
		var perms strings.Builder
		for _, l := range letters {
			if a.Perms&l.perm != 0 {
				perms.WriteString(l.letter)
			}
		}
		out = append(out, entry{Scheme: a.Scheme, ID: a.ID, Perms: perms.String()})
	}
	return out
}

// Table implements [output.Document].
func (e entries) Table() output.Table {
	t := output.Table{Header: []string{"SCHEME", "ID", "PERMISSIONS"}}
	for _, one := range e {
		t.Rows = append(t.Rows, []string{one.Scheme, one.ID, one.Perms})
	}
	return t
}

// Raw implements [output.Document]: what acl --set takes.
func (e entries) Raw() []byte {
	var out []string
	for _, one := range e {
		out = append(out, one.Scheme+":"+one.ID+":"+one.Perms)
	}
	return []byte(strings.Join(out, ",") + "\n")
}

// parseACL reads scheme:id:perms,scheme:id:perms; ids may have colons.
func parseACL(text string) ([]client.ACL, error) {
	var out []client.ACL
	for part := range strings.SplitSeq(text, ",") {
		scheme, rest, ok := strings.Cut(part, ":")
		at := strings.LastIndexByte(rest, ':')
		if !ok || at < 0 || at == len(rest)-1 {
			return nil, app.Usagef("access control list: an entry is scheme:id:permissions, for example world:anyone:r or sasl:worker:cdrwa")
		}
		a := client.ACL{Scheme: scheme, ID: rest[:at]}
		for _, l := range rest[at+1:] {
			known := false
			for _, p := range letters {
				if p.letter == string(l) {
					a.Perms |= p.perm
					known = true
				}
			}
			if !known {
				return nil, app.Usagef("access control list: permission %q: the letters are c d r w a", string(l))
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// ACL returns the command that prints or replaces an access control list.
func ACL(env *app.Env) *cobra.Command {
	var (
		set     string
		version int32
	)
	cmd := &cobra.Command{
		Use:   "acl PATH",
		Short: "Print a node's access control list, or replace it",
		Long: `Print a node's access control list, or replace it with --set scheme:id:permissions,… where permissions are the letters c
(create children), d (delete children), r (read), w (write) and a (replace this list).`,
		Example: "  zookit acl /app --set world:anyone:r,sasl:worker:cdrwa",
		Args:    cobra.ExactArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			if set != "" {
				acls, err := parseACL(set)
				if err != nil {
					return err
				}
				_, err = cl.SetACL(ctx, args[0], acls, version)
				return err
			}
			acls, _, err := cl.GetACL(ctx, args[0])
			if err != nil {
				return err
			}
			return p.Print(entriesOf(acls))
		}),
	}
	cmd.Flags().StringVar(&set, "set", "", "the new list")
	cmd.Flags().Int32Var(&version, "version", client.AnyVersion, "only if the list has this version (aversion); -1 is any")
	return cmd
}
