package shell

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// ownCommands are the commands about the session and the shell.
func (s *session) ownCommands(env *app.Env) []*cobra.Command {
	quit := func(name string) *cobra.Command {
		return command(name, "End the shell, and its session", cobra.NoArgs, func(context.Context, []string) error { return errQuit })
	}
	cmds := []*cobra.Command{
		command("cd PATH", "Go to a node: other paths may be relative to it", cobra.ExactArgs(1), s.goTo),
		command("pwd", "Print where the shell is", cobra.NoArgs, func(context.Context, []string) error {
			_, err := fmt.Fprintln(env.Out, output.Legible(s.here))
			return err
		}),
		command("addauth SCHEME [CREDENTIAL]", "Present a credential to the servers: addauth digest user:password", cobra.RangeArgs(1, 2), func(ctx context.Context, args []string) error {
			return s.addAuth(ctx, args[0], append(args, "")[1])
		}),
		command("config", "Print the members of the ensemble", cobra.NoArgs, func(ctx context.Context, _ []string) error {
			return s.tool(ctx, env, "reconfig", "show")
		}),
		command("version", "Print the versions of zookit and of the server", cobra.NoArgs, func(ctx context.Context, _ []string) error {
			return s.version(ctx, env)
		}),
		quit("quit"), quit("exit"),
	}
	if s.past != nil {
		cmds = append(cmds, command("history", "Print what was typed", cobra.NoArgs, func(context.Context, []string) error {
			for _, line := range s.past.lines {
				fmt.Fprintln(env.Out, output.Legible(line))
			}
			return nil
		}))
	}
	return cmds
}

func (s *session) goTo(ctx context.Context, args []string) error {
	_, ok, err := s.cl.Exists(ctx, args[0])
	if err == nil && !ok {
		err = fmt.Errorf("cd %s: %w", args[0], client.ErrNoNode)
	}
	if err == nil {
		s.here = args[0]
	}
	return err
}

// version asks the server as well, which may not want to tell.
func (s *session) version(ctx context.Context, env *app.Env) error {
	own := "of no known version"
	if info, ok := debug.ReadBuildInfo(); ok {
		own = info.Main.Version
	}
	fmt.Fprintln(env.Out, "zookit", own)
	servers, err := env.Admin(0, time.Second)
	if err != nil {
		return err
	}
	at := s.cl.State().Server
	for _, server := range servers {
		if server.Addr() != at {
			continue
		}
		answer, err := server.Srvr(ctx)
		if err != nil {
			return fmt.Errorf("version of the server: %w", err)
		}
		_, err = fmt.Fprintln(env.Out, "ZooKeeper", output.Legible(answer.Version.String()), "at", at)
		return err
	}
	return errors.New("version of the server: it is not one of those that were named")
}
