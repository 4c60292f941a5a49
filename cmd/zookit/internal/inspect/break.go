package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// broken is what a break has deleted.
type broken struct {
	Path    string   `json:"path"`
	Holder  party    `json:"holder"`
	Nodes   []string `json:"nodes"`
	Deleted bool     `json:"deleted"` // by this command: false if they had gone before, or for a dry run
}

// Table implements [output.Document].
func (b broken) Table() output.Table {
	rows := [][]string{}
	for _, node := range b.Nodes {
		rows = append(rows, []string{node})
	}
	return output.Table{Rows: rows}
}

// Raw implements [output.Document].
func (b broken) Raw() []byte { return []byte(strings.Join(b.Nodes, "\n") + "\n") }

// Break returns the command that takes a lock away from its holder.
func Break(env *app.Env) *cobra.Command {
	var (
		o        settings
		yes, dry bool
		holder   string
	)
	cmd := &cobra.Command{
		Use:   "break PATH",
		Short: "Take a lock away from its holder, by deleting the holder's node",
		Long: `Take a lock, a read-write lock, an election or permits of a semaphore away from the holder, by deleting the holder's node.
It says what it would delete and asks; without a terminal it refuses unless --yes is given. Where there are several holders --holder says
which: its identifier, its session or its node; PATH may also be that node. Nothing but the nodes that were shown is ever deleted: a node that has
been changed or made anew since is left alone, and it fails. What was deleted is printed.

A holder that lives learns of it up to a fifth of its session timeout after the next one may have begun. So ask it first, or end
its process: what it holds goes with its session. To break is for what belongs to no live process.

Exit status: 0 also if the holder has let go by itself meanwhile, 1 if the answer was no or nobody holds, 64 for a wrong call.`,
		Example: "  zookit break /stacks/42\n  zookit break /uploads --holder web-3-4711 --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := env.Printer()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			q, done, err := o.connect(ctx, env)
			if err != nil {
				return err
			}
			defer done()
			h, err := q.victim(ctx, args[0], holder)
			if err != nil {
				return err
			}
			b := broken{Path: args[0], Holder: h, Nodes: h.nodes}
			guards, err := guard(ctx, q.cl, h)
			if err != nil {
				return err
			}
			if dry {
				return p.Print(b)
			}
			if !yes {
				ask(env, h)
				agreed, err := env.Confirm("Delete it?", "--yes")
				if err != nil {
					return err
				}
				if !agreed {
					return &app.Exit{Code: app.ExitFailed, Err: fmt.Errorf("%s: nothing was deleted", args[0])}
				}
			}
			if b.Deleted, err = remove(ctx, q.cl, h, guards); err != nil {
				return err
			}
			if !b.Deleted {
				env.Say("%s has let go by itself", name(h))
			}
			return p.Print(b)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.BoolVarP(&dry, "dry-run", "n", false, "only print what would be deleted")
	f.StringVar(&holder, "holder", "", "which holder: its identifier, its session (0x…) or its node")
	return cmd
}

// breakable are the recipes whose holders' nodes have names that nobody else ever has.
var breakable = []string{kindMutex, kindRWLock, kindElection, kindSemaphore}

// victim is the holder whose nodes are to be deleted.
func (q *subject) victim(ctx context.Context, path, which string) (party, error) {
	r, err := q.look(ctx, path)
	switch {
	case err != nil:
		return party{}, err
	case r.Kind == kindNothing:
		return party{}, fmt.Errorf("%s: %w: nobody holds", path, client.ErrNoNode)
	case !slices.Contains(breakable, r.Kind):
		return party{}, app.Usagef("%s: %s: only locks, read-write locks, elections and semaphores can be broken", path, r.Summary)
	case r.Path != path && which == "":
		which = path // a holder's own node
	}
	var found []party
	for _, h := range r.Holders {
		if h.nodes == nil {
			h.nodes = []string{h.Path}
		}
		if which == "" || which == h.Identifier || which == h.Session || slices.Contains(h.nodes, which) {
			found = append(found, h)
		}
	}
	switch {
	case len(r.Holders) == 0:
		return party{}, fmt.Errorf("%s: nobody holds", r.Path)
	case len(found) == 0:
		return party{}, fmt.Errorf("%s: %s is no holder: %s", r.Path, which, holdersOf(r.Holders))
	case len(found) > 1:
		return party{}, app.Usagef("%s: there are several holders, say which by --holder and a node: %s", r.Path, holdersOf(found))
	}
	return found[0], nil
}

func holdersOf(all []party) string {
	var out []string
	for _, h := range all {
		out = append(out, fmt.Sprintf("%s (%s)", name(h), h.Path))
	}
	return strings.Join(out, ", ")
}

func name(h party) string {
	switch {
	case h.Identifier != "":
		return h.Identifier
	case h.Session != "":
		return "session " + h.Session
	}
	return h.Path
}

// ask tells a person what would be deleted, and what that means.
func ask(env *app.Env, h party) {
	env.Say("%s", output.Legible(fmt.Sprintf("%s holds since %s with token %d, session %s from %s", name(h), h.Since.Local().Format("2006-01-02 15:04:05"), h.Token, dash(h.Session), dash(h.Host))))
	for _, node := range h.nodes {
		env.Say("would delete %s", output.Legible(node))
	}
	if h.Session != "" {
		env.Say("its session is not over: if it lives, the next one begins before it learns of this")
	}
}

// guard returns the versions of the nodes of a holder, which have to be those that were looked at.
func guard(ctx context.Context, cl *client.Client, h party) ([]int32, error) {
	b := cl.Batch()
	for _, node := range h.nodes {
		b.Exists(node)
	}
	found, err := settled(b.Do(ctx))
	if err != nil {
		return nil, err
	}
	versions := make([]int32, len(found))
	for i, f := range found {
		if !f.Exists {
			return nil, fmt.Errorf("%s: %w: the holder has let go just now", f.Path, client.ErrNoNode)
		}
		if f.Stat.Czxid != h.Token || f.Stat.EphemeralOwner != h.session {
			return nil, fmt.Errorf("%s: it is another node by now: look again", f.Path)
		}
		versions[i] = f.Stat.Version
	}
	return versions, nil
}

// remove deletes the nodes of a holder in one transaction, if they are still the same and have not been changed. It
// returns false if they had gone. Their names are nobody else's ever, so that after a reply that was lost it can look again.
func remove(ctx context.Context, cl *client.Client, h party, versions []int32) (bool, error) {
	for sent := false; ; sent = true {
		now, err := guard(ctx, cl, h)
		switch {
		case errors.Is(err, client.ErrNoNode):
			return sent, nil
		case err != nil:
			return false, err
		case !slices.Equal(now, versions):
			return false, fmt.Errorf("%s: %w: the node has been changed since it was shown: look again", h.Path, client.ErrBadVersion)
		}
		t := cl.Txn()
		for i, node := range h.nodes {
			t.Delete(node, versions[i])
		}
		_, err = t.Commit(ctx)
		switch {
		case errors.Is(err, client.ErrNoNode):
			return sent, nil
		case err != nil && client.Outcome(err) == client.Unknown && ctx.Err() == nil:
			continue
		}
		return err == nil, err
	}
}
