package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/recipes"
)

// A recipe of one's own: among all members of a group one works, the others stand by.
// Its nodes are Curator's, so that LeaderSelector may stand by as well.
type standby struct {
	line *recipes.Line
}

func newStandby(cl *client.Client, path, name string) (*standby, error) {
	line, err := recipes.NewLine(cl, path, recipes.LineConfig{Data: []byte(name)})
	if err != nil {
		return nil, err
	}
	return &standby{line}, nil
}

// run works whenever it is this member's turn, until ctx ends.
func (s *standby) run(ctx context.Context, work func(ctx context.Context, token int64) error) error {
	for {
		turn, err := s.line.Acquire(ctx)
		if err != nil {
			return err
		}
		err = work(turn.Context(), turn.Token())
		if lost := turn.Err(); lost != nil {
			fmt.Println("somebody else may be working by now:", lost)
		}
		if err := turn.Release(ctx); err != nil { // nil if it was lost
			return err
		}
		if err != nil {
			return err
		}
	}
}

func ExampleLine() {
	ctx := context.Background()
	cl, done := exampleClient(ctx)
	defer done()

	s, err := newStandby(cl, "/workers/active", "worker-7")
	if err != nil {
		log.Fatal(err)
	}
	retires := errors.New("the worker retires")
	err = s.run(ctx, func(_ context.Context, token int64) error {
		fmt.Println("working with a token:", token > 0)
		return retires // or work on until ctx ends
	})
	fmt.Println(err)
	// Output:
	// working with a token: true
	// the worker retires
}
