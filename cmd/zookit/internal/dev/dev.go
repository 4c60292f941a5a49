// Package dev has the command that runs the embedded server.
package dev

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/zktest"
)

// Dev returns the command that runs the embedded server, for trials.
func Dev(env *app.Env) *cobra.Command {
	var (
		servers      int
		listen, data string
	)
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run an embedded server, for trials",
		Long: `Run a ZooKeeper server in this process until it is interrupted. Everything is in memory and nothing is kept: it is for
trying zookit out, and for tests. The first server listens where other commands look for one by
default; further ones take free ports. The connect string is printed on standard output.`,
		Example: "  zookit dev\n  zookit dev --servers 3 --data fixture.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if servers < 1 {
				return app.Usagef("--servers %d: at least one", servers)
			}
			opts := []zktest.Option{zktest.WithServers(servers)}
			if data != "" {
				document, err := os.ReadFile(data)
				if err != nil {
					return app.Usagef("--data: %w", err)
				}
				opts = append(opts, zktest.WithFixture(string(document)))
			}
			if listen != "" {
				opts = append(opts, zktest.WithAddresses(listen))
			}
			s, err := zktest.NewServer(opts...)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			if _, err := env.Out.Write([]byte(s.ConnectString() + "\n")); err != nil {
				return err
			}
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.Flags().IntVar(&servers, "servers", 1, "how many servers, with one tree")
	cmd.Flags().StringVar(&listen, "listen", app.DefaultServers, "where the first server listens; a port of 0, or an empty text, is any free one")
	cmd.Flags().StringVar(&data, "data", "", "file with a tree to begin with, in the form of zktest's fixtures")
	return cmd
}
