package tree

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// stat is a node's stat, as it is printed.
type stat struct {
	Path           string    `json:"path"`
	Czxid          string    `json:"czxid"`
	Mzxid          string    `json:"mzxid"`
	Pzxid          string    `json:"pzxid"`
	Ctime          time.Time `json:"ctime"`
	Mtime          time.Time `json:"mtime"`
	Version        int32     `json:"version"`
	Cversion       int32     `json:"cversion"`
	Aversion       int32     `json:"aversion"`
	EphemeralOwner string    `json:"ephemeralOwner"`
	DataLength     int       `json:"dataLength"`
	NumChildren    int       `json:"numChildren"`
}

func hex(n int64) string { return fmt.Sprintf("%#x", uint64(n)) }

func statOf(path string, s client.Stat) stat {
	return stat{
		Path: path, Czxid: hex(s.Czxid), Mzxid: hex(s.Mzxid), Pzxid: hex(s.Pzxid),
		Ctime: s.Ctime.UTC(), Mtime: s.Mtime.UTC(),
		Version: s.Version, Cversion: s.Cversion, Aversion: s.Aversion,
		EphemeralOwner: hex(s.EphemeralOwner), DataLength: s.DataLength, NumChildren: s.NumChildren,
	}
}

// Table implements [output.Document].
func (s stat) Table() output.Table {
	number := func(n int32) string { return strconv.Itoa(int(n)) }
	return output.Table{Rows: [][]string{
		{"path", s.Path}, {"czxid", s.Czxid}, {"mzxid", s.Mzxid}, {"pzxid", s.Pzxid},
		{"ctime", s.Ctime.Format(time.RFC3339Nano)}, {"mtime", s.Mtime.Format(time.RFC3339Nano)},
		{"version", number(s.Version)}, {"cversion", number(s.Cversion)}, {"aversion", number(s.Aversion)},
		{"ephemeralOwner", s.EphemeralOwner}, {"dataLength", strconv.Itoa(s.DataLength)}, {"numChildren", strconv.Itoa(s.NumChildren)},
	}}
}

// Raw implements [output.Document]: the version, which is what a script sets by.
func (s stat) Raw() []byte { return []byte(strconv.Itoa(int(s.Version)) + "\n") }

// Stat returns the command that prints a node's stat.
func Stat(env *app.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "stat PATH",
		Short: "Print a node's stat",
		Long:  "Print a node's stat: versions, transactions, times, owner. With --output raw only its version.",
		Args:  cobra.ExactArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			s, ok, err := cl.Exists(ctx, args[0])
			if err == nil && !ok {
				err = fmt.Errorf("%s: %w", args[0], client.ErrNoNode)
			}
			if err != nil {
				return err
			}
			return p.Print(statOf(args[0], s))
		}),
	}
}

// with connects, and runs f with the client and a printer.
func with(env *app.Env, f func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error) func(*cobra.Command, []string) error {
	return app.With(env, f)
}
