package locks

import (
	"sync"
	"testing"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/recipes"
)

// TestKazoo: zookit's locks and Kazoo's are one lock, in Kazoo's layout.
func TestKazoo(t *testing.T) {
	t.Parallel()
	python := trial.Kazoo(t)
	everyRecipe(t, recipes.Kazoo, kazooPeer(python), nil)
}

// TestCurator: zookit's locks, Curator's, and those of Kazoo that are made to use Curator's names are one
// lock, in Curator's layout; the mutex is also go-zookeeper's.
func TestCurator(t *testing.T) {
	t.Parallel()
	java, python := trial.Curator(t, "testdata/curator_peer"), trial.Kazoo(t)
	everyRecipe(t, recipes.Curator, append(java, "Peer"), kazooPeer(python, "curator-names"))
}

// kazooPeer is the command of the program with Kazoo.
func kazooPeer(python string, args ...string) []string {
	return append([]string{python, "-B", "testdata/kazoo_peer/main.py"}, args...)
}

// everyRecipe has contests, and the refusals, side by side on one server. They are side by
// side for themselves, not by t.Parallel: they mostly wait, and need no processor each. In Curator's layout
// a third kind takes part where it can, and go-zookeeper in the mutex.
func everyRecipe(t *testing.T, layout recipes.Layout, peers, third []string) {
	t.Helper()
	addr := ensemble.Start(t, 1).Connect()
	var all sync.WaitGroup
	for _, recipe := range []string{"mutex", "rw", "semaphore"} {
		all.Go(func() {
			t.Run(recipe, func(t *testing.T) {
				c := &contest{addr: addr, recipe: recipe, layout: layout, peers: peers, gozk: third != nil && recipe == "mutex"}
				if recipe != "semaphore" { // where the libraries count differently
					c.third = third
				}
				c.run(t)
			})
		})
	}
	all.Go(func() {
		t.Run("refused", func(t *testing.T) { refusals(t, addr, layout, peers) })
	})
	all.Wait()
}
