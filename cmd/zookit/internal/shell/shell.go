package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/complete"
)

// longest is the longest line: data of the size that servers take by default, with room for quotes.
const longest = 4 << 20

// Shell returns the command that runs the shell; tree makes the commands that there are in it.
func Shell(env *app.Env, tree func(*app.Env) *cobra.Command) *cobra.Command {
	var (
		lines []string
		goOn  bool
	)
	cmd := &cobra.Command{
		Use:   "shell",
		Short: "Type commands in one session, with completion and history",
		Long: `Type commands in one session: all of zookit's, and those of zkCli.sh under their names there (help lists them). Ephemeral nodes
live as long as the shell. Paths may be relative to where cd has gone. Words are separated by spaces; one that begins with a
quote goes to the next such quote.

At a terminal the tab key completes commands, flags and paths, and the arrow keys go through the history. Ctrl-C
gives up a line, or ends the command that is running; ctrl-D ends the shell. Lines that have auth, digest, sasl or password in them, or
begin with a space, are not kept in the history, which is zookit/history in $XDG_STATE_HOME (~/.local/state).
Suspended, lost and new sessions are told of on standard error.

Commands may also come from standard input or -c, one a line; # begins a comment. Then the first one that fails ends
the shell with its exit status, unless --keep-going is given; with it the status is that of the last that has failed.`,
		Example: "  zookit shell\n  zookit shell -c 'create -e /here' -c 'ls /'\n  zookit shell <commands.txt",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, isFile := env.In.(*os.File)
			s, err := open(cmd.Context(), env, tree)
			if err != nil {
				return err
			}
			switch {
			case cmd.Flags().Changed("command"):
				err = s.run(cmd.Context(), slices.Values(lines), goOn)
			case isFile && term.IsTerminal(int(f.Fd())):
				err = s.interact(cmd.Context(), f)
			default:
				err = s.script(cmd.Context(), goOn)
			}
			if closing := s.close(); err == nil && !errors.Is(closing, client.ErrAuthFailed) {
				err = closing
			}
			return err
		},
	}
	cmd.Flags().StringArrayVarP(&lines, "command", "c", nil, "run this command instead of those from standard input; may be repeated")
	cmd.Flags().BoolVarP(&goOn, "keep-going", "k", false, "go on after a command that has failed")
	return cmd
}

// run runs lines to the end, to one that fails, or to one that ends the shell.
func (s *session) run(ctx context.Context, lines iter.Seq[string], goOn bool) error {
	var last error
	number := 0
	for line := range lines {
		number++
		err := s.execute(ctx, line)
		switch {
		case errors.Is(err, errQuit):
			return last
		case err == nil:
		case !goOn || ctx.Err() != nil:
			return inLine(number, err)
		default:
			app.Report(s.env.Err, inLine(number, err))
			last = &app.Exit{Code: app.Code(err)}
		}
	}
	return last
}

// inLine says where it was that something failed; what has nothing to say stays silent.
func inLine(number int, err error) error {
	if exit, ok := errors.AsType[*app.Exit](err); ok && exit.Err == nil {
		return err
	}
	return fmt.Errorf("line %d: %w", number, err)
}

// script runs what stands on standard input. Commands have none.
func (s *session) script(ctx context.Context, goOn bool) error {
	var source io.Reader = s.env.In
	if f, ok := source.(*os.File); ok {
		in, err := newInput(f, false)
		if err != nil {
			return err
		}
		defer in.Close()
		defer context.AfterFunc(ctx, in.Stop)()
		source = in
	}
	s.env.In = strings.NewReader("")
	lines := bufio.NewScanner(source)
	lines.Buffer(nil, longest)
	err := s.run(ctx, func(yield func(string) bool) {
		for lines.Scan() && yield(lines.Text()) {
		}
	}, goOn)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return lines.Err()
}

// interact has a person type commands. An interrupt ends a command; the shell is ended by the signals that ask for it.
func (s *session) interact(ctx context.Context, terminal *os.File) error {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	in, err := newInput(terminal, true)
	if err != nil {
		return err
	}
	defer in.Close()
	defer context.AfterFunc(ctx, in.Stop)()
	if s.past, err = openHistory(historyPath(s.env.Getenv)); err != nil {
		s.env.Say("the history is not kept: %v", err)
		s.past.path = ""
	}
	out, ok := s.env.Err.(*os.File)
	if !ok || !term.IsTerminal(int(out.Fd())) {
		out = terminal // where the person looks
	}
	sc := newScreen(in, out, s.env.Getenv("TERM"), s.past, func(line string, pos int) (string, int, []string) {
		within, cancel := context.WithTimeout(ctx, complete.Patience(s.env))
		defer cancel()
		return s.complete(within, line, pos)
	})
	s.beside.Go(func() { sc.fitAlways(s.ctx) })
	s.unfollow()
	s.say = func(format string, args ...any) { fmt.Fprintf(sc, "zookit: "+format+"\n", args...) }
	s.show = sc.show
	s.unfollow = s.follow()
	for {
		sc.stand(s.here)
		line, err := sc.readLine()
		switch {
		case errors.Is(err, errInterrupted):
			continue
		case errors.Is(err, io.EOF), errors.Is(err, errStopped):
			return nil
		case err != nil:
			return err
		}
		if s.one(ctx, line) {
			return nil
		}
	}
}

// one runs a line that was typed, and tells whether it was the last.
func (s *session) one(ctx context.Context, line string) (last bool) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	err := s.execute(ctx, line)
	switch {
	case errors.Is(err, errQuit):
		return true
	case ctx.Err() != nil:
		fmt.Fprintln(s.env.Err)
	default:
		app.Report(s.env.Err, err)
	}
	return false
}
