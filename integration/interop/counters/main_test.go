package counters

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/counter"
)

// adder is the environment variable that makes this program one of zookit's adders; its value is the
// arguments that the programs in testdata get.
const adder = "COUNTERS_TEST_ADDER"

func TestMain(m *testing.M) {
	if args := os.Getenv(adder); args != "" {
		if err := add(strings.Fields(args)); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// layouts are those of zookit's counters by the kinds of the programs in testdata.
var layouts = map[string]counter.Layout{"long": counter.Long, "int": counter.Int, "text": counter.Text}

// add adds until it is killed.
func add(args []string) error {
	ctx := context.Background()
	cl, err := client.Connect(ctx, args[0], client.WithSessionTimeout(40*time.Second), client.WithConnectTimeout(time.Minute))
	if err != nil {
		return err
	}
	for c := counter.New(cl, args[2], counter.WithLayout(layouts[args[1]])); ; {
		if _, err := c.Add(ctx, 1); err != nil {
			return err
		}
		fmt.Println("did")
	}
}
