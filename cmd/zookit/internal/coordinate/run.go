package coordinate

import (
	"context"
	"errors"
	"fmt"
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

// held is a grant of any recipe.
type held interface {
	child.Grant
	Token() int64
}

// guarded is how a command is run under a grant.
type guarded struct {
	grace  time.Duration
	margin time.Duration
}

func (g *guarded) flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&g.grace, "grace", 2*time.Second, "time between SIGTERM and SIGKILL for the command when the grant is lost; at most a third of the session timeout")
}

// pathAndCommand wants PATH -- COMMAND [ARG...]; without the dashes the flags of the command would be taken for zookit's.
func pathAndCommand(cmd *cobra.Command, args []string) error {
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

// check is done before anything is acquired: what cannot work is not to keep others waiting.
func (g *guarded) check(s *client.Session) error {
	if most := s.Timeout() / 3; g.grace < 0 || g.grace > most {
		return app.Usagef("--grace %v: with a session timeout of %v it is from 0 to %v; --session-timeout asks for a longer one", g.grace, s.Timeout(), most)
	}
	g.margin = s.Timeout() / 20
	return nil
}

// run runs the command of args under h, and returns its end as an error with its exit status.
func (g *guarded) run(env *app.Env, cl *client.Client, h held, path string, args []string) error {
	result, err := child.Run(h, child.Command{
		Args: args,
		Env: []string{
			"ZOOKIT_PATH=" + path,
			"ZOOKIT_TOKEN=" + strconv.FormatInt(h.Token(), 10),
			"ZOOKIT_SESSION=" + fmt.Sprintf("%#x", uint64(cl.State().SessionID)),
		},
		Grace:  g.grace,
		Margin: g.margin,
		Poll:   poll,
		In:     env.In, Out: env.Out, Err: env.Err,
	})
	switch {
	case errors.Is(err, child.ErrNotFound):
		return &app.Exit{Code: app.ExitNoCommand, Err: err}
	case err != nil:
		return err
	case result.Lost:
		why := context.Cause(h.Context())
		if why == nil {
			why = client.ErrUnconfirmed
		}
		return &app.Exit{Code: app.ExitLost, Err: fmt.Errorf("lost while the command was running, which was ended: %w", why)}
	case result.Code != 0:
		return &app.Exit{Code: result.Code}
	}
	return nil
}

// waiting bounds how long is waited for a grant; 0 is for ever.
func waiting(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// missed turns the error of an acquisition into one with its exit status.
func missed(ctx context.Context, path string, timeout time.Duration, busy bool, err error) error {
	switch {
	case busy:
		return &app.Exit{Code: app.ExitBusy, Err: err}
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		return &app.Exit{Code: app.ExitBusy, Err: fmt.Errorf("%s: not acquired within %v", path, timeout)}
	}
	return err
}

// identifier is what the tool's nodes tell people about who has made them.
func identifier(given string) string {
	if given != "" {
		return given
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// release gives a grant back; what cannot be done in time goes with the session.
func release(ctx context.Context, give func(ctx context.Context) error, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	return give(ctx)
}
