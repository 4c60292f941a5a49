package complete

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// Patience is how long a person who has pressed a key is kept waiting: a second, unless ZOOKIT_COMPLETION_TIMEOUT says otherwise,
// where servers are far away.
func Patience(env *app.Env) time.Duration {
	if d, err := time.ParseDuration(env.Getenv("ZOOKIT_COMPLETION_TIMEOUT")); err == nil && d > 0 {
		return d
	}
	return time.Second
}

// Install gives every command below root that takes paths of nodes their completion. Relative paths are those below
// the node here; where that is empty there are none. Where no server answers within [Patience] nothing
// is completed, and nothing is said.
func Install(root *cobra.Command, env *app.Env, here string) {
	Each(root, func(cmd *cobra.Command) {
		if !Takes(cmd) || cmd.ValidArgsFunction != nil {
			return
		}
		places := Places(cmd)
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			place, ok := At(places, len(args))
			switch {
			case !ok && strings.Contains(cmd.Use, "-- "):
				return nil, cobra.ShellCompDirectiveDefault // another program's arguments
			case !ok || !place.Path:
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return look(cmd.Context(), env, here, typed)
		}
	})
}

// answer is what a look at the ensemble has found.
type answer struct {
	paths []string
	more  bool // the only one has children
}

// look finds the paths that begin with what was typed.
func look(ctx context.Context, env *app.Env, here, typed string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(ctx, Patience(env))
	defer cancel()
	answers := make(chan answer, 1)
	go func() { // which closing the client may hold up after the time is over: then it ends with the process
		answers <- find(ctx, env, here, typed)
	}()
	directive := cobra.ShellCompDirectiveNoFileComp
	select {
	case a := <-answers:
		if len(a.paths) > 1 || a.more {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return a.paths, directive
	case <-ctx.Done():
		return nil, directive
	}
}

func find(ctx context.Context, env *app.Env, here, typed string) answer {
	at := strings.LastIndexByte(typed, '/') + 1
	dir, name := typed[:at], typed[at:]
	switch {
	case strings.HasPrefix(typed, "/"):
	case here == "" && typed == "":
		dir = "/"
	case here == "":
		return answer{}
	}
	cl, done, err := env.Connect(ctx, client.WithConnectTimeout(Patience(env)))
	if err != nil {
		return answer{}
	}
	defer done()
	parent := Resolve(here, dir)
	children, _, err := cl.Children(ctx, parent)
	if err != nil {
		return answer{}
	}
	var a answer
	for _, child := range children {
		if strings.HasPrefix(child, name) {
			a.paths = append(a.paths, dir+child)
		}
	}
	slices.Sort(a.paths)
	if len(a.paths) == 1 {
		stat, _, err := cl.Exists(ctx, Resolve(here, a.paths[0]))
		if a.more = err == nil && stat.NumChildren > 0; a.more {
			a.paths[0] += "/"
		}
	}
	return a
}

// Resolve is the absolute path of one that may be relative to here, without "." and "..", which are no names of nodes.
func Resolve(here, path string) string {
	if !strings.HasPrefix(path, "/") {
		path = here + "/" + path
	}
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		switch name {
		case "", ".":
		case "..":
			names = names[:max(len(names)-1, 0)]
		default:
			names = append(names, name)
		}
	}
	return "/" + strings.Join(names, "/")
}
