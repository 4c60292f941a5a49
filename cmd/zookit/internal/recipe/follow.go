package recipe

import (
	"context"
	"iter"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
)

// follow shows what a watch yields until there were count lines (0: for ever) or the program is interrupted, which is no
// failure. show returns how many lines it has printed. An error that is not the last one is for people.
func follow[T any](ctx context.Context, env *app.Env, seq iter.Seq2[T, error], count int, show func(T) (int, error)) error {
	var last error
	lines := 0
	for v, err := range seq {
		if last != nil && ctx.Err() == nil {
			env.Say("%v", last)
		}
		if last = err; err != nil {
			continue
		}
		n, err := show(v)
		if err != nil {
			return err
		}
		if lines += n; count > 0 && lines >= count {
			return nil
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return last
}
