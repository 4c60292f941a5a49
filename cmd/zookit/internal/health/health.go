package health

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// Health returns the command that asks all servers how they are.
func Health(env *app.Env) *cobra.Command {
	var (
		l         limits
		within    time.Duration
		adminPort int
	)
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask all servers at once how they are",
		Long: `Ask all servers of --servers at once how they are: whether each is reached and serves, its role, whether it is in step with the
others, how long it takes, and how many connections, sessions, watches and outstanding requests it has. BEHIND is in transactions,
LATENCY the average and the longest of clients' requests since the server was started, or reset.

The ensemble is healthy if all servers serve, none is in read-only mode, at most one leads, none is standalone beside others, and each
has, within --patience, all transactions that any of them had when they were asked; and if --max-latency and --max-outstanding, if
given, are kept. No session is opened and nothing is written.

It uses the four-letter words srvr and mntr on the client port (with TLS if that is set). Servers answer only what their
4lw.commands.whitelist allows, by default srvr alone; --admin-port asks their admin endpoints instead, which have no such list.

With --output json it prints {healthy, problems, notes, servers}; each of servers has {address, ok, role, version, zxid, behind, inStep,
roundTripMs, latencyMs, latencyMaxMs, connections, sessions, watches, outstanding, nodes, problem}; what is not told is
left out. Names are added to this, never changed.

Exit status: 70 if the ensemble is not healthy, 69 if no server was reached, 64 for a wrong call.`,
		Example: "  zookit health -s zk1:2181,zk2:2181,zk3:2181\n  zookit health --admin-port 8080 -o json | jq -r '.problems[]'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := env.Printer()
			if err != nil {
				return err
			}
			if within <= 0 || l.patience < 0 || l.latency < 0 || l.outstanding < 0 || adminPort < 0 || adminPort > 65535 {
				return app.Usagef("--timeout is more than 0, --admin-port is a port, and nothing is negative")
			}
			servers, err := env.Admin(adminPort, within)
			if err != nil {
				return err
			}
			v := judge(cmd.Context(), servers, l)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := p.Print(v); err != nil {
				return err
			}
			for _, text := range append(v.Problems, v.Notes...) {
				env.Say("%s", text)
			}
			reached := false
			for _, s := range v.Servers {
				reached = reached || s.reached()
			}
			switch {
			case !reached:
				return &app.Exit{Code: app.ExitUnavailable}
			case !v.Healthy:
				return &app.Exit{Code: app.ExitUnhealthy}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&adminPort, "admin-port", 0, "ask the servers' admin endpoints, at this port (8080 is ZooKeeper's default), instead of four-letter words")
	f.DurationVar(&within, "timeout", 2*time.Second, "how long each server may take to answer")
	f.DurationVar(&l.patience, "patience", 2*time.Second, "how long servers that are behind may take to come into step")
	f.DurationVar(&l.latency, "max-latency", 0, "not healthy if a server takes longer to answer (default: any)")
	f.Int64Var(&l.outstanding, "max-outstanding", 0, "not healthy if a server has more outstanding requests (default: any)")
	return cmd
}
