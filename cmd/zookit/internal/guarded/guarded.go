package guarded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/child"
)

// poll is how often the guard hears how long a grant is certain. It is told what is so, not what was new: each time is
// one by the clock that both share.
const poll = 100 * time.Millisecond

// Guard is how a command is run under a grant.
type Guard struct {
	grace  time.Duration
	margin time.Duration
}

// Flags adds the flags of every command that runs another one.
func (g *Guard) Flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&g.grace, "grace", 2*time.Second, "time between SIGTERM and SIGKILL for the command when the grant is lost; at most a third of the session timeout")
}

// PathAndCommand wants PATH -- COMMAND [ARG...]; without the dashes the flags of the command would be taken for zookit's.
func PathAndCommand(cmd *cobra.Command, args []string) error {
	switch at := cmd.ArgsLenAtDash(); {
	case at < 0 && len(args) > 1:
		return errors.New("put -- between the path and the command")
	case len(args) == 0 || at == 0:
		return errors.New("the path is missing")
	case at > 1:
		return fmt.Errorf("%d arguments before --: give one path", at)
	case len(args) == 1:
		return errors.New("the command is missing: PATH -- COMMAND")
	}
	return nil
}

// Check is done before anything is acquired: what cannot work is not to keep others waiting.
func (g *Guard) Check(s *client.Session) error {
	if most := s.Timeout() / 3; g.grace < 0 || g.grace > most {
		return app.Usagef("--grace %v: with a session timeout of %v it is from 0 to %v; --session-timeout asks for a longer one", g.grace, s.Timeout(), most)
	}
	g.margin = s.Timeout() / 20
	return nil
}

// Command is what to run.
type Command struct {
	// Path is what the grant is of, and Args the command with its arguments.
	Path string
	Args []string
	// Env is what its environment has beside what every command finds there, and In its standard input: nil is this program's.
	Env []string
	In  io.Reader
}

// Run runs a command under grant, and returns its end as an error with its exit status. When ctx has ended, since a signal came
// before there was a command to pass it on to, none is started; otherwise it is the command's to end.
func (g *Guard) Run(ctx context.Context, env *app.Env, cl *client.Client, grant child.Grant, c Command) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	vars := append([]string{"ZOOKIT_PATH=" + c.Path}, c.Env...)
	if fenced, ok := grant.(interface{ Token() int64 }); ok {
		vars = append(vars, "ZOOKIT_TOKEN="+strconv.FormatInt(fenced.Token(), 10))
	}
	if _, ok := grant.(steady); !ok {
		vars = append(vars, fmt.Sprintf("ZOOKIT_SESSION=%#x", uint64(cl.State().SessionID)))
	}
	if c.In == nil {
		c.In = env.In
	}
	result, err := child.Run(grant, child.Command{
		Args:   c.Args,
		Env:    vars,
		Grace:  g.grace,
		Margin: g.margin,
		Poll:   poll,
		In:     c.In, Out: env.Out, Err: env.Err,
	})
	switch {
	case errors.Is(err, child.ErrNotFound):
		return &app.Exit{Code: app.ExitNoCommand, Err: err}
	case err != nil:
		return err
	case result.Lost:
		why := context.Cause(grant.Context())
		if why == nil {
			why = client.ErrUnconfirmed
		}
		return &app.Exit{Code: app.ExitLost, Err: fmt.Errorf("lost while the command was running, which was ended: %w", why)}
	case result.Code != 0:
		return &app.Exit{Code: result.Code}
	}
	return nil
}

// Steady is for a command whose right to run no one can take away: it ends with this program at the latest.
func Steady() child.Grant { return steady{} }

type steady struct{}

// Context implements [child.Grant].
func (steady) Context() context.Context { return context.Background() }

// ValidUntil implements [child.Grant]: it is always far off.
func (steady) ValidUntil() time.Time { return time.Now().Add(24 * time.Hour) }

// Waiting bounds how long is waited for a grant; 0 is for ever.
func Waiting(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// Missed turns the error of an acquisition into one with its exit status.
func Missed(ctx context.Context, path string, timeout time.Duration, busy bool, err error) error {
	switch {
	case busy:
		return &app.Exit{Code: app.ExitBusy, Err: err}
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return &app.Exit{Code: app.ExitBusy, Err: fmt.Errorf("%s: not acquired within %v", path, timeout)}
	}
	return err
}

// Identifier is what the tool's nodes tell people about who has made them.
func Identifier(given string) string {
	if given != "" {
		return given
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// Release gives a grant back; what cannot be done in time goes with the session.
func Release(ctx context.Context, give func(ctx context.Context) error, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	return give(ctx)
}
