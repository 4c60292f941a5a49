package tree

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// Watch returns the command that prints what happens to nodes.
func Watch(env *app.Env) *cobra.Command {
	var (
		recursive bool
		count     int
	)
	cmd := &cobra.Command{
		Use:   "watch PATH",
		Short: "Print what happens to a node, as it happens",
		Long: `Print what happens to a node, and with --recursive to all below it, one line an event, until interrupted. "resynced" says
that the watch stands: at first, and whenever something may have been missed, after a lost connection.
Several changes of one node may come as one.`,
		Args: cobra.ExactArgs(1),
		RunE: with(env, func(ctx context.Context, cl *client.Client, p *output.Printer, args []string) error {
			mode := client.WatchPersistent
			if recursive {
				mode = client.WatchPersistentRecursive
			}
			w, err := cl.AddWatch(ctx, args[0], mode)
			if err != nil {
				return err
			}
			defer w.Close()
			for seen := 0; count == 0 || seen < count; seen++ {
				select {
				case ev, ok := <-w.C:
					if !ok {
						return w.Err()
					}
					if err := printEvent(p, ev); err != nil {
						return err
					}
				case <-ctx.Done():
					return nil
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVarP(&recursive, "recursive", "r", false, "all that is below, too")
	cmd.Flags().IntVar(&count, "count", 0, "end after so many lines (default: never)")
	return cmd
}

// printEvent prints one line: a JSON document, unless people read it.
func printEvent(p *output.Printer, ev client.Event) error {
	now := time.Now()
	return p.Line(struct {
		Time  time.Time `json:"time"`
		Event string    `json:"event"`
		Path  string    `json:"path"`
	}{now.UTC(), ev.Type.String(), ev.Path}, fmt.Sprintf("%s %s %s", now.Format("15:04:05.000"), ev.Type, output.Legible(ev.Path)))
}

// Wait returns the command that waits until a node is as it is wanted.
func Wait(env *app.Env) *cobra.Command {
	var (
		exists, gone bool
		data         string
		timeout      time.Duration
	)
	cmd := &cobra.Command{
		Use:   "wait PATH (--exists | --gone | --data TEXT)",
		Short: "Wait until a node exists, is gone, or has certain data",
		Long:  "Wait until a node exists, is gone, or has certain data. Exit status 75 if it is not so within --timeout.",
		Args:  cobra.ExactArgs(1),
	}
	cmd.RunE = with(env, func(ctx context.Context, cl *client.Client, _ *output.Printer, args []string) error {
		byData := cmd.Flags().Changed("data")
		if n := strings.Count(fmt.Sprint(exists, gone, byData), "true"); n != 1 {
			return app.Usagef("give one of --exists, --gone and --data")
		}
		within := ctx
		if timeout > 0 {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		err := await(within, cl, args[0], func(there bool, content []byte) bool {
			switch {
			case gone:
				return !there
			case byData:
				return there && string(content) == data
			}
			return there
		})
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return &app.Exit{Code: app.ExitBusy, Err: fmt.Errorf("%s: not so within %v", args[0], timeout)}
		}
		return err
	})
	f := cmd.Flags()
	f.BoolVar(&exists, "exists", false, "until it exists")
	f.BoolVar(&gone, "gone", false, "until it does not")
	f.StringVar(&data, "data", "", "until it has this data")
	f.DurationVar(&timeout, "timeout", 0, "how long to wait (default: for ever)")
	return cmd
}

// await returns when a node is as it is wanted. It is looked at after each change.
func await(ctx context.Context, cl *client.Client, path string, wanted func(there bool, data []byte) bool) error {
	for {
		_, _, w, err := cl.ExistsW(ctx, path)
		if err != nil {
			return err
		}
		data, _, err := cl.Get(ctx, path)
		there := err == nil
		if err != nil && !errors.Is(err, client.ErrNoNode) {
			w.Remove()
			return err
		}
		if wanted(there, data) {
			w.Remove()
			return nil
		}
		select {
		case <-w.C:
		case <-ctx.Done():
			w.Remove()
			return ctx.Err()
		}
	}
}
