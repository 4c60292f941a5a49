package ensemble

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client/admin"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// session is a session as the server says that its client is connected to.
type session struct {
	ID          string    `json:"session"`
	Client      string    `json:"client,omitempty"` // empty: it is not connected
	Server      string    `json:"server,omitempty"`
	TimeoutMS   int64     `json:"timeoutMs,omitempty"`
	Since       time.Time `json:"since,omitzero"` // of the connection, by the server's clock
	LastOp      string    `json:"lastOperation,omitempty"`
	Received    int64     `json:"received"`
	Outstanding int64     `json:"outstanding"`
	Holds       []string  `json:"holds,omitempty"` // its ephemeral nodes, where they were asked for
}

type sessions []session

// Table implements [output.Document].
func (s sessions) Table() output.Table {
	t := output.Table{Header: []string{"SESSION", "CLIENT", "SERVER", "TIMEOUT", "CONNECTED", "LAST", "HOLDS"}}
	for _, one := range s {
		row := []string{one.ID, "-", "-", "-", "-", "-", strings.Join(one.Holds, " ")}
		if one.Client != "" {
			copy(row[1:], []string{
				one.Client, one.Server, (time.Duration(one.TimeoutMS) * time.Millisecond).String(), one.Since.Format(time.RFC3339), one.LastOp,
			})
		}
		t.Rows = append(t.Rows, row)
	}
	if !slices.ContainsFunc(s, func(one session) bool { return one.Holds != nil }) {
		t.Header = t.Header[:6]
	}
	return t
}

// Raw implements [output.Document].
func (s sessions) Raw() []byte {
	var out []byte
	for _, one := range s {
		out = append(out, one.ID+"\n"...)
	}
	return out
}

// Sessions returns the command that lists the sessions of the ensemble.
func Sessions(env *app.Env) *cobra.Command {
	var (
		port    int
		timeout time.Duration
		holds   bool
	)
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List the sessions whose clients are connected, of all servers",
		Long: `List the sessions whose clients are connected, of all servers that are named. Each server is asked by the word cons, which it has to
allow (4lw.commands.whitelist), or with --admin-port by its admin endpoint. A session whose client is not connected
lives on until its timeout is over: with --holds it is listed as well if it has ephemeral nodes, which keep what they stand for taken.
Exit status 1 if a server has not answered, 69 if none has.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := env.Printer()
			if err != nil {
				return err
			}
			servers, err := env.Admin(port, timeout)
			if err != nil {
				return err
			}
			found := sessions{}
			var failed []error
			for _, a := range admin.All(cmd.Context(), servers, (*admin.Server).Cons) {
				if a.Err != nil {
					failed = append(failed, allowed(a.Err))
					continue
				}
				for _, c := range a.Value {
					if c.SessionID != 0 {
						found = append(found, sessionOf(a.Server.Addr(), c))
					}
				}
			}
			answered := len(failed) < len(servers)
			if holds && answered {
				if found, err = withHolds(cmd.Context(), servers, found); err != nil {
					failed = append(failed, allowed(err))
				}
			}
			slices.SortFunc(found, func(a, b session) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
			if answered {
				if err := p.Print(found); err != nil {
					return err
				}
			}
			return incomplete(failed, answered)
		},
	}
	cmd.Flags().IntVar(&port, "admin-port", 0, "ask the admin endpoints of the servers, on this port (usually 8080)")
	cmd.Flags().BoolVar(&holds, "holds", false, "the ephemeral nodes of each session, too, by the word dump, which costs a server with many sessions some time")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long a server may take to answer")
	return cmd
}

func sessionOf(server string, c admin.Connection) session {
	return session{
		ID: fmt.Sprintf("%#x", uint64(c.SessionID)), Client: c.Remote, Server: server,
		TimeoutMS: c.Timeout.Milliseconds(), Since: c.Established.UTC(), LastOp: c.LastOp, Received: c.Received, Outstanding: c.Outstanding,
	}
}

// incomplete is the error that not all servers have answered; answered tells whether any has.
func incomplete(failed []error, answered bool) error {
	refused := func(err error) bool { return errors.Is(err, admin.ErrNotAllowed) } // by a server that was reached
	if err := errors.Join(failed...); err == nil || answered || slices.ContainsFunc(failed, refused) {
		return err
	}
	return &app.Exit{Code: app.ExitUnavailable, Err: errors.Join(failed...)}
}

// allowed says what to do about a server that does not allow the question.
func allowed(err error) error {
	if !errors.Is(err, admin.ErrNotAllowed) {
		return err
	}
	return fmt.Errorf("%w (4lw.commands.whitelist=srvr, cons, dump) and restart it, or ask the servers' admin endpoints: --admin-port 8080", err)
}
