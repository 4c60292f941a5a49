package ensemble

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// identity is whom the servers take this client for, under one scheme.
type identity struct {
	Scheme string `json:"scheme"`
	User   string `json:"user"`
}

type identities []identity

// Table implements [output.Document].
func (ids identities) Table() output.Table {
	t := output.Table{Header: []string{"SCHEME", "USER"}}
	for _, id := range ids {
		t.Rows = append(t.Rows, []string{id.Scheme, id.User})
	}
	return t
}

// Raw implements [output.Document].
func (ids identities) Raw() []byte {
	var out []byte
	for _, id := range ids {
		out = append(out, id.Scheme+":"+id.User+"\n"...)
	}
	return out
}

// WhoAmI returns the command that tells whom the servers take this client for.
func WhoAmI(env *app.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Tell whom the servers take this client for",
		Long: `Tell whom the servers take this client for: its address, and a user for each credential. That a digest credential is listed does not
mean that its password is right: servers do not know passwords, only what access control lists say of them. It
needs ZooKeeper 3.7.`,
		Args: cobra.NoArgs,
		RunE: app.With(env, func(ctx context.Context, cl *client.Client, p *output.Printer, _ []string) error {
			found, err := cl.WhoAmI(ctx)
			if err != nil {
				return err
			}
			ids := identities{}
			for _, id := range found {
				ids = append(ids, identity(id))
			}
			return p.Print(ids)
		}),
	}
}
