package ensemble

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// member is a server of the ensemble.
type member struct {
	ID      int64    `json:"id"`
	Role    string   `json:"role"`
	Peers   []string `json:"peers"`   // host:quorum port:election port
	Clients []string `json:"clients"` // host:port; none if the configuration does not say
}

// members is what the servers know of their ensemble.
type members struct {
	Version string   `json:"version"`
	Servers []member `json:"servers"`
	text    string
}

func membersOf(c client.EnsembleConfig) members {
	m := members{Version: strconv.FormatInt(c.Version, 16), Servers: []member{}, text: c.String()}
	for _, s := range c.Servers {
		one := member{ID: s.ID, Role: s.Role, Clients: s.ClientAddrs()}
		if one.Role == "" {
			one.Role = client.Participant
		}
		for _, a := range s.Addrs {
			one.Peers = append(one.Peers, fmt.Sprintf("%s:%d:%d", a.Host, a.QuorumPort, a.ElectionPort))
		}
		m.Servers = append(m.Servers, one)
	}
	return m
}

// Table implements [output.Document].
func (m members) Table() output.Table {
	t := output.Table{Header: []string{"ID", "ROLE", "PEERS", "CLIENTS"}}
	for _, s := range m.Servers {
		clients := strings.Join(s.Clients, " ")
		if clients == "" {
			clients = "-"
		}
		t.Rows = append(t.Rows, []string{strconv.FormatInt(s.ID, 10), s.Role, strings.Join(s.Peers, " "), clients})
	}
	return t
}

// Raw implements [output.Document]: the configuration as ZooKeeper writes it.
func (m members) Raw() []byte { return []byte(m.text + "\n") }

// Reconfig returns the commands that show and change which servers the ensemble has.
func Reconfig(env *app.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reconfig",
		Short: "Show or change which servers the ensemble has",
		Long: `Show or change which servers the ensemble has. A change needs reconfigEnabled=true on the servers, and the right to write the
node /zookeeper/config, which at first nobody has but the super user.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return app.Usagef("reconfig: there is no %q: show, add or remove", args[0])
			}
			return cmd.Help()
		},
	}
	var from string
	show := &cobra.Command{
		Use:   "show",
		Short: "Print the members of the ensemble",
		Long: `Print the members of the ensemble as the servers know them; with --output raw as ZooKeeper writes them, with the version that
--from takes. A server that stands alone has none.`,
		Args: cobra.NoArgs,
		RunE: app.With(env, func(ctx context.Context, cl *client.Client, p *output.Printer, _ []string) error {
			c, err := cl.EnsembleConfig(ctx)
			if err != nil {
				return err
			}
			return p.Print(membersOf(c))
		}),
	}
	apply := func(parse func(r *client.Reconfiguration, arg string) error) func(*cobra.Command, []string) error {
		return app.With(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			var r client.Reconfiguration
			for _, arg := range args {
				if err := parse(&r, arg); err != nil {
					return err
				}
			}
			version, err := version(from)
			if err != nil {
				return err
			}
			c, err := cl.Reconfig(ctx, r, version)
			if err != nil {
				return explained(err)
			}
			return p.Print(membersOf(c))
		})
	}
	add := &cobra.Command{
		Use:   "add SERVER...",
		Short: "Add servers, or change what the ensemble knows of them",
		Long: `Add servers, or change what the ensemble knows of them, and print its members. A server is written as in zoo.cfg. It has to run
already, with the present members and itself in its file.`,
		Example: "  zookit reconfig add 'server.4=zk4:2888:3888:participant;2181'",
		Args:    cobra.MinimumNArgs(1),
		RunE: apply(func(r *client.Reconfiguration, arg string) error {
			s, err := client.ParseEnsembleServer(arg)
			if err != nil {
				return app.Usagef("%w; a server is written like server.4=zk4:2888:3888:participant;2181", err)
			}
			r.Joining = append(r.Joining, s)
			return nil
		}),
	}
	remove := &cobra.Command{
		Use:     "remove ID...",
		Short:   "Remove servers, by their numbers",
		Long:    "Remove servers, by their numbers, and print the members that are left. The servers go on running.",
		Example: "  zookit reconfig remove 3",
		Args:    cobra.MinimumNArgs(1),
		RunE: apply(func(r *client.Reconfiguration, arg string) error {
			id, err := strconv.ParseInt(arg, 10, 64)
			if err != nil {
				return app.Usagef("server %q: give its number, which zookit reconfig show prints", arg)
			}
			r.Leaving = append(r.Leaving, id)
			return nil
		}),
	}
	for _, sub := range []*cobra.Command{add, remove} {
		sub.Flags().StringVar(&from, "from", "", "only if the configuration has this version, in hexadecimal digits (default: any)")
	}
	cmd.AddCommand(show, add, remove)
	return cmd
}

func version(text string) (int64, error) {
	if text == "" {
		return client.AnyConfig, nil
	}
	v, err := strconv.ParseInt(strings.TrimPrefix(text, "0x"), 16, 64)
	if err != nil || v < 0 {
		return 0, app.Usagef("--from %s: a version is hexadecimal digits, as zookit reconfig show -o raw prints them", text)
	}
	return v, nil
}

// explained says what to do where the server's answer alone does not.
func explained(err error) error {
	switch {
	case errors.Is(err, client.ErrReconfigDisabled):
		return fmt.Errorf("%w: set reconfigEnabled=true in the configuration of every server, and restart them one by one", err)
	case errors.Is(err, client.ErrNoAuth):
		return fmt.Errorf("%w: only the super user may write it at first: ZOOKIT_AUTH=digest:super:PASSWORD, where the servers have zookeeper.DigestAuthenticationProvider.superDigest", err)
	}
	return err
}
