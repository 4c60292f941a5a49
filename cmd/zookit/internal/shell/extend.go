package shell

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// extend gives commands that the tool and zkCli.sh both have the flags of the latter.
func (s *session) extend(root *cobra.Command, env *app.Env) {
	var all, stat, watch bool
	option := func(cmd *cobra.Command, to *bool, name, short, usage string) {
		cmd.Flags().BoolVarP(to, name, short, false, usage)
	}
	ls := child(root, "ls")
	option(ls, &all, "recursive", "R", "all that is below, with paths")
	option(ls, &stat, "stat", "s", "the node's stat, too")
	option(ls, &watch, "watch", "w", "say when a child is made or deleted, once")
	around(ls, func(ctx context.Context, args []string, run func() error) error {
		if all {
			run = func() error { return s.tool(ctx, env, append([]string{"find"}, args...)...) }
		}
		return s.looked(ctx, env, args, watch, stat, s.watchChildren, run)
	})
	get := child(root, "get")
	option(get, &stat, "stat", "s", "the stat, too")
	option(get, &watch, "watch", "w", "say when the data changes, once")
	around(get, func(ctx context.Context, args []string, run func() error) error {
		return s.looked(ctx, env, args, watch, stat, s.watchData, func() error {
			err := run()
			if err == nil && (!env.Terminal() || stat) {
				fmt.Fprintln(env.Out)
			}
			return err
		})
	})
	status := child(root, "stat")
	option(status, &watch, "watch", "w", "say when the node is made, changed or deleted, once")
	around(status, func(ctx context.Context, args []string, run func() error) error {
		return s.looked(ctx, env, args, watch, false, s.watchNode, run)
	})

	set := child(root, "set")
	alias(set, "version", "revision", "v")
	option(set, &stat, "stat", "s", "print the new stat")
	around(set, func(ctx context.Context, args []string, run func() error) error {
		return s.looked(ctx, env, args, false, stat, nil, run)
	})

	create := child(root, "create")
	alias(create, "sequential", "numbered", "s")
	if ttl := create.Flags().Lookup("ttl"); ttl != nil {
		ttl.Value = milliseconds{ttl.Value}
	}
	create.Use, create.Args = "create PATH [DATA] [ACL]", cobra.RangeArgs(1, 3)
	run := create.RunE
	create.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 2 {
			if err := cmd.Flags().Set("acl", args[2]); err != nil {
				return err
			}
			args = args[:2]
		}
		return run(cmd, args)
	}
}

// looked runs a command about a node, with what zkCli.sh adds to it: a watch before it, the stat behind it.
func (s *session) looked(ctx context.Context, env *app.Env, args []string, watch, stat bool, set func(ctx context.Context, path string) error, run func() error) error {
	path := s.here
	if len(args) > 0 {
		path = args[0]
	}
	if watch {
		if err := set(ctx, path); err != nil {
			return err
		}
	}
	if err := run(); err != nil || !stat {
		return err
	}
	return s.tool(ctx, env, "stat", path)
}

func (s *session) watchChildren(ctx context.Context, path string) error {
	_, _, w, err := s.cl.ChildrenW(ctx, path)
	return s.set(w, err)
}

func (s *session) watchData(ctx context.Context, path string) error {
	_, _, w, err := s.cl.GetW(ctx, path)
	return s.set(w, err)
}

func (s *session) watchNode(ctx context.Context, path string) error {
	_, _, w, err := s.cl.ExistsW(ctx, path)
	return s.set(w, err)
}

func (s *session) set(w *client.Watch, err error) error {
	if err == nil {
		s.once(w)
	}
	return err
}

// around has a command run within another function.
func around(cmd *cobra.Command, f func(ctx context.Context, args []string, run func() error) error) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return f(cmd.Context(), args, func() error { return run(cmd, args) })
	}
}

// alias gives a flag a second name, with the letter that zkCli.sh has for it.
func alias(cmd *cobra.Command, flag, name, letter string) {
	f := cmd.Flags().Lookup(flag)
	second := *f
	second.Name, second.Shorthand, second.Usage = name, letter, "as --"+flag
	cmd.Flags().AddFlag(&second)
}

// milliseconds is a duration that may be given as a number alone, too, as zkCli.sh takes it.
type milliseconds struct{ pflag.Value }

// Set implements [pflag.Value].
func (m milliseconds) Set(text string) error {
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		text += "ms"
	}
	return m.Value.Set(text)
}
